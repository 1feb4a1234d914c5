// ui/trace/timeline_draw.ts - the timeline on its canvas.
// Room: pixels. Everything drawn comes from timeline.ts; nothing is fetched here.
import { fitText, textWidth } from '../common/canvas.ts';
import { category, paint } from '../common/colours.ts';
import { isDark } from '../common/theme.ts';
import { formatCount, formatValue } from '../common/units.ts';
import type { CounterSlice } from './api.ts';
import { classColour, hashOf, RUNNABLE, RUNNING, SYSCALL } from './paint.ts';
import { BAR, CELLS, spanBox, tileImage, type Tile } from './tiles.ts';
import { BAND, CHART, GUTTER, ROW, RULER, type Timeline } from './timeline.ts';
import { momentText, ticks } from './time.ts';

const BAR_TOP = 4; // of a row
const REGION_TOP = BAR_TOP + BAR + 1;
const REGION = 8;
const N_HUES = 12;

type Ctx = CanvasRenderingContext2D;

export function drawTimeline(t: Timeline, ctx: Ctx): void {
  const colours = paint();
  ctx.fillStyle = colours.background;
  ctx.fillRect(0, 0, t.surface.width, t.surface.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, t.top, t.surface.width, t.surface.height - t.top);
  ctx.clip();
  drawGrid(t, ctx);
  for (let i = t.firstRow; i <= t.lastRow; i++) drawRow(t, ctx, i);
  drawOverlay(t, ctx);
  drawFlows(t, ctx);
  ctx.restore();
  drawHead(t, ctx);
  drawBox(t, ctx);
}

function drawGrid(t: Timeline, ctx: Ctx): void {
  ctx.fillStyle = isDark() ? '#20252c' : '#eef0f3';
  for (const tick of ticks(t.range, t.width)) ctx.fillRect(Math.round(t.xOf(tick)), 0, 1, t.surface.height);
}

function drawHead(t: Timeline, ctx: Ctx): void {
  const colours = paint();
  ctx.fillStyle = isDark() ? '#1b1f25' : '#f5f6f8';
  ctx.fillRect(0, 0, t.surface.width, t.top);
  ctx.fillStyle = colours.faint;
  for (const tick of ticks(t.range, t.width)) {
    const x = Math.round(t.xOf(tick));
    const text = momentText(tick, t.nsPerPx * 10);
    if (x + 4 + textWidth(ctx, text) < t.surface.width) ctx.fillText(text, x + 4, RULER / 2);
    ctx.fillRect(x, 0, 1, RULER);
  }
  drawBands(t, ctx);
  t.charts.forEach((chart, i) => (chart === 'heap' ? drawHeap(t, ctx, i) : drawGoroutines(t, ctx, i)));
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, t.top - 1, t.surface.width, 1);
  ctx.fillRect(GUTTER - 1, 0, 1, t.surface.height);
}

// Text in the gutter beside something in the head, over the chart's own ground.
function gutterText(t: Timeline, ctx: Ctx, y: number, text: string, faint = ''): void {
  const colours = paint();
  ctx.fillStyle = isDark() ? '#1b1f25' : '#f5f6f8';
  ctx.fillRect(0, y - BAND / 2, GUTTER - 1, BAND);
  ctx.fillStyle = colours.text;
  ctx.fillText(text, 10, y);
  ctx.fillStyle = colours.faint;
  if (faint) ctx.fillText(fitText(ctx, faint, GUTTER - 30 - textWidth(ctx, text)), 18 + textWidth(ctx, text), y);
  void t;
}

function drawBands(t: Timeline, ctx: Ctx): void {
  for (const range of t.overlay.ranges) {
    if (range.lane >= 0) continue;
    const x = Math.max(GUTTER, t.xOf(range.start));
    const width = Math.max(1, t.xOf(range.end) - x);
    if (x > t.surface.width || t.xOf(range.end) < GUTTER) continue;
    const isStw = range.type !== 'GC';
    ctx.fillStyle = isStw ? (isDark() ? '#ff9b92' : '#a8201a') : classColour(RUNNABLE);
    ctx.fillRect(x, RULER + (isStw ? 0 : 3), width, isStw ? BAND : BAND - 6);
  }
  gutterText(t, ctx, RULER + BAND / 2, 'GC', 'and stop-the-world');
}

// One counter over the view: the band between least and most, and the mean in it.
function drawSeries(t: Timeline, ctx: Ctx, slices: CounterSlice[], top: number, most: number, colour: string): void {
  const { t0, width } = t.counters!;
  const y = (value: number) => top + CHART - 3 - (value / Math.max(1, most)) * (CHART - 8);
  ctx.fillStyle = colour;
  slices.forEach((slice, i) => {
    if (!slice) return;
    const x = t.xOf(t0 + i * width);
    const next = t.xOf(t0 + (i + 1) * width);
    if (next < GUTTER || x > t.surface.width) return;
    const from = Math.max(GUTTER, x);
    const w = Math.max(1, next - from);
    ctx.globalAlpha = 0.35;
    ctx.fillRect(from, y(slice[1]), w, Math.max(1, y(slice[0]) - y(slice[1])));
    ctx.globalAlpha = 1;
    ctx.fillRect(from, y(slice[3]) - 0.5, w, 1.5);
  });
}

const inView = (t: Timeline, slices: CounterSlice[]): CounterSlice[] => {
  const { t0, width } = t.counters!;
  return slices.filter((slice, i) => slice && t0 + (i + 1) * width > t.range.t0 && t0 + i * width < t.range.t1);
};
const most = (slices: CounterSlice[]): number => slices.reduce((m, slice) => Math.max(m, slice?.[1] ?? 0), 0);
const last = (slices: CounterSlice[]): number => slices.at(-1)?.[2] ?? 0;

function drawHeap(t: Timeline, ctx: Ctx, i: number): void {
  const top = RULER + BAND + i * CHART;
  const heap = t.counters?.heap ?? [];
  const goal = t.counters?.goal ?? [];
  const peak = Math.max(most(inView(t, heap)), most(inView(t, goal)));
  drawSeries(t, ctx, goal, top, peak, isDark() ? '#a97a1c' : '#b87900');
  drawSeries(t, ctx, heap, top, peak, isDark() ? '#7db7f5' : '#0b5cad');
  gutterText(t, ctx, top + 14, 'Heap', `at most ${formatValue(most(inView(t, heap)), 'bytes')}`);
  gutterText(t, ctx, top + 30, 'Goal', formatValue(last(inView(t, goal)), 'bytes'));
}

function drawGoroutines(t: Timeline, ctx: Ctx, i: number): void {
  const top = RULER + BAND + i * CHART;
  const { runnable = [], syscall = [], running = [] } = t.counters ?? {};
  const [ready, busy] = [most(inView(t, runnable)), Math.max(most(inView(t, running)), most(inView(t, syscall)))];
  drawSeries(t, ctx, runnable, top, ready, classColour(RUNNABLE)); // a scale of its own: see overview.ts
  drawSeries(t, ctx, syscall, top, busy, classColour(SYSCALL));
  drawSeries(t, ctx, running, top, busy, classColour(RUNNING));
  gutterText(t, ctx, top + 14, 'Running', `at most ${formatCount(most(inView(t, running)))}`);
  gutterText(t, ctx, top + 30, 'Runnable', `at most ${formatCount(ready)}`);
}

function drawRow(t: Timeline, ctx: Ctx, i: number): void {
  const colours = paint();
  const y = t.yOf(i);
  const row = t.rows.row(i);
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, y + ROW - 1, t.surface.width, 0.5);
  if (row?.task) drawTask(t, ctx, i);
  else if (row) drawLane(t, ctx, row.lane, y + BAR_TOP);
  ctx.fillStyle = isDark() ? '#1b1f25' : '#f5f6f8';
  ctx.fillRect(0, y, GUTTER - 1, ROW - 0.5);
  if (i === t.current) {
    ctx.fillStyle = colours.focus;
    ctx.fillRect(0, y, 3, ROW - 1);
  }
  ctx.fillStyle = row ? colours.text : colours.faint;
  ctx.fillText(row ? fitText(ctx, shortName(ctx, row.name), GUTTER - 20) : '…', 10, y + 12);
  if (row) drawShares(ctx, row.ns, y + ROW - 8);
}

// "G7 net/http.(*conn).serve": the package's path gives way first.
function shortName(ctx: Ctx, name: string): string {
  if (textWidth(ctx, name) <= GUTTER - 20) return name;
  return name.replace(/ .*\//, ' …/');
}

// How a lane's whole life divides, as a line under its name.
function drawShares(ctx: Ctx, ns: number[], y: number): void {
  const total = ns.slice(1).reduce((sum, x) => sum + x, 0);
  let x = 10;
  ns.forEach((part, cls) => {
    if (!cls || !total) return;
    const width = (part / total) * (GUTTER - 24);
    ctx.fillStyle = classColour(cls);
    ctx.fillRect(x, y, width, 3);
    x += width;
  });
}

function drawLane(t: Timeline, ctx: Ctx, lane: number, y: number): void {
  const [from, to] = t.tileRange();
  let before: Tile | undefined;
  for (let index = from; index <= to; index++) {
    const tile = t.tileAt(lane, index);
    if (tile && tile !== before) drawTile(t, ctx, tile, y);
    before = tile;
  }
}

function drawTile(t: Timeline, ctx: Ctx, tile: Tile, y: number): void {
  if (tile.spans) {
    drawSpans(t, ctx, tile.spans, y);
    return;
  }
  const length = 2 ** tile.level;
  const first = Math.max(0, Math.floor(t.range.t0 / length - tile.index * CELLS));
  const end = Math.min(CELLS, Math.ceil(t.range.t1 / length - tile.index * CELLS));
  if (end <= first) return;
  const x = t.xOf((tile.index * CELLS + first) * length);
  const right = t.xOf((tile.index * CELLS + end) * length);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(tileImage(tile), first, 0, end - first, BAR, x, y, right - x, BAR);
}

function spanColour(t: Timeline, cls: number, ref: number): string {
  if (t.kind !== 'proc' || cls !== RUNNING) return classColour(cls);
  const name = t.tiles.names.get(ref) ?? '';
  return category(hashOf(name.replace(/^G\d+ /, '')) % N_HUES);
}

function drawSpans(t: Timeline, ctx: Ctx, spans: Float64Array, y: number): void {
  for (let i = 0; i < spans.length; i += 5) {
    const [start, end, state, ref] = [spans[i]!, spans[i + 1]!, spans[i + 2]!, spans[i + 3]!];
    const { text, class: cls } = t.summary.states[state]!;
    if (!cls || end <= t.range.t0 || start >= t.range.t1) continue;
    const x = Math.max(GUTTER, t.xOf(start));
    const width = Math.min(t.surface.width, t.xOf(end)) - x;
    const [top, height] = spanBox(cls);
    ctx.fillStyle = spanColour(t, cls, ref);
    ctx.fillRect(x, y + top, Math.max(width > 3 ? width - 0.5 : width, 0.6), height);
    if (width < 28 || height < BAR) continue;
    ctx.fillStyle = t.kind === 'proc' ? paint().text : isDark() ? '#ffffff' : '#0d1013';
    ctx.fillText(fitText(ctx, t.kind === 'proc' ? (t.tiles.names.get(ref) ?? text) : text, width - 8), x + 4, y + BAR / 2 + 0.5);
  }
}

function drawTask(t: Timeline, ctx: Ctx, i: number): void {
  const task = t.rows.row(i)!.task!;
  const y = t.yOf(i);
  const bar = (start: number, end: number, top: number, height: number, colour: string, text: string) => {
    const x = Math.max(GUTTER, t.xOf(start < 0 ? 0 : start));
    const width = Math.min(t.surface.width, t.xOf(end < 0 ? t.summary.end : end)) - x;
    if (width <= 0 || x > t.surface.width) return;
    ctx.fillStyle = colour;
    ctx.fillRect(x, top, Math.max(1, width), height);
    ctx.fillStyle = paint().text;
    if (width > 30 && height >= BAR) ctx.fillText(fitText(ctx, text, width - 8), x + 4, top + height / 2);
  };
  bar(task.start, task.end, y + BAR_TOP, BAR, category(hashOf(task.type) % N_HUES), task.type);
  for (const region of task.regions ?? []) bar(region.start, region.end, y + REGION_TOP, REGION, category(hashOf(region.name) % N_HUES), region.name);
  ctx.fillStyle = paint().text;
  for (const log of task.logs ?? []) ctx.fillRect(t.xOf(log.time), y + 1, 2, 4);
}

function drawOverlay(t: Timeline, ctx: Ctx): void {
  const rowOf = new Map<number, number>();
  for (let i = t.firstRow; i <= t.lastRow; i++) {
    const row = t.rows.row(i);
    if (row && !row.task) rowOf.set(row.lane, t.yOf(i));
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(GUTTER, 0, t.width, t.surface.height);
  ctx.clip();
  for (const region of t.overlay.regions) drawRegion(t, ctx, region.start, region.end, region.name, region.depth, rowOf.get(region.lane));
  for (const range of t.overlay.ranges) if (range.lane >= 0) drawRange(t, ctx, range.start, range.end, rowOf.get(range.lane));
  ctx.fillStyle = isDark() ? '#ffffff' : '#14171a';
  for (const sample of t.overlay.samples) {
    const y = rowOf.get(sample.lane);
    if (y !== undefined) ctx.fillRect(t.xOf(sample.time) - 0.5, y + BAR_TOP + BAR - 4, 1.5, 5);
  }
  for (const log of t.overlay.logs) drawLog(t, ctx, log.time, rowOf.get(log.lane));
  ctx.restore();
}

function drawRegion(t: Timeline, ctx: Ctx, start: number, end: number, name: string, depth: number, y: number | undefined): void {
  if (y === undefined || end < t.range.t0 || start > t.range.t1) return;
  const x = Math.max(GUTTER, t.xOf(start));
  const width = Math.max(1, Math.min(t.surface.width, t.xOf(end)) - x);
  const inset = Math.min(depth, 3) * 1.5;
  ctx.fillStyle = category(hashOf(name) % N_HUES);
  ctx.fillRect(x, y + REGION_TOP + inset, width, REGION - inset);
  if (width < 40 || depth > 0) return;
  ctx.fillStyle = paint().text;
  ctx.font = ctx.font.replace('12px', '9px');
  ctx.fillText(name.length * 5 < width ? name : '', x + 3, y + REGION_TOP + REGION / 2 + 0.5);
  ctx.font = ctx.font.replace('9px', '12px');
}

// Sweeps and mark assists: a line above the bar.
function drawRange(t: Timeline, ctx: Ctx, start: number, end: number, y: number | undefined): void {
  if (y === undefined) return;
  ctx.fillStyle = isDark() ? '#ff9b92' : '#a8201a';
  ctx.fillRect(t.xOf(start), y + 1, Math.max(1, t.xOf(end) - t.xOf(start)), 2);
}

function drawLog(t: Timeline, ctx: Ctx, time: number, y: number | undefined): void {
  if (y === undefined) return;
  const x = t.xOf(time);
  ctx.fillStyle = paint().focus;
  ctx.beginPath();
  ctx.moveTo(x, y + BAR_TOP + 3);
  ctx.lineTo(x - 3.5, y - 1);
  ctx.lineTo(x + 3.5, y - 1);
  ctx.fill();
}

function arrow(ctx: Ctx, x: number, from: number, to: number): void {
  const down = to > from ? 1 : -1;
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to);
  ctx.moveTo(x - 3, to - 5 * down);
  ctx.lineTo(x, to);
  ctx.lineTo(x + 3, to - 5 * down);
  ctx.stroke();
}

// Who woke whom: of the span told of, or of all in view.
function drawFlows(t: Timeline, ctx: Ctx): void {
  const middle = (lane: number) => {
    const row = t.rows.rowOfLane(lane);
    return row < 0 ? undefined : t.yOf(row) + BAR_TOP + BAR / 2;
  };
  const draw = (from: number | undefined, to: number | undefined, time: number) => {
    const a = from === undefined ? undefined : middle(from);
    const b = to === undefined ? undefined : middle(to);
    const x = t.xOf(time);
    if (a === undefined || b === undefined || a === b || x < GUTTER) return;
    arrow(ctx, x, a, b);
  };
  ctx.lineWidth = 1;
  ctx.strokeStyle = paint().faint;
  for (const [from, to, time] of t.flows) draw(from, to, time);
  const span = t.kind === 'goroutine' ? t.span : undefined;
  if (!span) return;
  ctx.strokeStyle = paint().focus;
  ctx.lineWidth = 2;
  draw(span.woken_by?.lane, span.lane.lane, span.woken_at ?? 0);
  for (const woken of span.woke ?? []) draw(span.lane.lane, woken.to.lane, woken.time);
}

function drawBox(t: Timeline, ctx: Ctx): void {
  const colours = paint();
  const box = t.drag ?? t.box;
  if (box) {
    const x = Math.max(GUTTER, t.xOf(box.t0));
    const width = Math.min(t.surface.width, t.xOf(box.t1)) - x;
    ctx.fillStyle = colours.focus;
    ctx.globalAlpha = 0.16;
    if (width > 0 && !box.lanes.length) ctx.fillRect(x, RULER, width, t.surface.height - RULER);
    for (const lane of width > 0 ? box.lanes : []) {
      const row = t.rows.rowOfLane(lane);
      if (row >= 0 && t.yOf(row) + ROW > t.top) ctx.fillRect(x, Math.max(t.top, t.yOf(row)), width, ROW);
    }
    ctx.globalAlpha = 1;
    if (width > 0) ctx.fillRect(x, 0, width, 3);
  }
  drawTold(t, ctx);
}

// The span that is told of gets a frame.
function drawTold(t: Timeline, ctx: Ctx): void {
  const span = t.span;
  const row = span && span.lane.kind === t.kind ? t.rows.rowOfLane(span.lane.lane) : -1;
  if (!span || row < 0 || t.yOf(row) < t.top - ROW) return;
  const x = Math.max(GUTTER, t.xOf(span.start));
  const right = Math.min(t.surface.width, t.xOf(span.end));
  if (right < GUTTER || x > t.surface.width) return;
  ctx.strokeStyle = paint().text;
  ctx.lineWidth = 2;
  ctx.strokeRect(x - 1, Math.max(t.top, t.yOf(row) + BAR_TOP - 1), Math.max(3, right - x + 2), BAR + 2);
}
