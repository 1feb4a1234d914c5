// ui/profile/flame_page.ts - the flame graph's page: its data, its tools, its keys.
// Room: between the server and the chart. The whole is asked for once, cut at what the screen shows; where the window is
// narrow, the widest node that fills it is asked for again and put in its place.
import { addActions } from '../common/keys.ts';
import { category, paint } from '../common/colours.ts';
import { clamp, h, icon, iconButton, redraw, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { menuButton, openMenu, type MenuEntry } from '../common/menu.ts';
import { setViewKeys } from '../common/palette.ts';
import { onTheme } from '../common/theme.ts';
import { formatValue } from '../common/units.ts';
import { OWN_KEYS, type App, type Page, type View } from './app.ts';
import type { Flame, FlameColumns } from './api.ts';
import { FlameChart, type Spot } from './flame_chart.ts';
import { frameMenu } from './frame_menu.ts';
import { savePng, saveSvg } from './flame_picture.ts';
import { Groups } from './groups.ts';
import { Frames, idsOf, pathOf, refine, shape, treeOf, walk, type Tree } from './flame_tree.ts';
import { exactly } from './names.ts';
import { describeNode, nodeTooltip } from './node_text.ts';
import { fileName, setPageExports } from './share.ts';

const FINER = 4; // the window is asked for again once a node this many times wider than it was cut for fills it

class FlameView implements View {
  readonly toolbar = h('div', { class: 'toolbar' });
  private readonly frames = new Frames();
  private flame: Flame | undefined;
  private raw: { down?: Tree; up?: Tree } = {};
  private from: Int32Array = new Int32Array(0); // shown node -> raw node
  private readonly groups = new Groups(this.frames);
  private matches: Set<number> | undefined;
  private readonly chart: FlameChart;
  private readonly legend = h('div', { class: 'legend', role: 'group', 'aria-label': 'Colours' });
  private readonly detail = h('div', { class: 'detail' });
  private readonly none = h('p', { class: 'flame-none', role: 'status', hidden: true });
  private readonly newest = latest();
  private readonly newestFiner = latest();
  private readonly refined = new Set<string>(); // paths already asked for

  constructor(main: HTMLElement, private readonly app: App) {
    this.chart = new FlameChart(this.frames, {
      describe: (spot) => describeNode(this.context(), spot),
      tooltip: (spot) => nodeTooltip(this.context(), spot),
      onCurrent: (spot) => this.showDetail(spot),
      onZoom: (spot) => this.zoomTo(spot),
      onMenu: (spot, at) => this.openMenu(spot, at),
      onSettled: () => void this.sharpen(),
      onKey: (key, spot) => this.onKey(key, spot),
    });
    replace(main, h('h1', { class: 'visually-hidden' }, 'Flame graph'), h('div', { class: 'flame-page' }, this.none, this.chart.element, h('div', { class: 'under-chart' }, this.legend, this.detail)));
    setViewKeys([
      ['Walk the stacks', '↑ ↓ ← →'], ['Zoom to the current function', 'Enter'], ['Zoom in, out', '+ -'], ['Pan', 'a d'], ['Whole profile', '0'],
      ['Menu of the current function', 'm'], ['Callers and callees of it', 'p'], ['Focus, ignore, hide it', 'f i x'], ['Its source, assembly, callers', 's D e'],
    ]);
    setPageExports([
      { label: 'This picture as SVG', run: () => saveSvg(this.chart, fileName(app), this.caption(), (spot) => describeNode(this.context(), spot)) },
      { label: 'This picture as PNG', run: () => savePng(this.chart, fileName(app), this.caption()) },
    ]);
    onTheme(() => this.recolour());
    this.drawTools();
    (window as unknown as { __ui: unknown }).__ui = { chart: this.chart, frames: this.frames, name: (spot: Spot) => this.nameOf(spot), find: (name: string) => this.find(name) };
  }

  close(): void {
    setViewKeys([]);
    setPageExports([]);
    delete (window as unknown as { __ui?: unknown }).__ui;
  }

  update(changed: ReadonlySet<string>): void {
    const onlyLooks = [...changed].every((key) => ['z', 'colour', 'layout', 'order', 'fold', 'q', 'group', 'fn'].includes(key));
    if (changed.has('q')) void this.search();
    if (!onlyLooks) void this.load();
    else if (changed.has('order') || changed.has('fold')) this.reshape(false);
    if (onlyLooks && changed.has('z')) void this.goToPath(true);
    if (changed.has('colour') || changed.has('group')) this.recolour();
    if (changed.has('layout')) this.applyLayout();
    this.drawTools();
  }

  private get view(): string {
    return this.app.state.get('p') ? 'pivot' : this.app.state.get('view') === 'up' ? 'up' : 'down';
  }

  private request(more: Record<string, string>, signal: AbortSignal): Promise<Flame> {
    const px = String(clamp(Math.round(this.chart.surface.width || innerWidth), 64, 16384));
    return this.app.get<Flame>('flame', { view: this.view, p: this.app.state.get('p'), q: this.app.state.get('q'), px, ...more }, signal);
  }

  private load(): Promise<void> {
    return this.app.attempt(async () => {
      const flame = await this.newest((signal) => this.request({}, signal));
      if (flame) this.take(flame);
    });
  }

  private take(flame: Flame): void {
    this.flame = flame;
    this.frames.clear();
    const numbers = this.frames.add(flame.frames);
    this.refined.clear();
    this.raw = { down: treeOf(mainTree(flame), numbers, flame.scale) };
    if (flame.view === 'pivot' && flame.up) this.raw.up = treeOf(flame.up, numbers, flame.scale);
    this.matches = flame.matches && this.app.state.get('q') ? new Set(flame.matches.map((i) => numbers[i]!)) : undefined;
    this.groups.count(this.raw, this.colourBy);
    this.applyLayout();
    this.reshape(false);
    void this.goToPath(false);
    this.showDetail(undefined);
    this.none.hidden = this.raw.down?.width[0] !== 0;
    this.none.textContent = flame.total ? 'No stack is left: the filters keep none.' : 'The profile has no samples of this type.';
  }

  private get colourBy(): string {
    return this.app.state.get('colour') || (this.flame?.is_diff ? 'diff' : 'package');
  }

  // From what the server said to what is shown.
  private reshape(keepWindow: boolean): void {
    if (!this.raw.down) return;
    const how = { foldsRecursion: this.app.state.get('fold') === 'recursion', byName: this.app.state.get('order') === 'name' };
    const down = shape(this.raw.down, this.frames, how);
    this.from = down.from;
    this.recolour();
    this.chart.setTrees(down.tree, this.raw.up && shape(this.raw.up, this.frames, how).tree, keepWindow);
  }

  private recolour(): void {
    if (!this.flame) return;
    const chosen = this.app.state.get('group');
    this.groups.count(this.raw, this.colourBy);
    const lit = this.matches ?? (chosen ? this.groups.members(chosen) : undefined);
    this.chart.look = {
      colourOf: (frame) => (frame < 0 ? paint().root : category(this.groups.rankOf(frame))),
      isDiff: this.colourBy === 'diff' && this.flame.is_diff,
      rootLabel: this.flame.view === 'pivot' ? this.app.state.get('p') : 'root',
      ...(lit ? { isLit: (frame: number) => lit.has(frame) } : {}),
    };
    this.chart.redraw();
    this.drawLegend();
  }

  private drawLegend(): void {
    const state = this.app.state;
    if (this.chart.look.isDiff) {
      const key = (cls: string, text: string) => h('span', { class: 'legend-item plain' }, h('span', { class: `swatch ${cls}` }), text);
      replace(this.legend, key('less', 'less than the base'), key('same', 'the same'), key('more', 'more than the base'), h('span', { class: 'faint' }, 'width: both together'));
      return;
    }
    redraw(
      this.legend,
      this.groups.heaviest().map(({ name, rank, share }) => {
        const swatch = h('span', { class: 'swatch', style: { background: category(rank) } });
        const isChosen = state.get('group') === name;
        return h(
          'button',
          { type: 'button', class: 'legend-item', 'aria-pressed': String(isChosen), title: `${name}${share ? `: ${share} of the profile are spent in it itself` : ''}; colours go by how much of the picture a group covers. Click to light it up`, onclick: () => state.set({ group: isChosen ? null : name }) },
          swatch, h('span', { class: 'legend-name' }, shortGroup(name)), share ? h('span', { class: 'faint' }, `self ${share}`) : null,
        );
      }),
    );
  }

  private applyLayout(): void {
    this.chart.isFlame = this.app.state.get('layout') === 'flame';
    this.chart.redraw();
  }

  // The window, from the address; finer data is fetched until the path is found or ends.
  private async goToPath(isAnimated: boolean): Promise<void> {
    const path = this.app.state.get('z');
    const tree = this.chart.trees.down;
    if (!tree) return;
    if (!path) return this.chart.fit({ side: 'down', node: 0 }, isAnimated);
    for (let tries = 0; tries < 8; tries++) {
      const found = walk(this.chart.trees.down!, this.frames, path);
      if (found.isWhole || !(await this.fetchFiner(found.at))) {
        this.chart.fit({ side: 'down', node: found.at }, isAnimated);
        return;
      }
    }
  }

  // The part in sight once more, when its boxes were cut for a narrower place.
  private async sharpen(): Promise<void> {
    const tree = this.chart.trees.down;
    if (!tree || this.flame?.view === 'pivot') return;
    let at = 0;
    let isGoing = true;
    while (isGoing) {
      isGoing = false;
      for (let child = at + 1; child < tree.end[at]!; child = tree.end[child]!) {
        if (tree.x[child]! > this.chart.left || tree.x[child]! + tree.width[child]! < this.chart.right * 0.999999) continue;
        at = child;
        isGoing = true;
        break;
      }
    }
    if (tree.width[at]! * FINER < this.chart.whole || this.chart.right - this.chart.left < this.chart.whole / FINER) await this.fetchFiner(at);
  }

  // Whether there was something finer.
  private async fetchFiner(at: number): Promise<boolean> {
    const down = this.raw.down;
    if (!down || at === 0) return false;
    const rawAt = this.from[at]!;
    const path = pathOf(down, this.frames, rawAt);
    if (this.refined.has(path) || !hasHidden(down, rawAt)) return false;
    this.refined.add(path);
    try {
      const flame = await this.newestFiner((signal) => this.request({ root: idsOf(down, this.frames, rawAt) }, signal));
      if (!flame || down !== this.raw.down) return false;
      const numbers = this.frames.add(flame.frames);
      this.raw.down = refine(down, rawAt, treeOf(mainTree(flame), numbers, flame.scale));
      flame.matches?.forEach((i) => this.matches?.add(numbers[i]!));
      this.reshape(true);
      return true;
    } catch {
      return false; // the coarse picture stays
    }
  }

  private search(): Promise<void> {
    if (this.app.state.get('q')) return this.reload();
    this.matches = undefined;
    this.recolour();
    return Promise.resolve();
  }

  // Which frames match is the server's word; the window stays where it is.
  private async reload(): Promise<void> {
    try {
      const flame = await this.newest((signal) => this.request({}, signal));
      if (!flame) return;
      const ids = new Set((flame.matches ?? []).map((i) => flame.frames[i]!.id));
      this.matches = new Set(this.frames.list.flatMap((frame, i) => (ids.has(frame.id) ? [i] : [])));
      this.recolour();
    } catch {
      this.matches = undefined; // the search box says why
      this.recolour();
    }
  }

  onSearchEnter(isBack: boolean): void {
    const tree = this.chart.trees.down;
    if (!tree || !this.matches?.size) return;
    const step = isBack ? -1 : 1;
    const start = this.chart.current.side === 'down' ? this.chart.current.node : 0;
    for (let k = 1; k <= tree.n; k++) {
      const i = (start + step * k + tree.n * 2) % tree.n;
      if (tree.frame[i]! < 0 || !this.matches.has(tree.frame[i]!)) continue;
      this.chart.setCurrent({ side: 'down', node: i });
      this.chart.reveal({ side: 'down', node: i });
      return;
    }
  }

  private zoomTo(spot: Spot): void {
    if (spot.side === 'up') return this.chart.fit(spot);
    const path = pathOf(this.chart.trees.down!, this.frames, spot.node);
    if (path === this.app.state.get('z')) this.chart.fit(spot);
    else this.app.state.set({ z: path });
  }

  private caption(): string {
    const tree = this.chart.trees.down;
    const filters = [...this.app.state.entries(new Set([...OWN_KEYS, 'si', 'src']))].map(([key, value]) => `${key}=${value}`);
    return [this.app.summary?.title, `${this.flame?.type ?? ''}: ${formatValue(tree?.total[0] ?? 0, this.flame?.unit ?? '')}`, ...filters].filter(Boolean).join('   ');
  }

  private context() {
    return { chart: this.chart, frames: this.frames, type: this.flame?.type ?? '', unit: this.flame?.unit ?? '', isDiff: this.flame?.is_diff ?? false };
  }

  private nameOf(spot: Spot): string {
    const frame = this.chart.treeOf(spot).frame[spot.node]!;
    return frame < 0 ? '' : this.frames.list[frame]!.name;
  }

  private find(name: string): Spot | undefined {
    const tree = this.chart.trees.down;
    for (let i = 0; tree && i < tree.n; i++) if (tree.frame[i]! >= 0 && this.frames.list[tree.frame[i]!]!.name === name) return { side: 'down', node: i };
    return undefined;
  }

  copyTarget(): string | undefined {
    return this.nameOf(this.chart.current) || undefined;
  }

  private showDetail(spot: Spot | undefined): void {
    const shown = spot ?? this.chart.current;
    if (this.chart.trees.down?.n) replace(this.detail, describeNode(this.context(), shown));
  }

  private openMenu(spot: Spot, at: { x: number; y: number }): void {
    const name = this.nameOf(spot);
    const entries: MenuEntry[] = [
      name || 'Whole profile',
      { label: 'Zoom to it', hint: 'Enter', run: () => this.zoomTo(spot) },
      ...(name ? frameMenu(this.app, name) : [{ label: 'Whole profile', hint: '0', run: () => this.app.state.set({ z: null }) }]),
    ];
    openMenu(name || 'Whole profile', entries, this.chart.mirror.element, at);
  }

  private onKey(key: string, spot: Spot): boolean {
    const name = this.nameOf(spot);
    const state = this.app.state;
    if (key === 'Escape') {
      if (state.get('group')) state.set({ group: null });
      else if (state.get('z')) state.set({ z: null });
      else if (state.get('p')) state.set({ p: null });
      else return false;
      return true;
    }
    if (!name) return false;
    const only = exactly(name);
    const or = (now: string) => (now ? `${now}|${only}` : only);
    if (key === 'p') state.set({ p: only, z: null });
    else if (key === 'f') state.set({ f: only, z: null });
    else if (key === 'i') state.set({ i: or(state.get('i')), z: null });
    else if (key === 'x') state.set({ h: or(state.get('h')), z: null });
    else if (key === 's') state.go('source', { fn: only });
    else if (key === 'D') state.go('disasm', { fn: only });
    else if (key === 'e') state.go('peek', { fn: only });
    else return false;
    return true;
  }

  private drawTools(): void {
    const state = this.app.state;
    const toggle = (label: string, key: string, value: string, title: string) =>
      h('button', { type: 'button', class: 'button', 'aria-pressed': String(state.get(key) === value), title, onclick: () => state.set({ [key]: state.get(key) === value ? null : value }) }, label);
    const views: [string, string, string][] = [['', 'Top down', 'What calls what, from the start of the program'], ['up', 'Bottom up', 'From the functions that do the work to who calls them']];
    redraw(
      this.toolbar,
      state.get('p')
        ? h('button', { type: 'button', class: 'button', 'aria-pressed': 'true', onclick: () => state.set({ p: null }) }, 'Callers and callees', icon('close'))
        : h('div', { class: 'segments', role: 'group', 'aria-label': 'View' }, views.map(([value, label, title]) =>
          h('button', { type: 'button', title, 'aria-pressed': String(state.get('view') === value), onclick: () => state.set({ view: value || null, z: null }) }, label))),
      toggle('Flame', 'layout', 'flame', 'The root at the bottom (v)'),
      toggle('Fold recursion', 'fold', 'recursion', 'Calls of a function already on the stack join its first call (r)'),
      toggle('By name', 'order', 'name', 'Callees in alphabetical order instead of the heaviest first (o)'),
      menuButton('Colours', [document.createTextNode(`Colour: ${this.colourBy}`), icon('down')], () => this.colourMenu(), { class: 'button' }),
      menuButton('Split by label', [document.createTextNode('Split by label'), icon('down')], () => this.splitMenu(), { class: 'button' }),
      iconButton('minus', 'Zoom out', () => this.chart.zoomAt(this.chart.surface.width / 2, 1 / 0.6)),
      iconButton('plus', 'Zoom in', () => this.chart.zoomAt(this.chart.surface.width / 2, 0.6)),
      iconButton('fit', 'Whole profile (0)', () => this.reset()),
    );
  }

  private reset(): void {
    if (this.app.state.get('z')) this.app.state.set({ z: null });
    else this.chart.fit({ side: 'down', node: 0 });
  }

  private colourMenu(): MenuEntry[] {
    const choices: [string, string][] = [['package', 'Package or namespace'], ['file', 'Source file'], ['binary', 'Binary']];
    if (this.flame?.is_diff) choices.push(['diff', 'Difference to the base']);
    return choices.map(([value, label]) => ({ label, checked: this.colourBy === value, run: () => this.app.state.set({ colour: value, group: null }) }));
  }

  private splitMenu(): MenuEntry[] {
    const labels = this.app.summary?.labels ?? [];
    if (!labels.length) return [{ label: 'This profile has no labels', disabled: true }];
    const set = (key: string, value: string) => () => this.app.state.set({ [key]: this.app.state.get(key) === value ? null : value, z: null });
    const entries = (title: string, key: string): MenuEntry[] => [title, ...labels.map((label) => ({ label: label.key, hint: `${label.n_values} values`, checked: this.app.state.get(key) === label.key, run: set(key, label.key) }))];
    return [...entries('At the root', 'tagroot'), null, ...entries('At the leaves', 'tagleaf')];
  }

  addActions(): void {
    const state = this.app.state;
    const flip = (key: string, value: string) => () => state.set({ [key]: state.get(key) === value ? null : value });
    const when = () => state.page === 'flamegraph';
    addActions(
      { title: 'Whole profile', group: 'Flame graph', key: '0', when, run: () => this.reset() },
      { title: 'Flame or icicle', group: 'Flame graph', key: 'v', when, run: flip('layout', 'flame') },
      { title: 'Bottom up', group: 'Flame graph', key: 'b', when, run: flip('view', 'up') },
      { title: 'Fold recursion', group: 'Flame graph', key: 'r', when, run: flip('fold', 'recursion') },
      { title: 'Order by name', group: 'Flame graph', key: 'o', when, run: flip('order', 'name') },
      ...['package', 'file', 'binary', 'diff'].map((by) => ({ title: `Colour by ${by}`, group: 'Flame graph', when, run: () => state.set({ colour: by }) })),
    );
  }
}

// The tree that grows from the root; callers of a pivot are drawn the other way.
function mainTree(flame: Flame): FlameColumns {
  return (flame.view === 'up' ? flame.up : flame.down)!;
}

// The end of a path says most.
function shortGroup(name: string): string {
  const parts = name.split('/').filter(Boolean);
  return parts.length > 2 ? `…/${parts.slice(-2).join('/')}` : name;
}

function hasHidden(t: Tree, at: number): boolean {
  for (let i = at; i < t.end[at]!; i++) if (t.nHidden[i]) return true;
  return false;
}

let actions = false;

export const flamePage: Page = {
  name: 'flamegraph',
  title: 'Flame graph',
  key: '1',
  open(main, app) {
    const view = new FlameView(main, app);
    if (!actions) view.addActions();
    actions = true;
    return view;
  },
};
