// ui/profile/disasm_page.ts - instructions with their weight; targets of jumps and calls lead on.
import { Chunks, type ChunkList } from '../common/chunks.ts';
import { heat } from '../common/colours.ts';
import { h, replace, type Child } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { onTheme } from '../common/theme.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Disasm } from './api.ts';
import { failure } from './failure.ts';
import { FunctionPicker } from './function_picker.ts';
import { exactly } from './names.ts';

type Routine = Disasm['rows'][number];
const LINE_PX = 19; // of a row in profile.css
const HEAD_PX = 80; // of what stands above the instructions of a routine

class DisasmView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body source', tabindex: '0', role: 'region', 'aria-label': 'Disassembly' });
  private readonly chunks = new Chunks(this.body);
  private shown: Disasm | undefined;
  private showHottest = () => {};

  private readonly picker: FunctionPicker;

  constructor(main: HTMLElement, private readonly app: App) {
    this.picker = new FunctionPicker(main, this.body, 'Disassembly', app, 'flat', 'the hottest, or an address');
    onTheme(() => this.shown && this.body.isConnected && this.draw(this.shown));
  }

  close(): void {}

  update(): void {
    void this.app.attempt(() => this.load()).then(() => {
      this.picker.update(this.shown?.f);
      if (this.app.failed) replace(this.body, failure(this.app.failed, this.app.wanted));
      else this.showHottest();
    });
  }

  private async load(): Promise<void> {
    const disasm = await this.newest((signal) => this.app.get<Disasm>('disasm', { f: this.app.wanted }, signal));
    if (!disasm) return;
    this.shown = disasm;
    this.draw(disasm);
  }

  private draw(disasm: Disasm): void {
    this.chunks.clear();
    const most = disasm.rows.reduce((sum, { lines }) => sum + lines.length, 0) / Math.max(1, disasm.rows.length);
    const routines = this.chunks.list(disasm.rows.length, HEAD_PX + most * LINE_PX, (i) => [this.routine(disasm, disasm.rows[i]!)]);
    this.showHottest = () => routines.row(hottestOf(disasm))?.querySelector('.hottest')?.scrollIntoView({ block: 'center' });
    replace(this.body, disasm.rows.length ? routines.elements : h('p', { class: 'faint' }, 'Its binary is not here, so there are no instructions to show.'));
  }

  private routine(disasm: Disasm, routine: Routine): HTMLElement {
    const total = Math.abs(disasm.total) || 1;
    const number = (x: number) => `${formatValue(x, disasm.unit)} (${formatPercent(x, total)})`;
    let most = 1;
    for (const line of routine.lines) most = Math.max(most, Math.abs(line.flat));
    const rowOf = new Map(routine.lines.map((line, i) => [BigInt(line.address), i]));
    const make = (i: number) => [this.instruction(disasm, routine, i, most, (text) => this.linked(text, rowOf, list))];
    const list: ChunkList = this.chunks.list(routine.lines.length, LINE_PX, make, 'div', { role: 'rowgroup', class: 'chunk' });
    list.row(routine.lines.findIndex((line) => line.flat && Math.abs(line.flat) === most)); // made, so that it can be scrolled to
    return h('article', { class: 'listing' },
      h('header', {}, h('h2', { class: 'mono' }, [routine.name, ...(routine.aliases ?? [])].join(', ')), h('div', {}, `from ${routine.start}; itself ${number(routine.flat)}, with callees ${number(routine.cum)}`)),
      h('div', { class: 'lines', role: 'table', 'aria-label': `Instructions of ${routine.name || routine.start}`, 'aria-rowcount': routine.lines.length }, list.elements));
  }

  private instruction(disasm: Disasm, routine: Routine, i: number, most: number, linked: (text: string) => Child[]): HTMLElement {
    const place = ({ file, line }: Routine['lines'][number]) => (file ? `${file}:${line}` : '');
    const line = routine.lines[i]!;
    const isNew = i === 0 || place(line) !== place(routine.lines[i - 1]!);
    const value = (x: number) => h('span', { role: 'cell', class: 'number' }, x ? formatValue(x, disasm.unit) : '');
    const row = h('div', { role: 'row', class: !line.flat ? 'instruction' : Math.abs(line.flat) === most ? 'instruction hot hottest' : 'instruction hot', id: `at-${line.address}`, tabindex: '-1' },
      value(line.flat), value(line.cum), h('span', { role: 'cell', class: 'address' }, line.address), h('code', { role: 'cell' }, linked(line.text)), h('span', { role: 'cell', class: 'faint' }, isNew ? place(line) : ''));
    if (line.flat) row.style.background = heat(Math.abs(line.flat) / most);
    return row;
  }

  // "37f0 <name+0x2d0>": a line of this routine, or another function.
  private linked(text: string, rowOf: ReadonlyMap<bigint, number>, list: ChunkList): Child[] {
    const match = /^(.*?)\b([0-9a-f]{2,16}) <([^>+]+)(\+0x[0-9a-f]+)?>(.*)$/.exec(text);
    if (!match) return [text];
    const [, before, address, name, , after] = match as unknown as [string, string, string, string, string | undefined, string];
    const target = rowOf.get(BigInt(`0x${address}`));
    const label = text.slice(before.length, text.length - after.length);
    const go = (event: Event) => {
      event.preventDefault();
      const row = target === undefined ? undefined : list.row(target);
      if (!row) return this.app.state.set({ fn: exactly(name) });
      row.scrollIntoView({ block: 'center' });
      row.focus({ preventScroll: true });
    };
    return [before, h('a', { href: target !== undefined ? `#at-0x${address}` : this.app.state.href('disasm', { fn: exactly(name) }), onclick: go }, label), after];
  }
}

function hottestOf(disasm: Disasm): number {
  let best = 0;
  disasm.rows.forEach((routine, i) => {
    if (Math.abs(routine.flat) > Math.abs(disasm.rows[best]!.flat)) best = i;
  });
  return best;
}

export const disasmPage: Page = { name: 'disasm', title: 'Disassembly', key: '6', open: (main, app) => new DisasmView(main, app) };
