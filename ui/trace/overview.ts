// ui/trace/overview.ts - the whole trace as a strip: how busy it was, where hits are, and what is in view.
// Room: its own canvas. Dragging on it moves the view.
import { Surface } from '../common/canvas.ts';
import { paint } from '../common/colours.ts';
import { h } from '../common/dom.ts';
import { ask, type Counters, type CounterSlice } from './api.ts';
import { classColour, RUNNABLE, RUNNING, SYSCALL } from './paint.ts';
import type { Timeline } from './timeline.ts';

export class Overview {
  readonly element: HTMLElement;
  private readonly surface: Surface;
  private counters: Counters | undefined;
  density: number[] = []; // of a search

  constructor(private readonly timeline: Timeline) {
    this.element = h('div', { class: 'overview', role: 'img', 'aria-label': 'The whole trace: goroutines running and waiting to run' });
    this.surface = new Surface(this.element, (ctx) => this.draw(ctx), () => void this.fetch());
    this.surface.canvas.addEventListener('pointerdown', (event) => this.startDrag(event));
  }

  invalidate(): void {
    this.surface.invalidate();
  }

  private async fetch(): Promise<void> {
    if (!this.surface) return;
    this.counters = await ask<Counters>('counters', { t0: 0, t1: this.timeline.summary.end, n: Math.max(1, Math.min(this.surface.width, 4096)) });
    this.surface.invalidate();
  }

  private startDrag(down: PointerEvent): void {
    const { timeline, surface } = this;
    const half = (timeline.range.t1 - timeline.range.t0) / 2;
    const go = (x: number) => {
      const at = (x / surface.width) * timeline.summary.end;
      timeline.setRange({ t0: at - half, t1: at + half });
    };
    const onMove = (event: PointerEvent) => go(event.offsetX);
    surface.canvas.setPointerCapture(down.pointerId);
    surface.canvas.addEventListener('pointermove', onMove);
    surface.canvas.addEventListener('pointerup', () => surface.canvas.removeEventListener('pointermove', onMove), { once: true });
    go(down.offsetX);
  }

  // Means: running and in calls stand on the ground, those ready to run hang from the top. They have scales of their own: a burst
  // of thousands that are ready must not press what runs, a few at most, to nothing.
  private draw(ctx: CanvasRenderingContext2D): void {
    const { width, height } = this.surface;
    ctx.fillStyle = paint().background;
    ctx.fillRect(0, 0, width, height);
    const room = height - 8;
    const { running = [], syscall = [], runnable = [] } = this.counters ?? {};
    this.drawStack(ctx, [[running, RUNNING], [syscall, SYSCALL]], room * 0.6, (y, part) => height - 3 - y - part);
    this.drawStack(ctx, [[runnable, RUNNABLE]], room * 0.35, (y) => 5 + y);
    this.drawDensity(ctx);
    this.drawView(ctx);
  }

  private drawStack(ctx: CanvasRenderingContext2D, series: [CounterSlice[], number][], room: number, place: (y: number, part: number) => number): void {
    const { width } = this.surface;
    const n = Math.max(...series.map(([slices]) => slices.length));
    let most = 1;
    for (let i = 0; i < n; i++) most = Math.max(most, series.reduce((total, [slices]) => total + (slices[i]?.[3] ?? 0), 0));
    for (let i = 0; i < n; i++) {
      let y = 0;
      for (const [slices, cls] of series) {
        const part = ((slices[i]?.[3] ?? 0) / most) * room;
        ctx.fillStyle = classColour(cls);
        ctx.fillRect((i * width) / n, place(y, part), width / n + 0.5, part);
        y += part;
      }
    }
  }

  private drawDensity(ctx: CanvasRenderingContext2D): void {
    const { width, height } = this.surface;
    ctx.fillStyle = paint().match;
    this.density.forEach((n, i) => {
      if (n) ctx.fillRect((i * width) / this.density.length, 0, Math.max(2, width / this.density.length), 5);
    });
    void height;
  }

  private drawView(ctx: CanvasRenderingContext2D): void {
    const { width, height } = this.surface;
    const { range, summary } = this.timeline;
    const x = (range.t0 / summary.end) * width;
    const right = (range.t1 / summary.end) * width;
    ctx.fillStyle = paint().background;
    ctx.globalAlpha = 0.6;
    ctx.fillRect(0, 0, x, height);
    ctx.fillRect(right, 0, width - right, height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = paint().focus;
    ctx.lineWidth = 2;
    ctx.strokeRect(Math.max(1, x), 1, Math.max(3, right - x - 2), height - 2);
  }
}
