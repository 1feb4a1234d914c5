// ui/profile/standalone.ts - a flame graph as one file: drawn from the data in the page, asking nobody.
// Room: the chart of the pages with a small heading; search is the browser's own expressions. Made by `pprof -flamegraph`
// and by the pages' export (src/render/flame_page.c); the data is docs/api.md's answer of /api/flame, with a title.
import { category, paint } from '../common/colours.ts';
import { debounced, h, icon, iconButton, replace } from '../common/dom.ts';
import { addActions } from '../common/keys.ts';
import { addPaletteActions, openHelp, setViewKeys } from '../common/palette.ts';
import { nextTheme, setTheme } from '../common/theme.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { Flame } from './api.ts';
import { FlameChart, type Spot } from './flame_chart.ts';
import { Frames, shape, treeOf, type Tree } from './flame_tree.ts';
import { Groups } from './groups.ts';
import { describeNode, nodeTooltip } from './node_text.ts';

function lit(frames: Frames, typed: string): Set<number> | undefined {
  if (!typed) return undefined;
  const regex = new RegExp(typed);
  return new Set(frames.list.flatMap((frame, i) => (regex.test(frame.name) ? [i] : [])));
}

// The weight of what matches: a match below another counts once.
function matchedWeight(tree: Tree, matches: ReadonlySet<number>): number {
  let weight = 0;
  for (let i = 0; i < tree.n; ) {
    if (matches.has(tree.frame[i]!)) {
      weight += tree.total[i]!;
      i = tree.end[i]!;
    } else i++;
  }
  return weight;
}

function start({ title, flame }: { title: string; flame: Flame }): void {
  const frames = new Frames();
  const raw = treeOf(flame.down!, frames.add(flame.frames), flame.scale);
  const groups = new Groups(frames);
  const detail = h('div', { class: 'detail' });
  const total = h('span', { class: 'search-total' });
  let matches: Set<number> | undefined;
  let folds = false;
  const context = () => ({ chart, frames, type: flame.type, unit: flame.unit, isDiff: flame.is_diff });
  const show = (spot: Spot) => replace(detail, describeNode(context(), spot));
  const chart = new FlameChart(frames, {
    describe: (spot) => describeNode(context(), spot),
    tooltip: (spot) => nodeTooltip(context(), spot),
    onCurrent: (spot) => show(spot ?? chart.current),
    onZoom: (spot) => chart.fit(spot),
    onMenu: (spot) => chart.fit(spot),
    onSettled: () => undefined,
    onKey: () => false,
  });
  const look = () => {
    chart.look = {
      colourOf: (frame) => (frame < 0 ? paint().root : category(groups.rankOf(frame))), isDiff: flame.is_diff, rootLabel: 'root',
      ...(matches ? { isLit: (frame: number) => matches!.has(frame) } : {}),
    };
    chart.redraw();
  };
  const draw = () => {
    const { tree } = shape(raw, frames, { foldsRecursion: folds, byName: false });
    groups.count({ down: tree }, 'package');
    look();
    chart.setTrees(tree, undefined, false);
  };
  const search = h('input', {
    type: 'search', class: 'search-input', 'aria-label': 'Search functions (regular expression)', placeholder: 'Search  /', spellcheck: 'false',
    oninput: debounced(100, () => {
      search.removeAttribute('aria-invalid');
      try {
        matches = lit(frames, search.value);
      } catch {
        matches = undefined;
        search.setAttribute('aria-invalid', 'true');
      }
      total.textContent = matches ? formatPercent(matchedWeight(chart.trees.down!, matches), raw.total[0]!) : '';
      look();
    }),
  });
  const fold = h('button', { type: 'button', class: 'button', 'aria-pressed': 'false', onclick: () => {
    folds = !folds;
    fold.setAttribute('aria-pressed', String(folds));
    draw();
  } }, 'Fold recursion');
  const flip = () => {
    chart.isFlame = !chart.isFlame;
    chart.redraw();
  };
  document.title = title || 'Flame graph';
  addActions(
    { title: 'Whole profile', group: 'Page', key: '0', run: () => chart.fit({ side: 'down', node: 0 }) },
    { title: 'Flame or icicle', group: 'Page', key: 'v', run: flip },
    { title: 'Fold recursion', group: 'Page', key: 'r', run: () => fold.click() },
    { title: 'Search', group: 'Page', key: '/', run: () => search.focus() },
    { title: 'Light or dark', group: 'Page', key: 't', run: () => setTheme(nextTheme()) },
  );
  addPaletteActions();
  setViewKeys([['Walk the stacks', '↑ ↓ ← →'], ['Zoom to the current function', 'Enter'], ['Zoom in, out', '+ -']]);
  document.body.append(
    h('header', { class: 'header' }, h('div', { class: 'header-row' }, h('h1', { class: 'title-text' }, document.title), h('span', { class: 'faint grow' }, `${flame.type}: ${formatValue(raw.total[0] ?? 0, flame.unit)}`), h('div', { class: 'search' }, icon('search'), search, total), fold,
      iconButton('fit', 'Whole profile (0)', () => chart.fit({ side: 'down', node: 0 })), iconButton('auto', 'Theme (t)', () => setTheme(nextTheme())), iconButton('help', 'Keys (?)', openHelp))),
    h('main', { class: 'flame-page' }, chart.element, h('div', { class: 'under-chart' }, detail)),
  );
  draw();
  (window as unknown as { __ui: unknown }).__ui = { chart, frames };
}

start(JSON.parse(document.getElementById('data')!.textContent ?? '{}') as { title: string; flame: Flame });
