// ui/trace/timeline_input.ts - the mouse on the timeline, and its keys.
// Room: gestures to changes of the model. Wheel: zoom at the pointer; with Shift or sideways: pan; over the names: scroll. Drag:
// pan; with Shift, or on the ruler: select. Click: tell of a span. Double click: come near it.
import { addActions } from '../common/keys.ts';
import { hideTooltip, showTooltip } from '../common/tooltip.ts';
import { h } from '../common/dom.ts';
import { formatCount } from '../common/units.ts';
import { countOf } from './tiles.ts';
import { GUTTER, ROW, RULER, type Box, type Timeline } from './timeline.ts';
import { lengthText, momentText } from './time.ts';

const CLICK = 4; // pixels a hand moves without meaning to

function boxOf(t: Timeline, from: { x: number; y: number }, to: { x: number; y: number }): Box {
  const [a, b] = [t.timeAt(Math.max(GUTTER, Math.min(from.x, to.x))), t.timeAt(Math.max(from.x, to.x))];
  const lanes: number[] = [];
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  for (let i = t.rowAt(Math.max(top, t.top)); from.y >= t.top && i <= Math.min(t.lastRow, t.rowAt(bottom)); i++) {
    const row = t.rows.row(i);
    if (row && !row.task) lanes.push(row.lane);
  }
  return { t0: Math.max(0, Math.floor(a)), t1: Math.min(t.summary.end, Math.ceil(b)), lanes };
}

function onWheel(t: Timeline, event: WheelEvent): void {
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
  const [dx, dy] = [event.deltaX * lines, event.deltaY * lines];
  if (event.offsetX < GUTTER || event.altKey) t.scrollTo(t.scroll + dy);
  else if (event.shiftKey) t.pan((dy || dx) / t.width);
  else if (Math.abs(dx) > Math.abs(dy)) t.pan(dx / t.width);
  else t.zoom(Math.exp(dy * (event.ctrlKey ? 0.01 : 0.002)), t.timeAt(event.offsetX));
}

function startDrag(t: Timeline, canvas: HTMLElement, down: PointerEvent): void {
  if (down.button !== 0) return;
  const from = { x: down.offsetX, y: down.offsetY };
  const { range, scroll, nsPerPx } = t;
  const selects = down.shiftKey || down.offsetY < RULER;
  let moved = false;
  canvas.setPointerCapture(down.pointerId);
  const onMove = (event: PointerEvent) => {
    const [dx, dy] = [event.offsetX - from.x, event.offsetY - from.y];
    if (!moved && Math.abs(dx) < CLICK && Math.abs(dy) < CLICK) return;
    moved = true;
    hideTooltip();
    if (selects) {
      t.drag = boxOf(t, from, { x: event.offsetX, y: event.offsetY });
      t.surface.invalidate();
      return;
    }
    t.range = { t0: range.t0 - dx * nsPerPx, t1: range.t1 - dx * nsPerPx };
    t.scroll = scroll - dy;
    t.setRange(t.range);
    t.scrollTo(t.scroll);
  };
  const onUp = (event: PointerEvent) => {
    canvas.removeEventListener('pointermove', onMove);
    canvas.removeEventListener('pointerup', onUp);
    canvas.removeEventListener('pointercancel', onUp);
    const box = t.drag;
    t.drag = undefined;
    if (moved && selects && box && box.t1 > box.t0) t.events.onBox(box);
    else if (!moved) click(t, event.offsetX, event.offsetY);
  };
  canvas.addEventListener('pointermove', onMove);
  canvas.addEventListener('pointerup', onUp);
  canvas.addEventListener('pointercancel', onUp);
}

function click(t: Timeline, x: number, y: number): void {
  const row = t.rowAt(y);
  const what = t.rows.row(row);
  if (!what) {
    t.events.onBox(undefined);
    return;
  }
  t.current = row;
  t.surface.invalidate();
  if (x >= GUTTER) t.events.onSpan(what.lane, Math.round(t.timeAt(x)));
}

function hover(t: Timeline, event: PointerEvent): void {
  if (event.buttons) return;
  const hit = t.spanAt(event.offsetX, event.offsetY);
  if (!hit) {
    hideTooltip();
    return;
  }
  const row = t.rows.row(hit.row)!;
  const lines: string[] = [];
  if (hit.state !== undefined) {
    const state = t.summary.states[hit.state]!;
    const who = t.kind === 'proc' && hit.ref !== undefined ? (t.tiles.names.get(hit.ref) ?? '') : '';
    lines.push(`${who || state.text}, ${lengthText(hit.end! - hit.start!)}`);
  } else if (hit.cell) {
    const most = t.summary.classes[hit.cell[0]! & 15];
    const work = t.summary.classes[hit.cell[0]! >> 4];
    lines.push(`${formatCount(countOf(hit.cell[3]!))} spans in ${lengthText(2 ** t.level)}`);
    if (hit.cell[2]) lines.push(`${Math.round(hit.cell[2] / 2.55)} % ${work}`);
    if (hit.cell[1] && most !== work) lines.push(`${Math.round(hit.cell[1] / 2.55)} % ${most}`);
  }
  for (const near of nearby(t, hit.lane, hit.time)) lines.push(near);
  showTooltip(event.clientX, event.clientY, h('div', { class: 'name' }, row.name), h('div', { class: 'faint' }, momentText(hit.time, t.nsPerPx)), lines.map((line) => h('div', {}, line)));
}

// Logs, samples and regions at a point.
function nearby(t: Timeline, lane: number, time: number): string[] {
  const close = (at: number) => Math.abs(at - time) < 4 * t.nsPerPx;
  return [
    ...t.overlay.regions.filter((r) => r.lane === lane && r.start <= time && r.end >= time).map((r) => `region ${r.name}, ${lengthText(r.end - r.start)}`),
    ...t.overlay.logs.filter((l) => l.lane === lane && close(l.time)).map((l) => `log ${l.category}: ${l.message}`),
    ...t.overlay.samples.filter((s) => s.lane === lane && close(s.time)).map((s) => `CPU sample in ${s.func}`),
  ].slice(0, 8);
}

export function addMouse(t: Timeline): void {
  const canvas = t.surface.canvas;
  canvas.addEventListener('wheel', (event) => onWheel(t, event), { passive: false });
  canvas.addEventListener('pointerdown', (event) => startDrag(t, canvas, event));
  canvas.addEventListener('pointermove', (event) => hover(t, event));
  canvas.addEventListener('pointerleave', () => hideTooltip());
  canvas.addEventListener('dblclick', (event) => {
    const hit = t.spanAt(event.offsetX, event.offsetY);
    if (hit?.start !== undefined && hit.end !== undefined) t.setRange({ t0: hit.start - (hit.end - hit.start) / 2, t1: hit.end + (hit.end - hit.start) / 2 });
    else t.zoom(0.2, t.timeAt(event.offsetX));
  });
}

function moveRow(t: Timeline, by: number): void {
  t.current = Math.max(0, Math.min(t.rows.total - 1, t.current + by));
  t.showRow(t.current);
  t.describe();
}

function tellCurrent(t: Timeline): void {
  const row = t.rows.row(t.current);
  if (row) t.events.onSpan(row.lane, Math.round((t.range.t0 + t.range.t1) / 2));
}

// Steps to the span before or behind the one told of, and brings it into view.
function step(t: Timeline, to: number | undefined): void {
  if (!t.span || to === undefined) return;
  const half = (t.range.t1 - t.range.t0) / 2;
  if (to < t.range.t0 || to > t.range.t1) t.setRange({ t0: to - half, t1: to + half });
  t.events.onSpan(t.span.lane.lane, to);
}

export function addKeys(t: Timeline, isShown: () => boolean): void {
  const on = (title: string, key: string, run: () => void) => ({ title, group: 'Timeline', key, run, when: isShown });
  addActions(
    on('Zoom in', 'w', () => t.zoom(0.6)),
    on('Zoom out', 's', () => t.zoom(1 / 0.6)),
    on('Pan left', 'a', () => t.pan(-0.25)),
    on('Pan right', 'd', () => t.pan(0.25)),
    on('Pan left', 'ArrowLeft', () => t.pan(-0.1)),
    on('Pan right', 'ArrowRight', () => t.pan(0.1)),
    on('Lane above', 'ArrowUp', () => moveRow(t, -1)),
    on('Lane below', 'ArrowDown', () => moveRow(t, 1)),
    on('A screen of lanes up', 'PageUp', () => moveRow(t, -Math.floor((t.surface.height - t.top) / ROW))),
    on('A screen of lanes down', 'PageDown', () => moveRow(t, Math.floor((t.surface.height - t.top) / ROW))),
    on('The whole trace', 'f', () => t.setRange({ t0: 0, t1: t.summary.end })),
    on('Zoom to the selection or span', 'z', () => zoomToChosen(t)),
    on('Tell of the span in the middle of the current lane', 'Enter', () => tellCurrent(t)),
    on('The span before', ',', () => step(t, t.span?.prev)),
    on('The span behind', '.', () => step(t, t.span?.next)),
    on('Arrows of all goroutines in view', 'e', () => {
      t.showsFlows = !t.showsFlows;
      t.changed();
    }),
    on('Select what is in view', 'v', () => t.events.onBox({ t0: Math.floor(t.range.t0), t1: Math.ceil(t.range.t1), lanes: [] })),
  );
}

function zoomToChosen(t: Timeline): void {
  const chosen = t.box ? { t0: t.box.t0, t1: t.box.t1 } : t.span ? { t0: t.span.start, t1: t.span.end } : undefined;
  if (!chosen) return;
  const margin = (chosen.t1 - chosen.t0) * 0.05;
  t.setRange({ t0: chosen.t0 - margin, t1: chosen.t1 + margin });
}
