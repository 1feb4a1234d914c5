// ui/profile/flame_chart.ts - a flame graph one can move in: zoom, pan, hover, walk by keys.
// Room: the window of weight in sight, the current node, and what pointer and keys do to both. It knows no server: whoever
// owns a chart gives it trees, and hears what is chosen and when a finer tree would show more.
import { Surface } from '../common/canvas.ts';
import { paint } from '../common/colours.ts';
import { clamp, h, type Child } from '../common/dom.ts';
import { keyName } from '../common/keys.ts';
import { Mirror, type MirrorItem } from '../common/mirror.ts';
import { hideTooltip, showTooltip } from '../common/tooltip.ts';
import { drawTree, ROW, type Brush, type Geometry, type Look } from './flame_draw.ts';
import type { Frames, Tree } from './flame_tree.ts';
import { Minimap } from './minimap.ts';

export interface Spot {
  side: 'down' | 'up';
  node: number;
}

export interface ChartOwner {
  describe(spot: Spot): string; // in words, for the mirror
  tooltip(spot: Spot): Child[];
  onCurrent(spot: Spot | undefined): void; // hovered, or moved to by keys
  onZoom(spot: Spot): void; // asked to fit this node
  onMenu(spot: Spot, at: { x: number; y: number }): void;
  onSettled(): void; // the window stopped moving
  onKey(key: string, spot: Spot): boolean; // a key that the chart does not know
}

const ZOOM_MS = 140; // long enough to see where a box went
const SETTLED_MS = 160; // after the last wheel turn

export class FlameChart {
  readonly element: HTMLElement;
  readonly surface: Surface;
  readonly mirror: Mirror;
  trees: { down?: Tree; up?: Tree } = {};
  current: Spot = { side: 'down', node: 0 };
  isFlame = false; // the root at the bottom
  look: Look = { colourOf: () => '#888', isDiff: false, rootLabel: 'root' };
  n_drawn = 0;
  left = 0; // the window, in weight
  right = 1;
  private top = 0; // px scrolled
  private readonly minimap: Minimap;
  private settle = 0;
  private hovered: Spot | undefined;

  constructor(
    readonly frames: Frames,
    private readonly owner: ChartOwner,
  ) {
    const box = h('div', { class: 'flame-box' });
    this.minimap = new Minimap((left, right) => this.moveTo(left, right));
    this.element = h('div', { class: 'flame-chart' }, this.minimap.element, box);
    this.mirror = new Mirror('Flame graph', 'flame-node', (event) => this.onKey(event));
    this.surface = new Surface(box, (ctx) => this.draw(ctx));
    box.appendChild(this.mirror.element);
    this.mirror.element.addEventListener('focus', () => {
      this.surface.invalidate();
      this.showMirror();
    });
    this.mirror.element.addEventListener('blur', () => this.surface.invalidate());
    this.listen(box);
  }

  get whole(): number {
    return this.trees.down?.width[0] || 1;
  }

  // New trees. keepWindow: they are finer versions of the same, so nothing may jump.
  setTrees(down: Tree, up: Tree | undefined, keepWindow: boolean): void {
    this.trees = up ? { down, up } : { down };
    if (!keepWindow) {
      this.left = 0;
      this.right = this.whole;
      this.top = 0;
      this.current = { side: 'down', node: 0 };
    }
    this.current.node = Math.min(this.current.node, Math.max(0, (this.trees[this.current.side]?.n ?? 1) - 1));
    this.redraw();
    this.showMirror();
  }

  redraw(): void {
    this.clampTop();
    this.minimap.set(this.trees, this.look, this.left, this.right);
    this.surface.invalidate();
  }

  treeOf(spot: Spot): Tree {
    return this.trees[spot.side] ?? this.trees.down!;
  }

  private get upLevels(): number {
    return Math.max(0, (this.trees.up?.levels ?? 1) - 1);
  }
  private get levels(): number {
    return (this.trees.down?.levels ?? 0) + this.upLevels + 1; // one more for what is hidden below the last
  }

  private clampTop(): void {
    this.top = clamp(this.top, 0, Math.max(0, this.levels * ROW - this.surface.height));
  }

  // top: px scrolled.
  private geometry({ width, height }: { width: number; height: number } = this.surface, top = this.top): Geometry {
    const first = this.upLevels;
    const y = this.isFlame ? (level: number) => height - (level + first + 1) * ROW + top : (level: number) => (level + first) * ROW - top;
    return { left: this.left, scale: width / (this.right - this.left), width, height, y };
  }

  private draw(ctx: CanvasRenderingContext2D): void {
    const { width, height } = this.surface;
    ctx.fillStyle = paint().background;
    ctx.fillRect(0, 0, width, height);
    const geometry = this.geometry();
    this.n_drawn = this.paint(ctx, geometry);
    const hasFocus = document.activeElement === this.mirror.element;
    if (this.hovered) this.outline(ctx, geometry, this.hovered, 1.5);
    if (hasFocus) this.outline(ctx, geometry, this.current, 2.5);
  }

  private paint(ctx: Brush, geometry: Geometry): number {
    const { down, up } = this.trees;
    return (down ? drawTree(ctx, down, this.frames, this.look, geometry, 1) : 0) + (up ? drawTree(ctx, up, this.frames, this.look, geometry, -1) : 0);
  }

  // Every row of what is in sight from side to side.
  wholeSize(): { width: number; height: number } {
    return { width: this.surface.width, height: this.levels * ROW };
  }

  // The same, drawn so far below the upper edge.
  paintWhole(ctx: Brush, below: number): void {
    const { width, height } = this.wholeSize();
    this.paint(ctx, this.geometry({ width, height: height + below }, this.isFlame ? 0 : -below));
  }

  private outline(ctx: CanvasRenderingContext2D, geometry: Geometry, spot: Spot, line: number): void {
    const tree = this.trees[spot.side];
    if (!tree || spot.node >= tree.n) return;
    const x = (tree.x[spot.node]! - geometry.left) * geometry.scale;
    const right = x + Math.max(2, tree.width[spot.node]! * geometry.scale);
    const y = geometry.y(tree.depth[spot.node]! * (spot.side === 'up' ? -1 : 1));
    ctx.strokeStyle = paint().focus;
    ctx.lineWidth = line;
    const edge = Math.max(x, 0) + line / 2;
    ctx.strokeRect(edge, y + line / 2, Math.min(right, geometry.width) - edge - line / 2 - 1, ROW - line - 1);
  }

  // What is at a point of the canvas.
  hit(x: number, y: number): Spot | undefined {
    const geometry = this.geometry();
    const level = this.isFlame ? Math.floor((geometry.height + this.top - y) / ROW) - this.upLevels : Math.floor((y + this.top) / ROW) - this.upLevels;
    const side = level < 0 ? 'up' : 'down';
    const tree = this.trees[side];
    if (!tree) return undefined;
    const weight = geometry.left + x / geometry.scale;
    const depth = Math.abs(level);
    for (let i = 0; i < tree.n; ) {
      if (weight < tree.x[i]! || weight >= tree.x[i]! + tree.width[i]!) i = tree.end[i]!;
      else if (tree.depth[i] === depth) return { side, node: i };
      else i++;
    }
    return undefined;
  }

  // Where a node is drawn, in CSS pixels of the page; tests click there.
  boxOf(spot: Spot): { x: number; y: number; width: number; height: number } {
    const tree = this.treeOf(spot);
    const geometry = this.geometry();
    const frame = this.surface.canvas.getBoundingClientRect();
    const x = clamp((tree.x[spot.node]! - geometry.left) * geometry.scale, 0, geometry.width);
    const end = clamp((tree.x[spot.node]! + tree.width[spot.node]! - geometry.left) * geometry.scale, 0, geometry.width);
    return { x: frame.left + x, y: frame.top + geometry.y(tree.depth[spot.node]! * (spot.side === 'up' ? -1 : 1)), width: end - x, height: ROW };
  }

  moveTo(left: number, right: number): void {
    const span = clamp(right - left, this.whole / 1e7, this.whole);
    this.left = clamp(left, 0, this.whole - span);
    this.right = this.left + span;
    this.redraw();
    clearTimeout(this.settle);
    this.settle = window.setTimeout(() => this.owner.onSettled(), SETTLED_MS);
  }

  // Makes a node as wide as the canvas, and brings its row in sight.
  fit(spot: Spot, isAnimated = true): void {
    const tree = this.treeOf(spot);
    this.showRow(spot);
    this.glide(tree.x[spot.node]!, tree.x[spot.node]! + tree.width[spot.node]!, isAnimated);
  }

  private glide(left: number, right: number, isAnimated: boolean): void {
    if (!isAnimated || matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden) return this.moveTo(left, right);
    const [fromLeft, fromRight, start] = [this.left, this.right, performance.now()];
    const step = () => {
      const t = Math.min(1, (performance.now() - start) / ZOOM_MS);
      const eased = 1 - (1 - t) ** 3;
      this.moveTo(fromLeft + (left - fromLeft) * eased, fromRight + (right - fromRight) * eased);
      if (t < 1) requestAnimationFrame(step);
    };
    step();
  }

  zoomAt(x: number, factor: number): void {
    const at = this.left + (x / this.surface.width) * (this.right - this.left);
    this.moveTo(at - (at - this.left) * factor, at + (this.right - at) * factor);
  }

  pan(dx: number, dy: number): void {
    const weight = (dx / this.surface.width) * (this.right - this.left);
    this.top += this.isFlame ? -dy : dy;
    this.moveTo(this.left + weight, this.right + weight);
  }

  private showRow(spot: Spot): void {
    const level = this.treeOf(spot).depth[spot.node]! * (spot.side === 'up' ? -1 : 1) + this.upLevels;
    const at = level * ROW;
    if (at - ROW < this.top) this.top = at - ROW;
    else if (at + 3 * ROW > this.top + this.surface.height) this.top = at + 3 * ROW - this.surface.height;
    this.clampTop();
  }

  private listen(box: HTMLElement): void {
    let from: { x: number; y: number } | undefined;
    let moved = false;
    const point = (event: MouseEvent) => {
      const frame = box.getBoundingClientRect();
      return { x: event.clientX - frame.left, y: event.clientY - frame.top };
    };
    box.addEventListener('wheel', (event) => {
      event.preventDefault();
      const dx = event.shiftKey ? event.deltaY : event.deltaX;
      if (Math.abs(dx) > Math.abs(event.shiftKey ? 0 : event.deltaY)) this.pan(dx, 0);
      else if (event.altKey) this.pan(0, event.deltaY);
      else this.zoomAt(point(event).x, Math.exp(clamp(event.deltaY, -240, 240) / 300));
    }, { passive: false });
    box.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      from = point(event);
      moved = false;
      box.setPointerCapture(event.pointerId);
      this.mirror.element.focus({ preventScroll: true });
    });
    box.addEventListener('pointermove', (event) => {
      const at = point(event);
      if (from && event.buttons & 1) {
        if (!moved && Math.hypot(at.x - from.x, at.y - from.y) < 4) return;
        moved = true;
        hideTooltip();
        box.classList.add('panning');
        this.pan(from.x - at.x, from.y - at.y);
        from = at;
      } else this.hover(this.hit(at.x, at.y), event);
    });
    box.addEventListener('pointerup', (event) => {
      box.classList.remove('panning');
      const spot = from && !moved ? this.hit(from.x, from.y) : undefined;
      from = undefined;
      if (!spot || event.button !== 0) return;
      this.setCurrent(spot);
      this.owner.onZoom(spot);
    });
    box.addEventListener('pointerleave', () => this.hover(undefined));
    box.addEventListener('contextmenu', (event) => {
      event.preventDefault();
      const at = point(event);
      const spot = this.hit(at.x, at.y);
      if (!spot) return;
      hideTooltip();
      this.setCurrent(spot);
      this.owner.onMenu(spot, { x: event.clientX, y: event.clientY });
    });
  }

  private hover(spot: Spot | undefined, event?: PointerEvent): void {
    if (spot && event) showTooltip(event.clientX, event.clientY, this.owner.tooltip(spot));
    else hideTooltip();
    if (spot?.node === this.hovered?.node && spot?.side === this.hovered?.side) return;
    this.hovered = spot;
    this.owner.onCurrent(spot);
    this.surface.invalidate();
  }

  setCurrent(spot: Spot): void {
    this.current = spot;
    this.showRow(spot);
    this.surface.invalidate();
    this.showMirror();
    this.owner.onCurrent(spot);
  }

  private children(tree: Tree, i: number): number[] {
    const out: number[] = [];
    for (let child = i + 1; child < tree.end[i]!; child = tree.end[child]!) out.push(child);
    return out;
  }

  private showMirror(): void {
    const tree = this.trees[this.current.side];
    if (!tree?.n) return;
    const { side, node } = this.current;
    const chain: number[] = [];
    for (let i = node; i >= 0; i = tree.parent[i]!) chain.unshift(i);
    const item = (i: number): MirrorItem => {
      const parent = tree.parent[i]!;
      const siblings = parent < 0 ? [i] : this.children(tree, parent);
      return {
        label: this.owner.describe({ side, node: i }), level: tree.depth[i]! + 1, position: siblings.indexOf(i) + 1, siblings: siblings.length,
        isCurrent: i === node, ...(tree.end[i]! > i + 1 ? { expanded: i === node || chain.includes(i) } : {}),
      };
    };
    this.mirror.show([...chain, ...this.children(tree, node).slice(0, 20)].map(item));
  }

  // Arrows walk as the picture lies: towards the leaves is down in an icicle, up in a flame.
  private step(key: string): Spot | undefined {
    const { side, node } = this.current;
    const tree = this.treeOf(this.current);
    const isDown = (key === 'ArrowDown') !== (this.isFlame !== (side === 'up'));
    const parent = tree.parent[node]!;
    if (key === 'Home') return { side: 'down', node: 0 };
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      if (parent < 0) return undefined;
      const siblings = this.children(tree, parent);
      const next = siblings[siblings.indexOf(node) + (key === 'ArrowLeft' ? -1 : 1)];
      return next === undefined ? undefined : { side, node: next };
    }
    if (isDown) return tree.end[node]! > node + 1 ? { side, node: node + 1 } : undefined;
    if (parent >= 0) return { side: parent === 0 ? 'down' : side, node: parent };
    const other = this.trees[side === 'down' ? 'up' : 'down'];
    return other && other.n > 1 ? { side: side === 'down' ? 'up' : 'down', node: 1 } : undefined;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.trees.down) return;
    const key = keyName(event);
    const middle = this.surface.width / 2;
    if (['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home'].includes(key)) {
      const to = this.step(key);
      if (to) {
        this.setCurrent(to);
        this.reveal(to);
      }
    } else if (key === 'Enter' || key === ' ') this.owner.onZoom(this.current);
    else if (key === '+' || key === '=') this.zoomAt(middle, 0.7);
    else if (key === '-') this.zoomAt(middle, 1 / 0.7);
    else if (key === 'a') this.pan(-this.surface.width / 4, 0);
    else if (key === 'd') this.pan(this.surface.width / 4, 0);
    else if (key === 'PageDown' || key === 'PageUp') this.pan(0, (key === 'PageDown' ? 1 : -1) * this.surface.height * 0.8 * (this.isFlame ? -1 : 1));
    else if (key === 'm' || key === 'ContextMenu' || (key === 'F10' && event.shiftKey)) this.menuAtCurrent();
    else if (!this.owner.onKey(key, this.current)) return;
    event.preventDefault();
  }

  private menuAtCurrent(): void {
    const box = this.boxOf(this.current);
    this.owner.onMenu(this.current, { x: box.x + Math.min(24, box.width / 2), y: box.y + ROW });
  }

  // Moves the window so that a node walked to is in sight and can be read.
  reveal(spot: Spot): void {
    const tree = this.treeOf(spot);
    const [x, width] = [tree.x[spot.node]!, tree.width[spot.node]!];
    const isSeen = x < this.right && x + width > this.left && (width / (this.right - this.left)) * this.surface.width > 3;
    if (isSeen) return this.surface.invalidate();
    const span = Math.min(this.right - this.left, Math.max(width * 4, this.whole / 1e6));
    this.moveTo(x + width / 2 - span / 2, x + width / 2 + span / 2);
  }
}
