// ui/profile/function_picker.ts - which function a page is about: a field, and a list of functions by weight beside it.
// Room: shared by peek, source and disassembly. The list is the head of /api/top; the search narrows it.
import { debounced, h, redraw, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { arraySource, VirtualTable } from '../common/table.ts';
import { formatPercent } from '../common/units.ts';
import type { App } from './app.ts';
import type { Top, TopRow } from './api.ts';
import { exactly, withoutPath } from './names.ts';

const LISTED = 500; // functions in the list; the search finds the others
const SETTLE_MS = 180; // walking by keys shows the function where one stops

export class FunctionPicker {
  private readonly newest = latest();
  private readonly field = h('div', {});
  private readonly table: VirtualTable<TopRow>;
  private total = 1;
  private rows: TopRow[] = [];
  private asked = '';
  private shown = '';

  // order: which weight the list goes by. about: what an empty field gives.
  constructor(
    main: HTMLElement,
    body: HTMLElement,
    title: string,
    private readonly app: App,
    private readonly order: 'flat' | 'cum',
    private readonly about: string,
  ) {
    const choose = debounced(SETTLE_MS, (row: TopRow) => app.state.set({ fn: exactly(row.name) }));
    this.table = new VirtualTable<TopRow>({
      label: 'Functions by weight',
      columns: [
        { id: 'share', title: order === 'flat' ? 'Flat%' : 'Cum%', width: '4.5rem', isNumber: true, cell: (row) => h('span', {}, formatPercent(row[order], this.total)), bar: (row) => row[order] / this.total },
        { id: 'name', title: 'Function', width: 'minmax(0, 1fr)', cell: (row) => h('span', { class: 'mono', title: row.name }, withoutPath(row.name)) },
      ],
      onSelect: (row, i) => {
        if (i >= 0 && exactly(row.name) !== app.state.get('fn')) choose(row);
      },
      empty: 'No function matches',
    });
    replace(main, h('h1', { class: 'visually-hidden' }, title), this.field, h('div', { class: 'with-list' }, h('div', { class: 'function-list' }, this.table.element), body));
  }

  // shown: the expression that the page's answer is of, where none was asked for.
  update(shown = ''): void {
    const { app } = this;
    this.shown = app.wanted || shown;
    const isBad = app.failed !== undefined && ['f', 'fn'].includes(app.failed.option);
    const input = h('input', { type: 'text', class: 'mono', id: 'function-picker', value: app.wanted, placeholder: this.about, spellcheck: 'false', autocomplete: 'off', 'aria-invalid': isBad ? 'true' : undefined });
    const submit = (event: Event) => {
      event.preventDefault();
      app.state.set({ fn: input.value.trim() });
    };
    redraw(this.field, h('form', { class: 'picker', onsubmit: submit }, h('label', { for: 'function-picker' }, 'Functions matching'), input, h('button', { type: 'submit', class: 'button' }, 'Show')));
    void this.list().catch(() => undefined); // the page itself says what is wrong
  }

  private async list(): Promise<void> {
    const more = { order: this.order, limit: String(LISTED), q: this.app.state.get('q'), f: '' };
    const key = JSON.stringify(this.app.query(more));
    if (key === this.asked) return this.table.mark(this.rows.findIndex((row) => exactly(row.name) === this.shown));
    this.asked = key;
    const top = await this.newest((signal) => this.app.get<Top>('top', more, signal));
    if (!top) return;
    this.total = Math.abs(top.total) || 1;
    this.rows = top.rows;
    this.table.setSource(arraySource(top.rows), top.rows.findIndex((row) => exactly(row.name) === this.shown));
  }
}
