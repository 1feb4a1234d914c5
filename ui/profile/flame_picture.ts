// ui/profile/flame_picture.ts - the flame graph as a file: SVG with a title on every box, or PNG.
// Room: a brush that writes SVG in place of a canvas, so that flame_draw.ts draws both; what is in sight from side to side,
// every row from top to bottom, under a line that says what it is.
import { FONT } from '../common/canvas.ts';
import { paint } from '../common/colours.ts';
import { download } from '../common/toast.ts';
import type { FlameChart, Spot } from './flame_chart.ts';
import type { Brush } from './flame_draw.ts';

const CAPTION = 26; // px: the line above
const PNG_SCALE = 2; // sharp when printed
const MAX_SIDE = 16384; // px: what browsers make as a canvas

const escaped: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// XML has no way to write control characters.
const xml = (text: string): string => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '').replace(/[&<>"]/g, (c) => escaped[c]!);
const px = (x: number): string => String(Math.round(x * 100) / 100);

class SvgBrush implements Brush {
  fillStyle: Brush['fillStyle'] = '#000';
  private readonly out: string[] = [];
  private readonly patterns: string[] = [];
  private path = '';
  private isOpen = false;

  // titles: what a box says on hover.
  constructor(private readonly metrics: CanvasRenderingContext2D, private readonly titles: (spot: Spot) => string) {}

  private get fill_(): string {
    if (typeof this.fillStyle === 'string') return this.fillStyle;
    return `url(#${(this.fillStyle as unknown as { id: string }).id})`;
  }

  node(i: number, sign: 1 | -1): void {
    this.end();
    this.isOpen = true;
    this.out.push(`<g><title>${xml(this.titles({ side: sign < 0 ? 'up' : 'down', node: i }))}</title>`);
  }

  end(): void {
    if (this.isOpen) this.out.push('</g>');
    this.isOpen = false;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.out.push(`<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" fill="${this.fill_}"/>`);
  }

  fillText(text: string, x: number, y: number): void {
    this.out.push(`<text x="${px(x)}" y="${px(y)}" dy=".35em" fill="${this.fill_}">${xml(text)}</text>`);
  }

  beginPath(): void {
    this.path = '';
  }
  moveTo(x: number, y: number): void {
    this.path += `M${px(x)} ${px(y)}`;
  }
  lineTo(x: number, y: number): void {
    this.path += `L${px(x)} ${px(y)}`;
  }
  fill(): void {
    this.out.push(`<path d="${this.path}Z" fill="${this.fill_}"/>`);
  }

  measureText(text: string): TextMetrics {
    return this.metrics.measureText(text);
  }

  createPattern(tile: CanvasImageSource): CanvasPattern {
    const { width, height } = tile as HTMLCanvasElement;
    const id = `hatch${this.patterns.length}`;
    this.patterns.push(`<pattern id="${id}" width="${width}" height="${height}" patternUnits="userSpaceOnUse"><image width="${width}" height="${height}" href="${(tile as HTMLCanvasElement).toDataURL()}"/></pattern>`);
    return { id } as unknown as CanvasPattern;
  }

  text(width: number, height: number): string {
    this.end();
    const font = /^(\S+)px (.*)$/.exec(FONT)!;
    return `<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}" font-size="${font[1]}" font-family="${xml(font[2]!)}">\n<defs>${this.patterns.join('')}</defs>\n${this.out.join('\n')}\n</svg>\n`;
  }
}

function paintAll(chart: FlameChart, brush: Brush, caption: string): { width: number; height: number } {
  const { width, height } = chart.wholeSize();
  brush.fillStyle = paint().background;
  brush.fillRect(0, 0, width, height + CAPTION);
  chart.paintWhole(brush, CAPTION);
  brush.fillStyle = paint().background;
  brush.fillRect(0, 0, width, CAPTION);
  brush.fillStyle = paint().text;
  brush.fillText(caption, 5, CAPTION / 2);
  return { width, height: height + CAPTION };
}

export function saveSvg(chart: FlameChart, name: string, caption: string, titles: (spot: Spot) => string): void {
  const brush = new SvgBrush(chart.surface.ctx, titles);
  const { width, height } = paintAll(chart, brush, caption);
  download(`${name}.svg`, new Blob([brush.text(width, height)], { type: 'image/svg+xml' }));
}

export function savePng(chart: FlameChart, name: string, caption: string): void {
  const size = chart.wholeSize();
  const canvas = document.createElement('canvas');
  canvas.width = Math.min(MAX_SIDE, size.width * PNG_SCALE);
  canvas.height = Math.min(MAX_SIDE, (size.height + CAPTION) * PNG_SCALE);
  const ctx = canvas.getContext('2d', { alpha: false })!;
  ctx.scale(PNG_SCALE, PNG_SCALE);
  ctx.font = FONT;
  ctx.textBaseline = 'middle';
  paintAll(chart, ctx, caption);
  canvas.toBlob((blob) => blob && download(`${name}.png`, blob));
}
