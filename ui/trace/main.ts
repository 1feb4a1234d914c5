// ui/trace/main.ts - the pages of a trace: the frame around them, and what is looked at as a URL.
// Room: the bar on top, pages, and the address: k(ind), sort, q and in (which lanes), t0 and t1 (the time in view), lane and t (the span told
// of), s0, s1 and sl (the selection), find (the search).
import { addActions } from '../common/keys.ts';
import { debounced, h, icon, iconButton, replace } from '../common/dom.ts';
import { askText } from '../common/dialog.ts';
import { menuButton } from '../common/menu.ts';
import { addPaletteActions, openHelp } from '../common/palette.ts';
import { UrlState, type Changes } from '../common/state.ts';
import { nextTheme, setTheme, themeChoice } from '../common/theme.ts';
import { addToasts, toast } from '../common/toast.ts';
import { formatCount, formatValue } from '../common/units.ts';
import { ask, kinds, type Kind, type Link, type Progress, type Span, type Summary } from './api.ts';
import { blockingPage } from './blocking.ts';
import { Drawer } from './drawer.ts';
import { mmuPage } from './mmu.ts';
import { Overview } from './overview.ts';
import { recordButton } from './record.ts';
import { SearchBox } from './search.ts';
import { goroutinesPage, regionsPage, tasksPage, type PageLinks } from './tables.ts';
import { Timeline, type Box } from './timeline.ts';
import { addKeys, addMouse } from './timeline_input.ts';
import { lengthText, parseTime } from './time.ts';

const state = new UrlState('/');
const POLL_MS = 200;
const pages = [['', 'Timeline'], ['goroutines', 'Goroutines'], ['tasks', 'Tasks'], ['regions', 'Regions'], ['blocking', 'Blocking'], ['mmu', 'MMU']] as const;
const kindNames: Record<Kind, string> = { goroutine: 'Goroutines', proc: 'Processors', thread: 'Threads', task: 'Tasks' };

// Of a native program each goroutine is a thread, and lanes by thread would show the same again.
function nameKinds(summary: Summary): Kind[] {
  if (!summary.is_go) kindNames.goroutine = 'Threads';
  return kinds.filter((k) => (k !== 'task' || summary.tasks > 0) && (k !== 'thread' || summary.is_go));
}
const sorts = [['start', 'First seen'], ['-run', 'Time running'], ['-runnable', 'Time waiting to run'], ['-wait', 'Time blocked'], ['-spans', 'Number of spans'], ['name', 'Name'], ['id', 'Number']] as const;

function showError(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), 'error');
}

async function untilReady(): Promise<Summary> {
  const bar = h('progress', { max: '1', value: '0', 'aria-label': 'Reading the trace' });
  const text = h('p', {}, 'Reading the trace…');
  document.body.appendChild(h('main', { class: 'loading', id: 'main' }, h('h1', {}, 'pprof trace'), bar, text));
  for (;;) {
    const now = await ask<Progress>('progress', {});
    if (now.state === 'failed') throw new Error(now.error ?? 'the trace cannot be read');
    if (now.state === 'ready') return ask<Summary>('summary', {});
    bar.value = now.read / Math.max(1, now.total);
    text.textContent = `${formatCount(now.events)} events, ${formatValue(now.read, 'bytes')} of ${formatValue(now.total, 'bytes')}`;
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

class App {
  private readonly timeline: Timeline;
  private readonly overview: Overview;
  private readonly drawer: Drawer;
  private readonly search: SearchBox;
  private readonly content = h('div', { class: 'content' });
  private readonly nav = h('nav', { class: 'tabs', 'aria-label': 'Pages' });
  private readonly tools = h('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Lanes' });
  private readonly timelinePage: HTMLElement;
  private readonly kinds: Kind[];

  constructor(private readonly summary: Summary) {
    this.kinds = nameKinds(summary);
    this.timeline = new Timeline(summary, {
      onView: () => this.onView(),
      onCut: () => this.showCut(),
      onSpan: (lane, time) => state.set({ lane: String(lane), t: String(time), s0: '', s1: '', sl: '' }),
      onBox: (box) => state.set(box ? boxChanges(box) : { s0: '', s1: '', sl: '', lane: '', t: '' }),
      onError: showError,
    });
    this.overview = new Overview(this.timeline);
    this.drawer = new Drawer(summary, { go: (link, time) => void this.go(link, time), look: (t0, t1) => this.look(t0, t1), close: () => state.set({ lane: '', t: '', s0: '', s1: '', sl: '' }), onError: showError });
    this.search = new SearchBox(state, { go: (link, time) => void this.go(link, time), onDensity: (density) => this.showDensity(density), onError: showError });
    this.timelinePage = h('main', { class: 'timeline-page', id: 'main' }, h('h1', { class: 'visually-hidden' }, 'Timeline'), this.tools, this.overview.element, this.timeline.element, this.drawer.element);
    addMouse(this.timeline);
    addKeys(this.timeline, () => state.page === '');
    this.addKeys();
    this.drawFrame();
    state.watch((changed) => this.take(changed));
    this.take(new Set(['page', 'k', 'sort', 'q', 'in', 't0', 't1', 'lane', 't', 's0', 's1', 'sl']));
  }

  private drawFrame(): void {
    const { summary } = this;
    const facts = `${formatCount(summary.events)} events, ${formatCount(summary.goroutines)} ${kindNames.goroutine.toLowerCase()}, ${lengthText(summary.end)}`;
    const theme = iconButton('auto', 'Theme', () => {
      setTheme(nextTheme());
      replace(theme, icon(themeChoice() === 'dark' ? 'moon' : themeChoice() === 'light' ? 'sun' : 'auto'));
      theme.title = `Theme: ${themeChoice()}`;
    });
    document.title = `${summary.name.split('/').pop()} - pprof trace`;
    replace(document.body,
      h('header', { class: 'topbar' },
        h('div', { class: 'trace-name', title: summary.name }, h('strong', {}, summary.name.split('/').pop() ?? ''), h('span', { class: 'faint' }, ` ${facts}`)),
        this.nav, h('div', { class: 'grow' }), this.search.element, recordButton(summary.name, showError), theme,
        iconButton('help', 'Keys and commands', openHelp)),
      summary.broken ? h('p', { class: 'notice', role: 'status' }, `The trace breaks off: ${summary.broken}. What comes before is shown.`) : null,
      this.content);
    addToasts();
  }

  private drawNav(): void {
    const bare = { min: '', max: '', func: '', type: '', window: '', flags: '' };
    replace(this.nav, pages.map(([id, title]) => h('a', { href: state.href(id, bare), class: 'tab', 'aria-current': state.page === id ? 'page' : undefined, onclick: (event) => follow(event, id, bare) }, id === 'goroutines' ? kindNames.goroutine : title)));
  }

  private drawTools(): void {
    const kind = this.kind();
    const sort = sorts.find(([id]) => id === state.get('sort')) ?? sorts[0]!;
    const buttons = this.kinds.map((k) =>
      h('button', { type: 'button', 'aria-pressed': String(k === kind), onclick: () => state.set({ k, lane: '', t: '', s0: '', s1: '', sl: '', q: '' }) }, kindNames[k]));
    const filter = h('input', { type: 'search', 'aria-label': 'Show lanes whose name has', placeholder: 'Filter lanes', value: state.get('q'), id: 'filter' });
    filter.addEventListener('input', debounced(200, () => state.set({ q: filter.value }, 'replace')));
    const focused = document.activeElement?.id === 'filter';
    replace(this.tools,
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Lanes by' }, buttons),
      menuButton(`Sorted by: ${sort[1]}`, [h('span', {}, `By ${sort[1].toLowerCase()}`), icon('down')], () => sorts.map(([id, label]) => ({ label, checked: id === sort[0], run: () => state.set({ sort: id }) })), { class: 'button' }),
      filter,
      h('button', { type: 'button', class: 'button', 'aria-pressed': String(state.get('in') === '1'), title: 'Only lanes that do something in the time in view', onclick: () => this.toggleInView() }, 'Active in view'),
      h('div', { class: 'grow' }), this.legend(), this.cutText, this.rangeText,
      iconButton('minus', 'Zoom out', () => this.timeline.zoom(2)), iconButton('plus', 'Zoom in', () => this.timeline.zoom(0.5)), iconButton('fit', 'The whole trace', () => this.timeline.setRange({ t0: 0, t1: this.summary.end })));
    if (!focused) return;
    filter.focus();
    filter.setSelectionRange(filter.value.length, filter.value.length);
  }

  private toggleInView(): void {
    state.set({ in: state.get('in') === '1' ? '' : '1' });
  }

  private readonly rangeText = h('span', { class: 'range', 'aria-live': 'off' });

  private readonly cutText = h('span', { class: 'cut', role: 'status', title: 'Too many for one screen: those that come first. Come nearer to see the others' });

  private showCut(): void {
    if (this.cutText.textContent !== this.timeline.cut) this.cutText.textContent = this.timeline.cut;
  }

  private legend(): HTMLElement {
    return h('span', { class: 'legend' }, this.summary.classes.map((name, cls) => (cls ? h('span', {}, h('span', { class: `swatch class-${cls}`, 'aria-hidden': 'true' }), name) : null)));
  }

  private kind(): Kind {
    return kinds.find((k) => k === state.get('k')) ?? 'goroutine';
  }

  private readonly writeView = debounced(250, () => {
    if (state.page !== '') return;
    const { t0, t1 } = this.timeline.range;
    const isWhole = t0 <= 0 && t1 >= this.summary.end;
    state.set({ t0: isWhole ? '' : String(Math.round(t0)), t1: isWhole ? '' : String(Math.round(t1)) }, 'replace');
    if (state.get('in') === '1') this.setRows();
  });

  private onView(): void {
    if (!this.overview) return;
    this.overview.invalidate();
    this.rangeText.textContent = `${lengthText(this.timeline.range.t1 - this.timeline.range.t0)} in view`;
    this.writeView();
  }

  // The address says something else: show that.
  private take(changed: ReadonlySet<string>): void {
    this.drawNav();
    if (state.page !== '') {
      if (['page', 'func', 'type', 'min', 'max', 'window', 'flags'].some((key) => changed.has(key))) this.showTable();
      return;
    }
    if (changed.has('page')) replace(this.content, this.timelinePage);
    if (changed.has('page')) this.takeRange();
    if (['page', 'k', 'sort', 'q', 'in'].some((key) => changed.has(key))) {
      this.drawTools();
      this.setRows();
    }
    if (changed.has('t0') || changed.has('t1')) this.takeRange();
    if (['lane', 't', 's0', 's1', 'sl', 'k', 'page'].some((key) => changed.has(key))) void this.takeChosen().catch(showError);
  }

  private setRows(): void {
    this.timeline.setRows(this.kind(), state.get('sort') || 'start', state.get('q'), state.get('in') === '1');
  }

  private takeRange(): void {
    const t0 = Number(state.get('t0') || 0);
    const t1 = Number(state.get('t1') || this.summary.end);
    const { range } = this.timeline;
    if (t1 > t0 && (Math.round(range.t0) !== t0 || Math.round(range.t1) !== t1)) this.timeline.setRange({ t0, t1 });
  }

  private async takeChosen(): Promise<void> {
    const [s0, s1, lane] = [state.get('s0'), state.get('s1'), state.get('lane')];
    const kind = this.kind();
    this.timeline.setBox(s0 && s1 ? { t0: Number(s0), t1: Number(s1), lanes: state.get('sl') ? state.get('sl').split(',').map(Number) : [] } : undefined);
    if (this.timeline.box) {
      this.timeline.span = undefined;
      await this.drawer.showBox(kind === 'task' ? 'goroutine' : kind, kindNames[kind === 'task' ? 'goroutine' : kind].toLowerCase(), this.timeline.box);
    } else if (lane && kind !== 'task') {
      const span = await ask<Span>('span', { kind, lanes: lane, t: state.get('t') || 0 });
      if (state.get('lane') !== lane) return;
      this.timeline.span = span;
      this.drawer.showSpan(span);
      await this.reveal(Number(lane));
    } else {
      this.timeline.span = undefined;
      this.drawer.hide();
    }
    this.timeline.surface.invalidate();
  }

  private async reveal(lane: number): Promise<void> {
    const known = this.timeline.rows.rowOfLane(lane);
    const row = known >= 0 ? known : await this.timeline.rows.find(lane);
    if (row === undefined) return;
    this.timeline.current = row;
    this.timeline.showRow(row);
  }

  private showTable(): void {
    const links: PageLinks = { href: (page, changes) => state.href(page, changes), go: (page, changes) => state.go(page, changes), get: (key) => state.get(key), onError: showError };
    const made = { goroutines: goroutinesPage, tasks: tasksPage, regions: regionsPage, blocking: blockingPage, mmu: mmuPage }[state.page];
    replace(this.content, made ? made(links) : h('main', { class: 'table-page', id: 'main' }, h('h1', {}, 'There is no such page')));
  }

  // To a lane of any kind, at a time.
  private async go(link: Link, time: number): Promise<void> {
    const { t0, t1 } = this.timeline.range;
    const half = (t1 - t0) / 2;
    const isSeen = time >= t0 && time <= t1;
    state.go('', {
      k: link.kind, lane: String(link.lane), t: String(time), s0: '', s1: '', sl: '', q: link.kind === this.kind() ? state.get('q') : '', in: '',
      ...(isSeen ? {} : { t0: String(Math.max(0, Math.round(time - half))), t1: String(Math.round(time + half)) }),
    });
  }

  private look(t0: number, t1: number): void {
    const margin = (t1 - t0) * 0.05;
    this.timeline.setRange({ t0: t0 - margin, t1: t1 + margin });
  }

  private showDensity(density: number[]): void {
    this.overview.density = density;
    this.overview.invalidate();
  }

  private addKeys(): void {
    const on = (title: string, key: string, run: () => void) => ({ title, group: 'Pages', key, run });
    const shown = () => state.page === '';
    addActions(
      ...pages.map(([id, title]) => ({ title, group: 'Pages', run: () => state.go(id) })),
      on('Search the whole trace', '/', () => this.search.focus()),
      on('Close details', 'Escape', () => state.set({ lane: '', t: '', s0: '', s1: '', sl: '' })),
      { title: 'Only lanes active in view, or all', group: 'Timeline', key: 'i', when: shown, run: () => this.toggleInView() },
      { title: 'Jump to a time', group: 'Timeline', key: 'g', when: shown, run: () => void this.jump() },
      ...this.kinds.map((k, i) => ({ title: `Lanes by ${kindNames[k].toLowerCase()}`, group: 'Timeline', key: String(i + 1), when: shown, run: () => state.set({ k, lane: '', t: '', q: '', sl: '' }) })),
      { title: 'To who woke this goroutine', group: 'Timeline', key: '[', when: shown, run: () => this.follow('woken') },
      { title: 'To whom this span woke first', group: 'Timeline', key: ']', when: shown, run: () => this.follow('woke') },
    );
    addPaletteActions();
  }

  private follow(way: 'woken' | 'woke'): void {
    const span = this.timeline.span;
    const first = span?.woke?.[0];
    if (way === 'woken' && span?.woken_by) void this.go(span.woken_by, span.woken_at ?? span.start);
    else if (way === 'woke' && first) void this.go(first.to, first.time);
  }

  private async jump(): Promise<void> {
    const text = await askText('Jump to a time', 'Since the trace began: 1.5s, 200ms, 340us or nanoseconds');
    const time = text === undefined ? NaN : parseTime(text);
    if (text !== undefined && Number.isNaN(time)) toast(`${text} is no time`, 'error');
    if (Number.isNaN(time)) return;
    const half = (this.timeline.range.t1 - this.timeline.range.t0) / 2;
    const near = Math.min(half, this.summary.end / 20);
    this.timeline.setRange({ t0: time - near, t1: time + near });
  }

  // For the browser tests.
  get forTests(): unknown {
    return { timeline: this.timeline, hit: (x: number, y: number) => this.timeline.spanAt(x, y), frames: this.timeline.surface.frames };
  }
}

function boxChanges(box: Box): Changes {
  return { s0: String(box.t0), s1: String(box.t1), sl: box.lanes.join(','), lane: '', t: '' };
}

function follow(event: MouseEvent, page: string, changes: Changes): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  state.go(page, changes);
}

// Links within the pages change what is shown and load nothing.
document.addEventListener('click', (event) => {
  const link = (event.target as Element).closest?.('a');
  if (!link || event.defaultPrevented || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const wanted = new URL(link.href);
  const all: Changes = Object.fromEntries(state.entries().map(([key]) => [key, '']));
  for (const [key, value] of wanted.searchParams) all[key] = value;
  state.go(wanted.pathname.split('/').pop() ?? '', all);
});

untilReady().then((summary) => {
  const app = new App(summary);
  (window as unknown as { __ui: unknown }).__ui = app.forTests;
}, (error: Error) => {
  replace(document.body, h('main', { class: 'loading', id: 'main' }, h('h1', {}, 'pprof trace'), h('p', { role: 'alert' }, error.message)));
});
