// ui/trace/timeline.ts - the timeline: what is in view, and the data for it.
// Room: the model. Drawing is timeline_draw.ts, the mouse timeline_input.ts, what a click tells drawer.ts.
import { Surface } from '../common/canvas.ts';
import { clamp, debounced, h } from '../common/dom.ts';
import { Mirror } from '../common/mirror.ts';
import { formatCount } from '../common/units.ts';
import { ask, type Counters, type Flow, type Flows, type Kind, type Overlay, type Span, type Summary } from './api.ts';
import { drawTimeline } from './timeline_draw.ts';
import { RowSource } from './rows.ts';
import { CELLS, TileStore, type Tile } from './tiles.ts';
import { clampRange, lengthText, zoomRange, type TimeRange } from './time.ts';

export const GUTTER = 220; // pixels of lane names
export const ROW = 32;
export const RULER = 22;
export const BAND = 16; // collections and stopped worlds
export const CHART = 44; // a counter

export interface Box { t0: number; t1: number; lanes: number[] } // no lanes: all

export interface Events {
  onView(): void; // the range or the rows changed
  onCut(): void; // more or less is left out
  onSpan(lane: number, time: number): void;
  onBox(box: Box | undefined): void;
  onError(error: unknown): void;
}

// "5,000 of 63,012 CPU samples drawn": of lists that the server cut, the first in time are drawn.
function cutText(overlay: Overlay, flows: Flows | undefined): string {
  const lists: [string, number, number | undefined][] = [
    ['regions', overlay.regions.length, overlay.more_regions], ['collections and sweeps', overlay.ranges.length, overlay.more_ranges],
    ['CPU samples', overlay.samples.length, overlay.more_samples], ['logs', overlay.logs.length, overlay.more_logs], ['arrows', flows?.flows.length ?? 0, flows?.more],
  ];
  const parts = lists.filter(([, , more]) => more).map(([name, n, more]) => `${formatCount(n)} of ${formatCount(n + more!)}${name === 'arrows' && flows?.is_least ? ' or more' : ''} ${name}`);
  return parts.length ? `${parts.join(', ')} drawn` : '';
}

export class Timeline {
  readonly element: HTMLElement;
  readonly surface: Surface;
  readonly rows: RowSource;
  readonly tiles: TileStore;
  readonly mirror: Mirror;
  range: TimeRange;
  kind: Kind = 'goroutine';
  scroll = 0; // pixels above the first row in view
  box: Box | undefined;
  drag: Box | undefined; // a box being drawn
  span: Span | undefined; // the one that is told of
  current = 0; // the row that keys act on
  overlay: Overlay = { regions: [], ranges: [], samples: [], logs: [] };
  counters: Counters | undefined;
  flows: Flow[] = [];
  showsFlows = false;
  cut = ''; // what is not drawn of what lies in view
  hover: { x: number; y: number } | undefined;

  constructor(readonly summary: Summary, readonly events: Events) {
    this.range = { t0: 0, t1: summary.end };
    const box = h('div', { class: 'timeline-box' });
    this.mirror = new Mirror('Lanes', 'lane', () => undefined);
    this.element = h('div', { class: 'timeline' }, box);
    this.rows = new RowSource(() => this.changed(), events.onError);
    this.tiles = new TileStore(() => this.surface.invalidate());
    this.surface = new Surface(box, (ctx) => drawTimeline(this, ctx), () => this.resized());
    box.appendChild(this.mirror.element);
  }

  // Where the rows begin.
  get top(): number {
    return RULER + BAND + CHART * this.charts.length;
  }

  get charts(): ('heap' | 'goroutines')[] {
    const has = this.counters;
    return [...(has?.heap ? (['heap'] as const) : []), ...(has?.running || has?.waiting ? (['goroutines'] as const) : [])];
  }

  get width(): number {
    return Math.max(1, this.surface.width - GUTTER);
  }

  get nsPerPx(): number {
    return (this.range.t1 - this.range.t0) / this.width;
  }

  xOf(time: number): number {
    return GUTTER + (time - this.range.t0) / this.nsPerPx;
  }

  timeAt(x: number): number {
    return this.range.t0 + (x - GUTTER) * this.nsPerPx;
  }

  yOf(row: number): number {
    return this.top + row * ROW - this.scroll;
  }

  rowAt(y: number): number {
    return y < this.top ? -1 : Math.floor((y - this.top + this.scroll) / ROW);
  }

  get firstRow(): number {
    return Math.floor(this.scroll / ROW);
  }

  get lastRow(): number {
    return Math.min(this.rows.total, Math.ceil((this.scroll + this.surface.height - this.top) / ROW)) - 1;
  }

  // The lanes in view that are known.
  visibleLanes(): number[] {
    const lanes: number[] = [];
    for (let i = this.firstRow; i <= this.lastRow; i++) {
      const row = this.rows.row(i);
      if (row && !row.task) lanes.push(row.lane);
    }
    return lanes;
  }

  get level(): number {
    return clamp(Math.floor(Math.log2(Math.max(1, this.nsPerPx))), 0, 44);
  }

  tileAt(lane: number, index: number): Tile | undefined {
    return this.tiles.get(this.kind, lane, this.level, index);
  }

  tileRange(): [number, number] {
    const length = CELLS * 2 ** this.level;
    return [Math.floor(this.range.t0 / length), Math.floor(Math.min(this.range.t1, this.summary.end - 1) / length)];
  }

  setRange(range: TimeRange): void {
    this.range = clampRange(range, this.summary.end);
    this.changed();
  }

  zoom(factor: number, at = (this.range.t0 + this.range.t1) / 2): void {
    this.setRange(zoomRange(this.range, at, factor, this.summary.end));
  }

  pan(share: number): void {
    const by = (this.range.t1 - this.range.t0) * share;
    this.setRange({ t0: this.range.t0 + by, t1: this.range.t1 + by });
  }

  scrollTo(pixels: number): void {
    const most = Math.max(0, this.rows.total * ROW - (this.surface.height - this.top));
    this.scroll = clamp(pixels, 0, most);
    this.changed();
  }

  showRow(row: number): void {
    const room = this.surface.height - this.top;
    if (row * ROW < this.scroll) this.scrollTo(row * ROW);
    else if ((row + 1) * ROW > this.scroll + room) this.scrollTo((row + 1) * ROW - room / 2);
    else this.changed();
  }

  setRows(kind: Kind, sort: string, filter: string, inView: boolean): void {
    this.kind = kind;
    const during = inView ? { t0: Math.floor(this.range.t0), t1: Math.ceil(this.range.t1) } : undefined;
    if (!this.rows.set(kind, sort, filter, during)) return;
    this.scroll = 0;
    this.current = 0;
    this.overlay = { ...this.overlay, regions: [], samples: [], logs: [] };
    this.flows = [];
    this.changed();
  }

  setBox(box: Box | undefined): void {
    this.box = box;
    this.surface.invalidate();
  }

  // What is told of stays in sight when the panel that tells it opens.
  private resized(): void {
    if (this.span && this.surface) this.showRow(this.current);
    else this.changed();
  }

  // Something in view is another: draw what there is, ask for what is not.
  changed(): void {
    if (!this.surface) return; // while it is made
    this.rows.want(this.firstRow - 10, this.lastRow + 10);
    this.surface.invalidate();
    this.askLater();
    this.events.onView();
  }

  private readonly askLater = debounced(30, () => void this.fetchAll());
  private version = 0;

  private async fetchAll(): Promise<void> {
    const mine = ++this.version;
    const lanes = this.visibleLanes();
    const [from, to] = this.tileRange();
    if (this.kind !== 'task' && lanes.length) this.tiles.want(this.kind, lanes, this.level, from, to);
    const { t0, t1 } = this.window();
    const query = { kind: this.kind === 'task' ? 'goroutine' : this.kind, lanes: lanes.join(',') || '0', t0, t1 };
    try {
      const [overlay, counters, flows] = await Promise.all([
        ask<Overlay>('overlay', query),
        ask<Counters>('counters', { t0, t1, n: Math.min(4096, Math.round(this.width * 1.5)) }),
        this.showsFlows && this.kind === 'goroutine' ? ask<Flows>('flows', query) : undefined,
      ]);
      if (mine !== this.version) return;
      const charts = this.charts.length;
      this.overlay = overlay;
      this.counters = counters;
      this.flows = flows?.flows ?? [];
      this.cut = cutText(overlay, flows);
      this.events.onCut();
      if (charts !== this.charts.length) this.resized(); // they take room from the rows
      else this.surface.invalidate();
      this.describe();
    } catch (error) {
      if (mine === this.version) this.events.onError(error);
    }
  }

  // Half a screen more than is seen, so that small steps show no holes.
  private window(): TimeRange {
    const margin = (this.range.t1 - this.range.t0) / 4;
    return { t0: Math.floor(Math.max(0, this.range.t0 - margin)), t1: Math.ceil(Math.min(this.summary.end, this.range.t1 + margin)) };
  }

  // What the canvas shows, for those who do not see it.
  describe(): void {
    const items = [];
    for (let i = Math.max(this.firstRow, 0); i <= this.lastRow; i++) {
      const row = this.rows.row(i);
      if (!row) continue;
      const told = this.span && this.span.lane.lane === row.lane ? `: ${this.span.state}, ${lengthText(this.span.end - this.span.start)}` : '';
      items.push({ label: row.name + told, level: 1, position: i + 1, siblings: this.rows.total, isCurrent: i === this.current });
    }
    this.mirror.show(items);
  }

  // The span under a point, from the tiles that are drawn.
  spanAt(x: number, y: number): { row: number; lane: number; time: number; state?: number; start?: number; end?: number; ref?: number; cell?: Uint8Array } | undefined {
    const row = this.rowAt(y);
    const what = row >= 0 ? this.rows.row(row) : undefined;
    if (!what || x < GUTTER) return undefined;
    const time = this.timeAt(x);
    const hit = { row, lane: what.lane, time };
    const tile = what.task ? undefined : this.tileAt(what.lane, Math.floor(time / (CELLS * 2 ** this.level)));
    if (tile?.cells) {
      const cell = Math.floor(time / 2 ** tile.level) - tile.index * CELLS;
      return { ...hit, cell: tile.cells.subarray(4 * cell, 4 * cell + 4) };
    }
    for (let i = 0; tile?.spans && i < tile.spans.length; i += 5) {
      const [start, end, state, ref] = tile.spans.subarray(i, i + 4) as unknown as [number, number, number, number];
      if (time >= start && time < end) return { ...hit, start, end, state, ref };
    }
    return hit;
  }
}
