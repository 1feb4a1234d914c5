// ui/common/table.ts - tables of any length: only the rows in sight are elements.
// Room: rows of one height, sorting by a click on a heading, a current row moved by keys. Rows may come late: a source
// that lacks one is told which are wanted and calls refresh() when they are there.
import { append, clamp, h, replace, type Child } from './dom.ts';

export interface Column<R> {
  id: string;
  title: string;
  about?: string; // what the column means, on hover
  width: string; // a CSS grid track: "6rem", "minmax(0, 1fr)"
  isNumber?: boolean; // aligned right, sorted from the greatest
  isSortable?: boolean;
  cell(row: R): Child;
  bar?(row: R): number; // 0 to 1: drawn behind the cell
}

export interface TableSource<R> {
  count: number;
  row(i: number): R | undefined;
  want?(from: number, to: number): void;
}

export interface TableOptions<R> {
  label: string;
  columns: Column<R>[];
  onSort?(id: string, isDescending: boolean): void;
  onSelect?(row: R, i: number): void;
  onActivate?(row: R, i: number): void; // Enter or double click
  onMenu?(row: R, i: number, anchor: HTMLElement, point: { x: number; y: number }): void;
  empty?: string; // what an empty table says
}

const ROW_HEIGHT = 24;
const OVERSCAN = 8; // rows made beyond both edges, so that scrolling shows no holes

export class VirtualTable<R> {
  readonly element: HTMLElement;
  private source: TableSource<R> = { count: 0, row: () => undefined };
  private readonly head: HTMLElement;
  private readonly body: HTMLElement;
  private sortId = '';
  private isDescending = true;
  private current = -1;
  private waiting = false;

  constructor(private readonly options: TableOptions<R>) {
    const tracks = options.columns.map((column) => column.width).join(' ');
    this.head = h('div', { role: 'row', class: 'table-row table-head' });
    this.body = h('div', { role: 'rowgroup', class: 'table-body' });
    this.element = h(
      'div',
      { class: 'table', role: 'grid', tabindex: '0', 'aria-label': options.label, 'aria-colcount': options.columns.length, style: { '--tracks': tracks } },
      h('div', { role: 'rowgroup', class: 'table-head-group' }, this.head),
      this.body,
    );
    this.element.addEventListener('scroll', () => this.refresh());
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.element.addEventListener('focus', () => {
      if (this.current < 0 && this.source.count) this.current = 0; // to start from; nothing is chosen yet
      this.markCurrent();
    });
    new ResizeObserver(() => this.refresh()).observe(this.element);
    this.drawHead();
  }

  setSource(source: TableSource<R>, current = -1): void {
    this.source = source;
    this.current = current;
    this.element.scrollTop = current > 0 ? Math.max(0, current * ROW_HEIGHT - this.element.clientHeight / 2) : 0;
    this.drawRows();
  }

  setSort(id: string, isDescending: boolean): void {
    this.sortId = id;
    this.isDescending = isDescending;
    this.drawHead();
  }

  refresh(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawRows();
    });
  }

  private drawHead(): void {
    replace(this.head, this.options.columns.map((column) => this.headCell(column)));
  }

  private headCell(column: Column<R>): HTMLElement {
    const isSorted = column.id === this.sortId;
    const sort = isSorted ? (this.isDescending ? 'descending' : 'ascending') : undefined;
    const sortNow = () => {
      const next = isSorted ? !this.isDescending : column.isNumber === true;
      this.setSort(column.id, next);
      this.options.onSort?.(column.id, next);
    };
    return h(
      'div',
      { role: 'columnheader', class: column.isNumber ? 'cell number' : 'cell', 'aria-sort': sort, title: column.about },
      column.isSortable ? h('button', { type: 'button', class: 'sort', onclick: sortNow }, column.title, h('span', { class: 'arrow' })) : column.title,
    );
  }

  private drawRows(): void {
    const count = this.source.count;
    this.body.style.height = `${Math.max(1, count) * ROW_HEIGHT}px`;
    this.element.setAttribute('aria-rowcount', String(count + 1));
    const from = clamp(Math.floor(this.element.scrollTop / ROW_HEIGHT) - OVERSCAN, 0, count);
    const to = clamp(Math.ceil((this.element.scrollTop + this.element.clientHeight) / ROW_HEIGHT) + OVERSCAN, 0, count);
    this.source.want?.(from, to);
    const rows: HTMLElement[] = [];
    for (let i = from; i < to; i++) rows.push(this.rowElement(i));
    replace(this.body, rows.length ? rows : this.emptyRow());
    this.markCurrent();
  }

  private emptyRow(): HTMLElement {
    return h('div', { role: 'row', class: 'table-row empty' }, h('div', { role: 'gridcell', class: 'cell' }, this.options.empty ?? 'Nothing here'));
  }

  private rowElement(i: number): HTMLElement {
    const row = this.source.row(i);
    const el = h('div', { role: 'row', class: 'table-row', id: `${this.rowPrefix()}${i}`, 'aria-rowindex': i + 2, style: { top: `${i * ROW_HEIGHT}px` } });
    if (row === undefined) {
      el.appendChild(h('div', { role: 'gridcell', class: 'cell faint' }, '…'));
      return el;
    }
    append(el, this.options.columns.map((column) => this.cellElement(column, row)));
    el.addEventListener('click', () => this.select(i));
    el.addEventListener('dblclick', () => this.options.onActivate?.(row, i));
    el.addEventListener('contextmenu', (event) => {
      if (!this.options.onMenu) return;
      event.preventDefault();
      this.select(i);
      this.options.onMenu(row, i, this.element, { x: event.clientX, y: event.clientY });
    });
    return el;
  }

  private cellElement(column: Column<R>, row: R): HTMLElement {
    const cell = h('div', { role: 'gridcell', class: column.isNumber ? 'cell number' : 'cell' });
    const share = column.bar?.(row);
    if (share !== undefined) cell.appendChild(h('span', { class: share < 0 ? 'bar less' : 'bar', style: { width: `${clamp(Math.abs(share) * 100, 0, 100)}%` } }));
    append(cell, [column.cell(row)]);
    return cell;
  }

  private rowPrefix(): string {
    return `row-${this.options.label.replace(/\W+/g, '-')}-`;
  }

  private markCurrent(): void {
    for (const el of this.body.querySelectorAll('[aria-selected]')) el.removeAttribute('aria-selected');
    const id = `${this.rowPrefix()}${this.current}`;
    const el = this.body.querySelector(`[id="${id}"]`);
    el?.setAttribute('aria-selected', 'true');
    if (el) this.element.setAttribute('aria-activedescendant', id);
    else this.element.removeAttribute('aria-activedescendant');
  }

  // Shows a row as the current one, without choosing it; -1: none.
  mark(i: number): void {
    this.current = i;
    if (i >= 0) this.reveal(i);
    this.markCurrent();
  }

  private reveal(i: number): void {
    const top = i * ROW_HEIGHT;
    const view = this.element;
    const inner = view.clientHeight - ROW_HEIGHT; // the heading covers one row
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + ROW_HEIGHT > view.scrollTop + inner) view.scrollTop = top + ROW_HEIGHT - inner;
  }

  select(i: number): void {
    this.current = clamp(i, 0, this.source.count - 1);
    this.reveal(this.current);
    if (this.body.querySelector(`[id="${this.rowPrefix()}${this.current}"]`)) this.markCurrent();
    else this.drawRows();
    const row = this.source.row(this.current);
    if (row !== undefined) this.options.onSelect?.(row, this.current);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
    const steps: Record<string, number> = {
      ArrowDown: this.current + 1, ArrowUp: this.current - 1, PageDown: this.current + page, PageUp: this.current - page, Home: 0, End: this.source.count - 1,
    };
    const to = steps[event.key];
    const row = this.source.row(this.current);
    if (to !== undefined) this.select(to);
    else if (event.key === 'Enter' && row !== undefined) this.options.onActivate?.(row, this.current);
    else if ((event.key === 'ContextMenu' || event.key === 'm' || (event.shiftKey && event.key === 'F10')) && row !== undefined) this.menuAtRow(row);
    else return;
    event.preventDefault();
  }

  private menuAtRow(row: R): void {
    const el = this.body.querySelector('[aria-selected]') ?? this.element;
    const box = el.getBoundingClientRect();
    this.options.onMenu?.(row, this.current, this.element, { x: box.left + 40, y: box.bottom });
  }
}

// A source over rows that are all here.
export function arraySource<R>(rows: R[]): TableSource<R> {
  return { count: rows.length, row: (i) => rows[i] };
}
