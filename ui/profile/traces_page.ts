// ui/profile/traces_page.ts - every stack of the view with its weight and labels: searched, sorted and cut by the server.
import { h, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { openMenu } from '../common/menu.ts';
import { Pieces } from '../common/pieces.ts';
import { arraySource, VirtualTable } from '../common/table.ts';
import { formatCount, formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Stack, Traces } from './api.ts';
import { frameMenu } from './frame_menu.ts';

const PIECE = 200;

class TracesView implements View {
  readonly toolbar = h('div', { class: 'toolbar faint', role: 'status' });
  private readonly newest = latest();
  private order = 'value';
  private unit = '';
  private total = 1;
  private labelUnits: Record<string, string> = {};
  private readonly table: VirtualTable<Stack>;
  private readonly frames: VirtualTable<{ name: string; inlined: boolean; depth: number }>;
  private readonly about = h('div', { class: 'stack-about' }, 'Choose a stack');

  constructor(main: HTMLElement, private readonly app: App) {
    this.table = new VirtualTable<Stack>({
      label: 'Stacks',
      columns: [
        { id: 'value', title: 'Value', width: '7.5rem', isNumber: true, isSortable: true, cell: (row) => h('span', {}, formatValue(row.value, this.unit)), bar: (row) => row.value / this.total },
        { id: 'share', title: '%', width: '4.5rem', isNumber: true, cell: (row) => formatPercent(row.value, this.total) },
        { id: 'leaf', title: 'Leaf', width: 'minmax(10rem, 1fr)', isSortable: true, cell: (row) => h('span', { class: 'mono', title: row.frames[0]?.name }, row.frames[0]?.name ?? '') },
        { id: 'depth', title: 'Frames', width: '5.5rem', isNumber: true, isSortable: true, cell: (row) => row.frames.length },
        { id: 'labels', title: 'Labels', width: 'minmax(0, 0.6fr)', cell: (row) => h('span', { class: 'faint' }, this.labelsOf(row).join(' ')) },
      ],
      onSort: (id, isDescending) => this.sortBy(id, isDescending),
      onSelect: (row) => this.show(row),
      onMenu: (row, _i, anchor, point) => row.frames[0] && openMenu(row.frames[0].name, [row.frames[0].name, ...frameMenu(app, row.frames[0].name)], anchor, point),
      empty: 'No stack is left by the filters and the search',
    });
    this.table.setSort('value', true);
    this.frames = new VirtualTable({
      label: 'Frames',
      columns: [
        { id: 'depth', title: '#', width: '3.5rem', isNumber: true, cell: (row) => row.depth },
        { id: 'name', title: 'Frame, leaf first', width: 'minmax(0, 1fr)', cell: (row) => [h('span', { class: 'mono', title: row.name }, row.name), row.inlined ? h('span', { class: 'badge' }, 'inlined') : null] },
      ],
      onMenu: (row, _i, anchor, point) => openMenu(row.name, [row.name, ...frameMenu(app, row.name)], anchor, point),
      empty: 'Choose a stack',
    });
    replace(main, h('h1', { class: 'visually-hidden' }, 'Traces'), h('div', { class: 'split' }, this.table.element, h('div', { class: 'split-side' }, this.about, this.frames.element)));
  }

  close(): void {}

  update(changed: ReadonlySet<string>): void {
    if (changed.size === 1 && changed.has('fn')) return;
    void this.app.attempt(() => this.load());
  }

  private sortBy(id: string, isDescending: boolean): void {
    // The server's own order is the largest first, of names A; "-" is the other way round.
    this.order = isDescending === (id === 'leaf') ? `-${id}` : id;
    void this.app.attempt(() => this.load());
  }

  private ask(off: number, signal?: AbortSignal): Promise<Traces> {
    return this.app.get<Traces>('traces', { off: String(off), limit: String(PIECE), order: this.order, q: this.app.state.get('q') }, signal);
  }

  private async load(): Promise<void> {
    const traces = await this.newest((signal) => this.ask(0, signal));
    if (!traces) return;
    this.unit = traces.unit;
    this.total = Math.abs(traces.total) || 1;
    this.labelUnits = traces.label_units;
    replace(this.toolbar, `${formatCount(traces.n)} ${traces.n === 1 ? 'stack' : 'stacks'}${this.app.state.get('q') ? ' with such a frame or label' : ''}`);
    this.table.setSource(new Pieces(traces.rows, traces.n, PIECE, async (off) => (await this.ask(off)).rows, () => this.table.refresh()));
    replace(this.about, 'Choose a stack');
    this.frames.setSource(arraySource<{ name: string; inlined: boolean; depth: number }>([]));
    if (traces.rows[0]) this.show(traces.rows[0]);
  }

  private labelsOf(stack: Stack): string[] {
    return Object.entries(stack.labels).flatMap(([key, values]) => values.map((value) => `${key}=${typeof value === 'number' ? formatValue(value, this.labelUnits[key] ?? '') : value}`));
  }

  private show(stack: Stack): void {
    replace(this.about, h('b', {}, formatValue(stack.value, this.unit)), ` ${formatPercent(stack.value, this.total)}`, this.labelsOf(stack).map((label) => h('span', { class: 'badge' }, label)));
    this.frames.setSource(arraySource(stack.frames.map((frame, i) => ({ ...frame, depth: i }))));
  }
}

export const tracesPage: Page = { name: 'traces', title: 'Traces', key: '8', open: (main, app) => new TracesView(main, app) };
