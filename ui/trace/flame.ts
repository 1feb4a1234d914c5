// ui/trace/flame.ts - a flame graph of a selection: roots on top.
// Room: a small one, drawn whole at each zoom; the profile pages have the one with everything. Click comes near a frame, a click
// on the first row goes back; arrows, Enter and Escape do the same.
import { fitText, Surface } from '../common/canvas.ts';
import { category, paint } from '../common/colours.ts';
import { h } from '../common/dom.ts';
import { Mirror } from '../common/mirror.ts';
import { hideTooltip, showTooltip } from '../common/tooltip.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { Flame } from './api.ts';
import { hashOf } from './paint.ts';

const ROW = 18;
const N_HUES = 12;

interface Node { depth: number; name: string; total: number; self: number; x: number; parent: number; next: number } // next: behind its subtree

function toNodes(flame: Flame): Node[] {
  const nodes: Node[] = [];
  const path: number[] = [];
  const used: number[] = [];
  for (let i = 0; i < flame.nodes.length; i += 4) {
    const [depth, name, total, self] = flame.nodes.slice(i, i + 4) as [number, number, number, number];
    const parent = depth ? path[depth - 1]! : -1;
    const x = parent < 0 ? (used[0] ?? 0) : nodes[parent]!.x + (used[depth] ?? 0);
    path[depth] = nodes.length;
    used[depth] = (used[depth] ?? 0) + total;
    used[depth + 1] = 0;
    nodes.push({ depth, name: flame.names[name] ?? '', total, self, x, parent, next: nodes.length + 1 });
    for (let p = parent; p >= 0; p = nodes[p]!.parent) nodes[p]!.next = nodes.length;
  }
  return nodes;
}

export class FlameGraph {
  readonly element: HTMLElement;
  private nodes: Node[] = [];
  private total = 0;
  private unit = 'count';
  private root = -1;
  private current = 0;
  private readonly surface: Surface;
  private readonly mirror: Mirror;

  constructor() {
    this.element = h('div', { class: 'flame' });
    this.surface = new Surface(this.element, (ctx) => this.draw(ctx));
    this.mirror = new Mirror('Flame graph of the selection', 'flame', (event) => this.onKey(event));
    this.element.appendChild(this.mirror.element);
    this.surface.canvas.addEventListener('pointermove', (event) => this.onMove(event));
    this.surface.canvas.addEventListener('pointerleave', () => hideTooltip());
    this.surface.canvas.addEventListener('click', (event) => this.zoom(this.at(event.offsetX, event.offsetY)));
  }

  show(flame: Flame, unit: string): void {
    this.nodes = toNodes(flame);
    this.total = flame.total;
    this.unit = unit;
    this.root = -1;
    this.current = 0;
    const depth = this.nodes.reduce((most, node) => Math.max(most, node.depth), 0);
    this.element.style.height = `${Math.max(2, depth + 2) * ROW + 2}px`;
    this.surface.invalidate();
    this.describe();
  }

  private scale(): { x: number; total: number } {
    const root = this.nodes[this.root];
    return root ? { x: root.x, total: root.total } : { x: 0, total: this.total };
  }

  private boxOf(node: Node): [x: number, width: number] {
    const { x, total } = this.scale();
    return [((node.x - x) / total) * this.surface.width, (node.total / total) * this.surface.width];
  }

  private isAncestor(i: number): boolean {
    return this.root >= 0 && i <= this.root && this.nodes[i]!.next > this.root;
  }

  private draw(ctx: CanvasRenderingContext2D): void {
    const { width, height } = this.surface;
    ctx.fillStyle = paint().background;
    ctx.fillRect(0, 0, width, height);
    this.drawBox(ctx, 0, 0, width, `all, ${formatValue(this.total, this.unit)}`, paint().root);
    for (let i = 0; i < this.nodes.length; ) {
      const node = this.nodes[i]!;
      const [x, w] = this.isAncestor(i) ? [0, width] : this.boxOf(node);
      if (w < 0.7 || x >= width || x + w <= 0) {
        i = this.isAncestor(i) ? i + 1 : node.next;
        continue;
      }
      const from = Math.max(0, x);
      this.drawBox(ctx, from, (node.depth + 1) * ROW, Math.min(width, x + w) - from, node.name, category(hashOf(packageOf(node.name)) % N_HUES));
      i++;
    }
    const at = this.nodes[this.current];
    if (!at || document.activeElement !== this.mirror.element) return;
    const [x, w] = this.isAncestor(this.current) ? [0, width] : this.boxOf(at);
    ctx.strokeStyle = paint().focus;
    ctx.lineWidth = 2;
    ctx.strokeRect(x + 1, (at.depth + 1) * ROW + 1, Math.max(2, w - 2), ROW - 2);
  }

  private drawBox(ctx: CanvasRenderingContext2D, x: number, y: number, width: number, text: string, colour: string): void {
    ctx.fillStyle = colour;
    ctx.fillRect(x, y, Math.max(0.7, width - 0.5), ROW - 1);
    if (width < 24) return;
    ctx.fillStyle = paint().text;
    ctx.fillText(fitText(ctx, text, width - 8), x + 4, y + ROW / 2);
  }

  private at(x: number, y: number): number {
    const depth = Math.floor(y / ROW) - 1;
    return this.nodes.findIndex((node, i) => {
      const [left, width] = this.isAncestor(i) ? [0, this.surface.width] : this.boxOf(node);
      return node.depth === depth && x >= left && x < left + width;
    });
  }

  private text(node: Node): string {
    return `${node.name}: ${formatValue(node.total, this.unit)}, ${formatPercent(node.total, this.total)}; itself ${formatValue(node.self, this.unit)}`;
  }

  private onMove(event: PointerEvent): void {
    const node = this.nodes[this.at(event.offsetX, event.offsetY)];
    if (node) showTooltip(event.clientX, event.clientY, this.text(node));
    else hideTooltip();
  }

  private zoom(i: number): void {
    this.root = i;
    this.current = Math.max(0, i);
    this.surface.invalidate();
    this.describe();
  }

  private onKey(event: KeyboardEvent): void {
    const node = this.nodes[this.current];
    if (!node) return;
    const siblings = this.nodes.flatMap((n, i) => (n.parent === node.parent ? [i] : []));
    const place = siblings.indexOf(this.current);
    const to: Record<string, number | undefined> = {
      ArrowDown: node.next > this.current + 1 ? this.current + 1 : undefined, ArrowUp: node.parent >= 0 ? node.parent : undefined,
      ArrowLeft: siblings[place - 1], ArrowRight: siblings[place + 1], Home: 0,
    };
    if (event.key === 'Enter') this.zoom(this.current);
    else if (event.key === 'Escape' && this.root >= 0) this.zoom(-1);
    else if (event.key in to) this.current = to[event.key] ?? this.current;
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.surface.invalidate();
    this.describe();
  }

  private describe(): void {
    const node = this.nodes[this.current];
    if (!node) {
      this.mirror.show([{ label: 'No stacks', level: 1, position: 1, siblings: 1, isCurrent: true }]);
      return;
    }
    this.mirror.show([{ label: this.text(node), level: node.depth + 1, position: 1, siblings: 1, isCurrent: true }]);
  }
}

// "net/http" of "net/http.(*conn).serve": what shares a colour.
function packageOf(name: string): string {
  const slash = name.lastIndexOf('/');
  const dot = name.indexOf('.', slash + 1);
  return dot > 0 ? name.slice(0, dot) : name;
}
