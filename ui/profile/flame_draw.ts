// ui/profile/flame_draw.ts - paints a tree of intervals on a canvas.
// Room: boxes, labels, hatching, marks; where things are (geometry) is handed in. Boxes out of sight or below half a pixel
// cost nothing: their whole subtree is skipped.
import { fitText, hatch, textWidth } from '../common/canvas.ts';
import { difference, paint } from '../common/colours.ts';
import { shorter } from './names.ts';
import type { Frames, Tree } from './flame_tree.ts';

export const ROW = 20;
const MIN_LABEL = 30; // px: below that not three letters fit
const MIN_BOX = 0.5; // px: narrower boxes are painted as one grey run with their neighbours

// What is drawn with: a canvas, or whatever takes the same calls (flame_picture.ts).
type Calls = 'fillStyle' | 'fillRect' | 'fillText' | 'beginPath' | 'moveTo' | 'lineTo' | 'measureText' | 'createPattern';
export interface Brush extends Pick<CanvasRenderingContext2D, Calls> {
  fill(): void;
  node?(i: number, sign: 1 | -1): void; // what comes next belongs to this node
}

export interface Look {
  colourOf(frame: number): string; // of a frame's number in Frames; -1: the root
  isDiff: boolean;
  isLit?: (frame: number) => boolean; // a search: what it does not light is dimmed
  rootLabel: string;
}

export interface Geometry {
  left: number; // the weight at x = 0
  scale: number; // pixels a weight
  width: number;
  height: number;
  y(level: number): number; // top of a row
}

const labels = new Map<string, string[]>();

function labelFor(ctx: Brush, name: string, width: number): string {
  let choices = labels.get(name);
  if (!choices) labels.set(name, (choices = shorter(name)));
  for (const choice of choices) if (textWidth(ctx, choice) <= width) return choice;
  return fitText(ctx, choices[choices.length - 1]!, width);
}

// How much more (1: new) or less (-1: gone) a node has than its base.
export function changeOf(t: Tree, i: number): number {
  const now = t.total[i]!;
  const before = t.base[i]!;
  const most = Math.max(Math.abs(now), Math.abs(before));
  return most ? (now - before) / most : 0;
}

function drawTriangle(ctx: Brush, x: number, y: number, isUp: boolean): void {
  const tip = isUp ? -4 : 4;
  ctx.beginPath();
  ctx.moveTo(x, y - tip);
  ctx.lineTo(x + 8, y - tip);
  ctx.lineTo(x + 4, y + tip);
  ctx.fill();
}

interface Pen {
  ctx: Brush;
  tree: Tree;
  frames: Frames;
  look: Look;
  geometry: Geometry;
  sign: 1 | -1; // -1: callers, drawn away from the middle
  hatch: CanvasPattern;
}

function drawLabel(pen: Pen, i: number, x: number, y: number, width: number, isLit: boolean): void {
  const { ctx, tree, frames, look } = pen;
  const colours = paint();
  const frame = tree.frame[i]!;
  let left = Math.max(x, 0) + 5;
  ctx.fillStyle = isLit ? colours.text : colours.dimText;
  if (look.isDiff && i > 0 && Math.abs(changeOf(tree, i)) > 0.02 && width > 40) {
    drawTriangle(ctx, left, y + ROW / 2, changeOf(tree, i) > 0);
    left += 13;
  }
  const room = Math.min(x + width, pen.geometry.width) - left - 4;
  if (room < MIN_LABEL - 9) return;
  const text = labelFor(ctx, frame < 0 ? look.rootLabel : frames.list[frame]!.name, room);
  if (text) ctx.fillText(text, left, y + ROW / 2 + 0.5);
}

function boxColour(pen: Pen, i: number, isLit: boolean): string {
  const { look, tree } = pen;
  if (!isLit) return paint().dim;
  if (look.isDiff && tree.frame[i]! >= 0) return difference(changeOf(tree, i));
  return look.colourOf(tree.frame[i]!);
}

function drawBox(pen: Pen, i: number, x: number, width: number): void {
  const { ctx, tree, look, geometry } = pen;
  const frame = tree.frame[i]!;
  const isLit = frame < 0 || !look.isLit || look.isLit(frame);
  const y = geometry.y(tree.depth[i]! * pen.sign);
  if (y > geometry.height || y + ROW < 0) return;
  const left = Math.max(x, -2);
  const right = Math.min(x + width, geometry.width + 2);
  const isInlined = tree.inlined[i] === 1;
  ctx.fillStyle = boxColour(pen, i, isLit);
  const gap = right - left > 3 ? 1 : 0;
  ctx.fillRect(left, isInlined ? y - 1 : y, right - left - gap, isInlined ? ROW : ROW - 1);
  if (isInlined && width > 6) {
    ctx.fillStyle = isLit ? paint().faint : paint().dimText;
    ctx.fillRect(left, y, 2, ROW - 1);
  }
  if (look.isLit && isLit && frame >= 0) {
    ctx.fillStyle = paint().match;
    ctx.fillRect(left, y + ROW - 4, right - left - gap, 3);
  }
  if (right - left >= MIN_LABEL) drawLabel(pen, i, x, y, width, isLit);
}

// Weight below node i that has no boxes: always seen, never mistaken for nothing.
function drawHidden(pen: Pen, i: number): void {
  const { ctx, tree, geometry } = pen;
  const width = tree.hidden[i]! * geometry.scale;
  if (width < 0.3) return;
  const self = Math.abs(tree.self[i]!) + Math.abs(tree.baseSelf[i]!);
  const x = (tree.x[i]! + tree.width[i]! - self - tree.hidden[i]! - geometry.left) * geometry.scale;
  const y = geometry.y((tree.depth[i]! + 1) * pen.sign);
  if (x > geometry.width || x + width < 0 || y > geometry.height || y + ROW < 0) return;
  ctx.fillStyle = width < 4 ? paint().hatch : pen.hatch; // no room for stripes
  ctx.fillRect(Math.max(x, 0), y, Math.min(x + width, geometry.width) - Math.max(x, 0) - (width > 3 ? 1 : 0), ROW - 1);
}

export function drawTree(ctx: Brush, tree: Tree, frames: Frames, look: Look, geometry: Geometry, sign: 1 | -1): number {
  const pen: Pen = { ctx, tree, frames, look, geometry, sign, hatch: hatch(ctx, paint().hatch, paint().background) };
  let n = 0;
  for (let i = sign < 0 ? 1 : 0; i < tree.n; ) {
    const x = (tree.x[i]! - geometry.left) * geometry.scale;
    const width = tree.width[i]! * geometry.scale;
    if (x > geometry.width || x + width < 0) {
      i = tree.end[i]!;
      continue;
    }
    if (width < MIN_BOX) {
      const y = geometry.y(tree.depth[i]! * sign);
      ctx.fillStyle = paint().hatch;
      ctx.fillRect(x, y, Math.max(width, 0.25), ROW - 1);
      i = tree.end[i]!;
      continue;
    }
    ctx.node?.(i, sign);
    drawBox(pen, i, x, width);
    drawHidden(pen, i);
    n++;
    i++;
  }
  if (sign < 0 && tree.n) drawHidden(pen, 0);
  return n;
}
