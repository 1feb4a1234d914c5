// ui/profile/top_page.ts - every function as a row, its own weight and that of what it calls.
// Room: rows come from the server a piece at a time, in its order; nothing is cut off.
import { h, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { openMenu } from '../common/menu.ts';
import { Pieces } from '../common/pieces.ts';
import { VirtualTable } from '../common/table.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Top, TopRow } from './api.ts';
import { frameMenu } from './frame_menu.ts';
import { exactly } from './names.ts';

const PIECE = 500; // rows fetched at once: some 40 KB
interface Row extends TopRow {
  sum: number;
}

class TopView implements View {
  private unit = '';
  private total = 1;
  private order: string;
  private readonly newest = latest();
  private readonly table: VirtualTable<Row>;
  private at: Row | undefined;

  constructor(main: HTMLElement, private readonly app: App) {
    const value = (x: number) => h('span', {}, formatValue(x, this.unit));
    const share = (x: number) => h('span', {}, formatPercent(x, this.total));
    const bar = (x: number) => x / this.total;
    this.table = new VirtualTable<Row>({
      label: 'Functions',
      columns: [
        { id: 'flat', title: 'Flat', about: 'Weight of the function itself', width: '7.5rem', isNumber: true, isSortable: true, cell: (row) => value(row.flat), bar: (row) => bar(row.flat) },
        { id: 'flat%', title: 'Flat%', width: '5rem', isNumber: true, cell: (row) => share(row.flat) },
        { id: 'sum%', title: 'Sum%', about: 'Flat of this row and all above it', width: '5rem', isNumber: true, cell: (row) => share(row.sum) },
        { id: 'cum', title: 'Cum', about: 'Weight of the function and all it calls', width: '7.5rem', isNumber: true, isSortable: true, cell: (row) => value(row.cum), bar: (row) => bar(row.cum) },
        { id: 'cum%', title: 'Cum%', width: '5rem', isNumber: true, cell: (row) => share(row.cum) },
        { id: 'name', title: 'Function', width: 'minmax(16rem, 1fr)', isSortable: true, cell: (row) => [h('span', { class: 'mono', title: row.name }, row.name), row.inlined ? h('span', { class: 'badge' }, row.inlined === 'inline' ? 'inlined' : 'partly inlined') : null] },
      ],
      onSort: (id, isDescending) => this.sortBy(id, isDescending),
      onSelect: (row) => (this.at = row),
      onActivate: (row) => app.state.go('source', { fn: exactly(row.name) }),
      onMenu: (row, _i, anchor, point) => openMenu(row.name, [row.name, ...frameMenu(app, row.name)], anchor, point),
      empty: 'No function matches',
    });
    this.order = app.state.get('sort') === 'cum' ? 'cum' : 'flat';
    this.table.setSort(this.order, true);
    replace(main, h('h1', { class: 'visually-hidden' }, 'Top'), this.table.element);
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.size === 1 && changed.has('fn')) return;
    void this.app.attempt(() => this.load());
  }

  close(): void {}
  copyTarget(): string | undefined {
    return this.at?.name;
  }

  private sortBy(id: string, isDescending: boolean): void {
    // The server's own order is greatest first for weights, A first for names; "-" is the other way round.
    this.order = isDescending === (id === 'name') ? `-${id}` : id;
    void this.app.attempt(() => this.load());
  }

  private ask(off: number, signal?: AbortSignal): Promise<Top> {
    return this.app.get<Top>('top', { off: String(off), limit: String(PIECE), order: this.order, q: this.app.state.get('q') }, signal);
  }

  private async load(): Promise<void> {
    const top = await this.newest((signal) => this.ask(0, signal));
    if (!top) return;
    this.unit = top.unit;
    this.table.element.classList.toggle('is-diff', this.app.summary?.is_diff ?? false);
    this.total = Math.abs(top.total) || 1;
    this.table.setSource(new Pieces(withSums(top), top.n, PIECE, async (off) => withSums(await this.ask(off)), () => this.table.refresh()));
  }
}

function withSums(top: Top): Row[] {
  let sum = top.flat_before;
  return top.rows.map((row) => ({ ...row, sum: (sum += row.flat) }));
}

export const topPage: Page = { name: 'top', title: 'Top', key: '2', open: (main, app) => new TopView(main, app) };
