// ui/profile/disasm_page.ts - instructions with their weight; targets of jumps and calls lead on.
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
const MAX_LINES = 20_000; // instructions made as elements; the rest of a routine says how much it is

class DisasmView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body source', tabindex: '0', role: 'region', 'aria-label': 'Disassembly' });
  private shown: Disasm | undefined;

  private readonly picker: FunctionPicker;

  constructor(main: HTMLElement, private readonly app: App) {
    this.picker = new FunctionPicker(main, this.body, 'Disassembly', app, 'flat', 'the hottest, or an address');
    onTheme(() => this.shown && this.body.isConnected && this.draw(this.shown));
  }

  close(): void {}

  update(): void {
    void this.app.attempt(() => this.load()).then(() => {
      this.picker.update();
      if (this.app.failed) replace(this.body, failure(this.app.failed, this.app.wanted));
      else this.body.querySelector('.hottest')?.scrollIntoView({ block: 'center' });
    });
  }

  private async load(): Promise<void> {
    const disasm = await this.newest((signal) => this.app.get<Disasm>('disasm', { f: this.app.wanted }, signal));
    if (!disasm) return;
    this.shown = disasm;
    this.draw(disasm);
  }

  private draw(disasm: Disasm): void {
    replace(this.body, disasm.rows.length ? disasm.rows.map((routine) => this.routine(disasm, routine)) : h('p', { class: 'faint' }, 'Its binary is not here, so there are no instructions to show.'));
  }

  private routine(disasm: Disasm, routine: Routine): HTMLElement {
    const total = Math.abs(disasm.total) || 1;
    const number = (x: number) => `${formatValue(x, disasm.unit)} (${formatPercent(x, total)})`;
    const hottest = Math.max(1, ...routine.lines.map((line) => Math.abs(line.flat)));
    const known = new Map(routine.lines.map((line) => [BigInt(line.address), line.address]));
    let place = '';
    const rows = routine.lines.slice(0, MAX_LINES).map((line) => {
      const here = line.file ? `${line.file}:${line.line}` : '';
      const isNew = here !== place;
      place = here;
      const row = h('div', { role: 'row', class: Math.abs(line.flat) === hottest && line.flat ? 'instruction hottest' : 'instruction', id: `at-${line.address}`, tabindex: '-1' },
        h('span', { role: 'cell', class: 'number' }, line.flat ? formatValue(line.flat, disasm.unit) : ''), h('span', { role: 'cell', class: 'number' }, line.cum ? formatValue(line.cum, disasm.unit) : ''),
        h('span', { role: 'cell', class: 'address' }, line.address), h('code', { role: 'cell' }, this.linked(line.text, known)), h('span', { role: 'cell', class: 'faint' }, isNew ? here : ''));
      if (line.flat) row.classList.add('hot');
      if (line.flat) row.style.background = heat(Math.abs(line.flat) / hottest);
      return row;
    });
    const more = routine.lines.length - rows.length;
    return h('article', { class: 'listing' },
      h('header', {}, h('h2', { class: 'mono' }, [routine.name, ...(routine.aliases ?? [])].join(', ')), h('div', {}, `from ${routine.start}; itself ${number(routine.flat)}, with callees ${number(routine.cum)}`)),
      h('div', { class: 'lines', role: 'table', 'aria-label': `Instructions of ${routine.name || routine.start}` }, rows), more > 0 ? h('p', { class: 'faint' }, `${more} more instructions`) : null);
  }

  // "37f0 <name+0x2d0>": a line of this routine, or another function.
  private linked(text: string, known: ReadonlyMap<bigint, string>): Child[] {
    const match = /^(.*?)\b([0-9a-f]{2,16}) <([^>+]+)(\+0x[0-9a-f]+)?>(.*)$/.exec(text);
    if (!match) return [text];
    const [, before, address, name, , after] = match as unknown as [string, string, string, string, string | undefined, string];
    const target = known.get(BigInt(`0x${address}`));
    const label = text.slice(before.length, text.length - after.length);
    const go = (event: Event) => {
      event.preventDefault();
      const row = target && document.getElementById(`at-${target}`);
      if (!row) return this.app.state.set({ fn: exactly(name) });
      row.scrollIntoView({ block: 'center' });
      row.focus({ preventScroll: true });
    };
    return [before, h('a', { href: target ? `#at-${target}` : this.app.state.href('disasm', { fn: exactly(name) }), onclick: go }, label), after];
  }
}

export const disasmPage: Page = { name: 'disasm', title: 'Disassembly', key: '6', open: (main, app) => new DisasmView(main, app) };
