// ui/profile/traces_page.ts - every stack of the view with its weight and labels; fetched a piece at a time.
import { h, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { openMenu } from '../common/menu.ts';
import { arraySource, VirtualTable } from '../common/table.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Stack, Traces } from './api.ts';
import { frameMenu } from './frame_menu.ts';

const PIECE = 200;

class TracesView implements View {
  private readonly newest = latest();
  private rows: (Stack | undefined)[] = [];
  private asked = new Set<number>();
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
        { id: 'value', title: 'Value', width: '7.5rem', isNumber: true, cell: (row) => h('span', {}, formatValue(row.value, this.unit)), bar: (row) => row.value / this.total },
        { id: 'share', title: '%', width: '4.5rem', isNumber: true, cell: (row) => formatPercent(row.value, this.total) },
        { id: 'leaf', title: 'Leaf', width: 'minmax(10rem, 1fr)', cell: (row) => h('span', { class: 'mono' }, row.frames[0]?.name ?? '') },
        { id: 'depth', title: 'Frames', width: '5rem', isNumber: true, cell: (row) => row.frames.length },
        { id: 'labels', title: 'Labels', width: 'minmax(0, 0.6fr)', cell: (row) => h('span', { class: 'faint' }, this.labelsOf(row).join(' ')) },
      ],
      onSelect: (row) => this.show(row),
      empty: 'No stack is left by the filters',
    });
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

  update(): void {
    void this.app.attempt(() => this.load());
  }

  private ask(off: number, signal: AbortSignal): Promise<Traces> {
    return this.app.get<Traces>('traces', { off: String(off), limit: String(PIECE) }, signal);
  }

  private async load(): Promise<void> {
    const traces = await this.newest((signal) => this.ask(0, signal));
    if (!traces) return;
    this.unit = traces.unit;
    this.total = Math.abs(traces.total) || 1;
    this.rows = new Array<Stack | undefined>(traces.n);
    this.asked = new Set([0]);
    traces.rows.forEach((stack, i) => (this.rows[i] = stack));
    this.labelUnits = traces.label_units;
    this.table.setSource({ count: traces.n, row: (i) => this.rows[i], want: (from, to) => this.want(from, to) });
    this.frames.setSource(arraySource<{ name: string; inlined: boolean; depth: number }>([]));
    if (this.rows[0]) this.show(this.rows[0]);
  }

  private want(from: number, to: number): void {
    for (let piece = Math.floor(from / PIECE); piece * PIECE < to; piece++) {
      if (this.asked.has(piece)) continue;
      this.asked.add(piece);
      const { rows } = this;
      void this.ask(piece * PIECE, new AbortController().signal).then((traces) => {
        if (rows !== this.rows) return;
        traces.rows.forEach((stack, i) => (rows[traces.off + i] = stack));
        this.table.refresh();
      });
    }
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
