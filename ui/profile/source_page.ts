// ui/profile/source_page.ts - source with the weight of each line; a line opens to the instructions made from it.
// Room: laying out what /api/source gives; colouring words is highlight.ts, loaded with the first source.
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

class SourceView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body source', tabindex: '0', role: 'region', 'aria-label': 'Source' });
  private source: Source | undefined;
  private hottest = 1;

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
      this.picker.update();
      if (this.app.failed) replace(this.body, failure(this.app.failed, this.app.wanted));
      else this.jump(0, true);
    });
  }

  private async load(): Promise<void> {
    highlighter ??= await import('./highlight.ts');
    const source = await this.newest((signal) => this.app.get<Source>('source', { f: this.app.wanted }, signal));
    if (!source) return;
    this.source = source;
    this.draw(source);
  }

  private draw(source: Source): void {
    this.hottest = Math.max(1, ...source.rows.flatMap((f) => f.lines.map((line) => Math.abs(line.cum))));
    replace(this.body, source.rows.length ? source.rows.map((f) => this.functionBlock(source, f)) : h('p', { class: 'faint' }, 'No source was found for it; the disassembly may say more.'));
  }

  private functionBlock(source: Source, f: SourceFunction): HTMLElement {
    const total = Math.abs(source.total) || 1;
    const number = (x: number) => `${formatValue(x, source.unit)} (${formatPercent(x, total)})`;
    const hot = [...f.lines].filter((line) => line.cum).sort((a, b) => Math.abs(b.cum) - Math.abs(a.cum)).slice(0, 5);
    const ruler = hot.map((line) => h('button', { type: 'button', class: 'button', onclick: () => this.show(`${f.name}:${line.line}`) }, `line ${line.line}: ${formatPercent(line.cum, total)}`));
    const isLost = f.lines.length > 0 && f.lines.every((line) => line.text === '???' || line.text === '');
    const advice = isLost ? h('p', { class: 'notice' }, 'This file is not on this machine. Where it is, tell pprof with -source_path=FOLDER (and -trim_path=PREFIX for what its path begins with). The instructions are here all the same: open a line, or see Disassembly.') : null;
    return h('article', { class: 'listing' },
      h('header', {}, h('h2', { class: 'mono' }, f.name), h('div', { class: 'faint' }, f.file), advice, h('div', {}, `itself ${number(f.flat)}, with callees ${number(f.cum)}`), h('div', { class: 'hot-lines' }, ruler)),
      h('div', { class: 'lines', role: 'table', 'aria-label': `Lines of ${f.name}` },
        h('div', { role: 'row', class: 'line line-head' }, ['Flat', 'Cum', 'Line', 'Source'].map((title) => h('span', { role: 'columnheader', class: title === 'Source' ? '' : 'number' }, title))),
        f.lines.map((line) => this.lineRows(source, f, line))));
  }

  private lineRows(source: Source, f: SourceFunction, line: SourceLine): HTMLElement[] {
    const value = (x: number) => (x ? formatValue(x, source.unit) : '');
    const code = h('div', { class: 'assembly', role: 'row', hidden: true });
    const hasCode = line.code.length > 0;
    const share = Math.abs(line.cum) / this.hottest;
    const toggle = h('button', { type: 'button', class: 'line-number', disabled: !hasCode, 'aria-expanded': hasCode ? 'false' : undefined, title: hasCode ? 'Show its instructions' : '', 'aria-label': `Line ${line.line}`,
      onclick: () => {
        if (!code.childElementCount) replace(code, h('div', { role: 'cell' }, line.code.map((i) => this.instruction(source, i))));
        code.hidden = !code.hidden;
        toggle.setAttribute('aria-expanded', String(!code.hidden));
      } }, String(line.line));
    const row = h('div', { role: 'row', class: line.cum ? 'line hot' : 'line', data: { at: `${f.name}:${line.line}` }, tabindex: line.cum ? '-1' : undefined },
      h('span', { role: 'cell', class: 'number' }, value(line.flat)), h('span', { role: 'cell', class: 'number' }, value(line.cum)), h('span', { role: 'cell' }, toggle),
      h('code', { role: 'cell' }, highlighter?.highlight(line.text, f.file) ?? line.text));
    if (line.cum) row.style.background = heat(share);
    return [row, code];
  }

  private instruction(source: Source, i: Instruction): HTMLElement[] {
    const value = (x: number) => (x ? formatValue(x, source.unit) : '');
    const calls = (i.calls ?? []).map((call) => h('div', { class: 'inlined-call', style: { 'padding-left': `calc(17rem + ${call.depth}ch)` } }, `${call.text || '…'}  ${call.file}:${call.line}`));
    return [...calls, h('div', { class: i.starts_block ? 'instruction block-start' : 'instruction' },
      h('span', { class: 'number' }, value(i.flat)), h('span', { class: 'number' }, value(i.cum)), h('span', { class: 'address' }, i.address), h('code', {}, i.text), h('span', { class: 'faint' }, i.file ? `${i.file}:${i.line}` : ''))];
  }

  private show(at: string): void {
    const row = this.body.querySelector<HTMLElement>(`[data-at="${CSS.escape(at)}"]`);
    row?.scrollIntoView({ block: 'center' });
    row?.focus({ preventScroll: true });
  }

  // To the hot line that many further; the hottest of all when the page opens.
  jump(step: number, isFirst = false): void {
    const rows = [...this.body.querySelectorAll<HTMLElement>('.line.hot')];
    if (!rows.length) return;
    if (isFirst) {
      const lines = this.source!.rows.flatMap((f) => f.lines.map((line) => ({ at: `${f.name}:${line.line}`, cum: Math.abs(line.flat) || Math.abs(line.cum) / 1000 })));
      const best = lines.reduce((a, b) => (b.cum > a.cum ? b : a));
      this.body.querySelector(`[data-at="${CSS.escape(best.at)}"]`)?.scrollIntoView({ block: 'center' });
      return;
    }
    const now = rows.indexOf(document.activeElement as HTMLElement);
    const next = rows[(now + step + rows.length) % rows.length]!;
    next.scrollIntoView({ block: 'center' });
    next.focus({ preventScroll: true });
  }
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
