// ui/common/canvas.ts - a canvas that is sharp, the size of its box, and drawn at most once a frame.
// Room: size, scale and scheduling; text cut to a width; hatching. What is drawn is the owner's.
import { onTheme } from './theme.ts';
import { h } from './dom.ts';

export const FONT = '12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

export class Surface {
  readonly canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly ctx: CanvasRenderingContext2D;
  width = 0; // in CSS pixels
  height = 0;
  readonly frames: number[] = []; // ms that the newest draws took; read by tests and benchmarks
  private waiting = false;

  // The canvas fills `box` and is drawn again when that, the theme or the data (invalidate) changes.
  constructor(
    private readonly box: HTMLElement,
    private readonly draw: (ctx: CanvasRenderingContext2D) => void,
    private readonly onResize: () => void = () => undefined,
  ) {
    this.ctx = this.canvas.getContext('2d', { alpha: false })!;
    box.appendChild(this.canvas);
    new ResizeObserver(() => this.resize()).observe(box);
    onTheme(() => this.invalidate());
    this.resize();
  }

  invalidate(): void {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawNow();
    });
  }

  drawNow(): void {
    if (!this.width || !this.height) return;
    const start = performance.now();
    const scale = devicePixelRatio;
    this.ctx.setTransform(scale, 0, 0, scale, 0, 0);
    this.ctx.font = FONT;
    this.ctx.textBaseline = 'middle';
    this.draw(this.ctx);
    this.frames.push(performance.now() - start);
    if (this.frames.length > 600) this.frames.shift();
  }

  private resize(): void {
    const width = this.box.clientWidth;
    const height = this.box.clientHeight;
    const scale = devicePixelRatio;
    if (width === this.width && height === this.height && this.canvas.width === Math.round(width * scale)) return;
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.onResize();
    this.drawNow(); // at once: a canvas that was sized is empty
  }
}

const widths = new Map<string, number>();
const MAX_WIDTHS = 20_000; // texts are short and many are seen again; beyond this the memory is worth more

export function textWidth(ctx: Pick<CanvasRenderingContext2D, 'measureText'>, text: string): number {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size > MAX_WIDTHS) widths.clear();
    width = ctx.measureText(text).width;
    widths.set(text, width);
  }
  return width;
}

// The longest beginning of text that fits, with an ellipsis when it is cut; "" when not even three letters would.
export function fitText(ctx: Pick<CanvasRenderingContext2D, 'measureText'>, text: string, width: number): string {
  const full = textWidth(ctx, text);
  if (full <= width) return text;
  const n = Math.floor(((width - 9) / full) * text.length);
  return n < 3 ? '' : `${text.slice(0, n)}…`;
}

// A diagonal hatch in one colour, for weight that is there but has no box of its own.
export function hatch(ctx: Pick<CanvasRenderingContext2D, 'createPattern'>, colour: string, background: string): CanvasPattern {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const t = tile.getContext('2d')!;
  t.fillStyle = background;
  t.fillRect(0, 0, 8, 8);
  t.strokeStyle = colour;
  t.lineWidth = 1.5;
  t.beginPath();
  for (const x of [-4, 4, 12]) {
    t.moveTo(x - 5, 9);
    t.lineTo(x + 5, -1);
  }
  t.stroke();
  return ctx.createPattern(tile, 'repeat')!;
}
