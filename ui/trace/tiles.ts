// ui/trace/tiles.ts - pieces of lanes at the zoom they are drawn at.
// Room: keeping tiles, asking for missing ones, painting cells once. A tile of level L has 512 cells of 2^L ns; where it holds few
// spans it has them one by one instead. Until a tile is there the coarser one above it is drawn stretched: never nothing.
import { ask, type Kind, type Tiles } from './api.ts';
import { classColour, isWork, rgb } from './paint.ts';
import { onTheme } from '../common/theme.ts';

export const CELLS = 512;
export const BAR = 16; // pixels of a lane's bar
const STRIP = 5; // of one that waits
const MAX_TILES = 1500; // 512 x 16 pixels each: 48 MB at most
const MAX_ASKED = 8; // tiles a lane and request, as the server has it

export interface Tile {
  level: number;
  index: number;
  spans?: Float64Array; // start, end, state, ref, place
  cells?: Uint8Array; // classes, share of the most, share of work, count
  image?: HTMLCanvasElement;
}

export class TileStore {
  private readonly tiles = new Map<string, Tile | 'asked'>();
  readonly names = new Map<number, string>(); // of goroutines that processors' spans refer to
  pending = 0;

  constructor(private readonly onArrival: () => void) {
    onTheme(() => {
      for (const tile of this.tiles.values()) if (tile !== 'asked') delete tile.image;
    });
  }

  private static key(kind: Kind, lane: number, level: number, index: number): string {
    return `${kind} ${lane} ${level} ${index}`;
  }

  // The tile, or the nearest coarser one that covers it.
  get(kind: Kind, lane: number, level: number, index: number): Tile | undefined {
    for (let up = 0; up < 12; up++) {
      const key = TileStore.key(kind, lane, level + up, index >> up);
      const tile = this.tiles.get(key);
      if (!tile || tile === 'asked') continue;
      this.tiles.delete(key); // to the end: the longest unused go first
      this.tiles.set(key, tile);
      return tile;
    }
    return undefined;
  }

  // Asks for what is missing of the lanes between two tiles.
  want(kind: Kind, lanes: number[], level: number, from: number, to: number): void {
    for (let at = from; at <= to; at += MAX_ASKED) {
      const n = Math.min(MAX_ASKED, to - at + 1);
      const lacks = (lane: number) => Array.from({ length: n }, (_, k) => TileStore.key(kind, lane, level, at + k)).some((key) => !this.tiles.has(key));
      const missing = lanes.filter(lacks);
      if (missing.length) void this.fetch(kind, missing, level, at, n);
    }
  }

  private async fetch(kind: Kind, lanes: number[], level: number, index: number, n: number): Promise<void> {
    const keys = lanes.flatMap((lane) => Array.from({ length: n }, (_, k) => TileStore.key(kind, lane, level, index + k))).filter((key) => !this.tiles.has(key));
    for (const key of keys) this.tiles.set(key, 'asked');
    this.pending++;
    try {
      const answer = await ask<Tiles>('tiles', { kind, lanes: lanes.join(','), level, index, n });
      for (const [lane, name] of Object.entries(answer.names ?? {})) this.names.set(Number(lane), name);
      for (const data of answer.tiles) this.tiles.set(TileStore.key(kind, data.lane, level, data.index), toTile(data, level));
    } finally {
      for (const key of keys) if (this.tiles.get(key) === 'asked') this.tiles.delete(key);
      this.pending--;
      this.trim();
      this.onArrival();
    }
  }

  private trim(): void {
    for (const [key, tile] of this.tiles) {
      if (this.tiles.size <= MAX_TILES) return;
      if (tile !== 'asked') this.tiles.delete(key);
    }
  }
}

function toTile(data: { index: number; spans?: number[]; cells?: string }, level: number): Tile {
  if (data.spans) return { level, index: data.index, spans: Float64Array.from(data.spans) };
  const text = atob(data.cells ?? '');
  const cells = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) cells[i] = text.charCodeAt(i);
  return { level, index: data.index, cells };
}

export const countOf = (code: number): number => (code < 2 ? code : Math.round(2 ** ((code - 1) / 8)));

// The cells as pixels: work as a bar from the bottom, as high as its share; waiting as a strip, as strong as its share. A darker
// foot says that a pixel stands for more than one span.
export function tileImage(tile: Tile): HTMLCanvasElement {
  if (tile.image) return tile.image;
  const canvas = document.createElement('canvas');
  canvas.width = CELLS;
  canvas.height = BAR;
  const ctx = canvas.getContext('2d')!;
  const image = ctx.createImageData(CELLS, BAR);
  for (let x = 0; x < CELLS; x++) paintCell(image.data, x, tile.cells!.subarray(4 * x, 4 * x + 4));
  ctx.putImageData(image, 0, 0);
  tile.image = canvas;
  return canvas;
}

function paintCell(pixels: Uint8ClampedArray, x: number, cell: Uint8Array): void {
  const most = cell[0]! & 15;
  const work = cell[0]! >> 4;
  const put = (y: number, [r, g, b]: [number, number, number], alpha: number, dim: number) => {
    const at = 4 * (y * CELLS + x);
    pixels[at] = r * dim;
    pixels[at + 1] = g * dim;
    pixels[at + 2] = b * dim;
    pixels[at + 3] = alpha;
  };
  if (most && !isWork(most)) {
    const top = (BAR - STRIP) >> 1;
    for (let y = top; y < top + STRIP; y++) put(y, rgb(classColour(most)), Math.max(70, cell[1]!), 1);
  }
  const height = cell[2] ? Math.max(2, Math.ceil((cell[2] * BAR) / 255)) : 0;
  const colour = rgb(classColour(work));
  for (let y = BAR - height; y < BAR; y++) put(y, colour, 255, cell[3]! > 1 && y === BAR - 1 ? 0.6 : 1);
}

// The strip or bar of one span: [top, height] within a lane's bar.
export function spanBox(cls: number): [number, number] {
  return isWork(cls) ? [0, BAR] : [(BAR - STRIP) >> 1, STRIP];
}
