// ui/profile/source_page.ts - source with the weight of each line; a line opens to the instructions made from it.
// Room: laying out what /api/source gives; colouring words is highlight.ts, loaded with the first source.
import { Chunks, type ChunkList } from '../common/chunks.ts';
import { heat } from '../common/colours.ts';
import { h, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { setViewKeys } from '../common/palette.ts';
import { addActions } from '../common/keys.ts';
import { onTheme } from '../common/theme.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Instruction, Source, SourceFunction, SourceLine } from './api.ts';
import { failure } from './failure.ts';
import { FunctionPicker } from './function_picker.ts';

type Highlighter = typeof import('./highlight.ts');
let highlighter: Highlighter | undefined;
const LINE_PX = 20; // of a row in profile.css
const HEAD_PX = 130; // of what stands above the lines of a function

interface HotLine {
  f: number; // of the answer's functions
  row: number;
  line: SourceLine;
}

class SourceView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body source', tabindex: '0', role: 'region', 'aria-label': 'Source' });
  private readonly chunks = new Chunks(this.body);
  private readonly opened = new Set<SourceLine>(); // lines whose instructions are shown
  private source: Source | undefined;
  private hottest = 1;
  private hot: HotLine[] = []; // from the top down
  private functions: ChunkList | undefined;
  private lines: ChunkList[] = []; // of the functions whose blocks are made
  private at = -1; // the hot line one is at

  private readonly picker: FunctionPicker;

  constructor(main: HTMLElement, private readonly app: App) {
    this.picker = new FunctionPicker(main, this.body, 'Source', app, 'flat', 'the hottest');
    setViewKeys([['Next hot line', 'n'], ['Hot line before', 'N']]);
    onTheme(() => this.source && this.body.isConnected && this.draw(this.source));
  }

  close(): void {
    setViewKeys([]);
  }

  update(): void {
    void this.app.attempt(() => this.load()).then(() => {
      this.picker.update(this.source?.f);
      if (this.app.failed) replace(this.body, failure(this.app.failed, this.app.wanted));
      else this.showHottest();
    });
  }

  private async load(): Promise<void> {
    highlighter ??= await import('./highlight.ts');
    const source = await this.newest((signal) => this.app.get<Source>('source', { f: this.app.wanted }, signal));
    if (!source) return;
    this.source = source;
    this.opened.clear();
    this.draw(source);
  }

  private draw(source: Source): void {
    this.hot = source.rows.flatMap(({ lines }, f) => lines.flatMap((line, row) => (line.cum ? [{ f, row, line }] : [])));
    this.hottest = this.hot.reduce((most, { line }) => Math.max(most, Math.abs(line.cum)), 1);
    this.at = -1;
    this.chunks.clear();
    this.lines = [];
    const longest = source.rows.reduce((sum, { lines }) => sum + lines.length, 0) / Math.max(1, source.rows.length);
    this.functions = this.chunks.list(source.rows.length, HEAD_PX + longest * LINE_PX, (f) => [this.functionBlock(source, f)]);
    replace(this.body, source.rows.length ? this.functions.elements : h('p', { class: 'faint' }, 'No source was found for it; the disassembly may say more.'));
  }

  private functionBlock(source: Source, index: number): HTMLElement {
    const f = source.rows[index]!;
    const total = Math.abs(source.total) || 1;
    const number = (x: number) => `${formatValue(x, source.unit)} (${formatPercent(x, total)})`;
    const list = (this.lines[index] = this.chunks.list(f.lines.length, LINE_PX, (i) => this.lineRows(source, f, f.lines[i]!), 'div', { role: 'rowgroup', class: 'chunk' }));
    const hot = this.hot.map((x, at) => ({ ...x, at })).filter((x) => x.f === index).sort((a, b) => Math.abs(b.line.cum) - Math.abs(a.line.cum)).slice(0, 5);
    const ruler = hot.map(({ line, at }) => h('button', { type: 'button', class: 'button', onclick: () => this.goTo(at) }, `line ${line.line}: ${formatPercent(line.cum, total)}`));
    return h('article', { class: 'listing' },
      h('header', {}, h('h2', { class: 'mono' }, f.name), h('div', { class: 'faint' }, f.file), advice(f), h('div', {}, `itself ${number(f.flat)}, with callees ${number(f.cum)}`), h('div', { class: 'hot-lines' }, ruler)),
      h('div', { class: 'lines', role: 'table', 'aria-label': `Lines of ${f.name}`, 'aria-rowcount': f.lines.length + 1 },
        h('div', { role: 'rowgroup', class: 'chunk' }, h('div', { role: 'row', class: 'line line-head' }, ['Flat', 'Cum', 'Line', 'Source'].map((title) => h('span', { role: 'columnheader', class: title === 'Source' ? '' : 'number' }, title)))),
        list.elements));
  }

  private lineRows(source: Source, f: SourceFunction, line: SourceLine): HTMLElement[] {
    const value = (x: number) => (x ? formatValue(x, source.unit) : '');
    const code = h('div', { class: 'assembly', role: 'row' });
    const hasCode = line.code.length > 0;
    const show = () => {
      const isOpen = this.opened.has(line);
      if (isOpen && !code.childElementCount) replace(code, h('div', { role: 'cell' }, line.code.map((i) => this.instruction(source, i))));
      code.hidden = !isOpen;
      if (hasCode) toggle.setAttribute('aria-expanded', String(isOpen));
    };
    const toggle = h('button', { type: 'button', class: 'line-number', disabled: !hasCode, title: hasCode ? 'Show its instructions' : '', 'aria-label': `Line ${line.line}`,
      onclick: () => {
        if (!this.opened.delete(line)) this.opened.add(line);
        show();
      } }, String(line.line));
    const row = h('div', { role: 'row', class: line.cum ? 'line hot' : 'line', tabindex: line.cum ? '-1' : undefined },
      h('span', { role: 'cell', class: 'number' }, value(line.flat)), h('span', { role: 'cell', class: 'number' }, value(line.cum)), h('span', { role: 'cell' }, toggle),
      h('code', { role: 'cell' }, highlighter?.highlight(line.text, f.file) ?? line.text));
    if (line.cum) row.style.background = heat(Math.abs(line.cum) / this.hottest);
    show();
    return [row, code];
  }

  private instruction(source: Source, i: Instruction): HTMLElement[] {
    const value = (x: number) => (x ? formatValue(x, source.unit) : '');
    const calls = (i.calls ?? []).map((call) => h('div', { class: 'inlined-call', style: { 'padding-left': `calc(17rem + ${call.depth}ch)` } }, `${call.text || '…'}  ${call.file}:${call.line}`));
    return [...calls, h('div', { class: i.starts_block ? 'instruction block-start' : 'instruction' },
      h('span', { class: 'number' }, value(i.flat)), h('span', { class: 'number' }, value(i.cum)), h('span', { class: 'address' }, i.address), h('code', {}, i.text), h('span', { class: 'faint' }, i.file ? `${i.file}:${i.line}` : ''))];
  }

  private rowOf({ f, row }: HotLine): HTMLElement | undefined {
    this.functions?.row(f);
    return this.lines[f]?.row(row);
  }

  private goTo(at: number): void {
    this.at = at;
    const row = this.rowOf(this.hot[at]!);
    row?.scrollIntoView({ block: 'center' });
    row?.focus({ preventScroll: true });
  }

  // By its own weight before that of what it calls.
  private showHottest(): void {
    const weight = ({ line }: HotLine) => Math.abs(line.flat) || Math.abs(line.cum) / 1000;
    if (this.hot.length) this.rowOf(this.hot.reduce((a, b) => (weight(b) > weight(a) ? b : a)))?.scrollIntoView({ block: 'center' });
  }

  // To the hot line that many further.
  jump(step: number): void {
    if (!this.hot.length) return;
    const from = this.at < 0 && step < 0 ? 0 : this.at;
    this.goTo((from + step + this.hot.length) % this.hot.length);
  }
}

// What to do about a file that is not here.
function advice(f: SourceFunction): HTMLElement | null {
  const isLost = f.lines.length > 0 && f.lines.every((line) => line.text === '???' || line.text === '');
  if (!isLost) return null;
  const hasCode = f.lines.some((line) => line.code.length);
  return h('p', { class: 'notice' }, `This file is not on this machine. Where it is, tell pprof with -source_path=FOLDER (and -trim_path=PREFIX for what its path begins with).${hasCode ? ' The instructions are here all the same: open a line, or see Disassembly.' : ''}`);
}

let current: SourceView | undefined;
let hasActions = false;

function addOnce(app: App): void {
  if (hasActions) return;
  hasActions = true;
  const when = () => app.state.page === 'source';
  addActions(
    { title: 'Next hot line', group: 'Source', key: 'n', when, run: () => current?.jump(1) },
    { title: 'Hot line before', group: 'Source', key: 'N', when, run: () => current?.jump(-1) },
  );
}

export const sourcePage: Page = {
  name: 'source', title: 'Source', key: '5',
  open(main, app) {
    addOnce(app);
    return (current = new SourceView(main, app));
  },
};
