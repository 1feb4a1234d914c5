// ui/profile/minimap.ts - the whole flame graph in a strip, with the part in sight marked; drag to move it.
// Room: drawing and dragging; the picture is made once for a tree and kept. Keys move the window in the chart itself, so
// the strip is decoration to a reader.
import { Surface } from '../common/canvas.ts';
import { difference, paint } from '../common/colours.ts';
import { onTheme } from '../common/theme.ts';
import { clamp, h } from '../common/dom.ts';
import { changeOf, type Look } from './flame_draw.ts';
import type { Tree } from './flame_tree.ts';

const HANDLE = 5; // px: this near an edge of the window, a drag moves that edge

export class Minimap {
  readonly element = h('div', { class: 'minimap' });
  private readonly surface: Surface;
  private picture: HTMLCanvasElement | undefined;
  private trees: { down?: Tree; up?: Tree } = {};
  private look: Look | undefined;
  private left = 0;
  private right = 1;

  constructor(private readonly onMove: (left: number, right: number) => void) {
    this.surface = new Surface(this.element, (ctx) => this.draw(ctx), () => (this.picture = undefined));
    onTheme(() => (this.picture = undefined));
    this.listen();
  }

  set(trees: { down?: Tree; up?: Tree }, look: Look, left: number, right: number): void {
    if (trees !== this.trees || look !== this.look) this.picture = undefined;
    this.trees = trees;
    this.look = look;
    this.left = left;
    this.right = right;
    this.surface.invalidate();
  }

  private get whole(): number {
    return this.trees.down?.width[0] || 1;
  }

  private paintTree(ctx: CanvasRenderingContext2D, tree: Tree, row: number, first: number, sign: number): void {
    const scale = this.surface.width / this.whole;
    for (let i = 0; i < tree.n; ) {
      const width = tree.width[i]! * scale;
      if (width < 0.5) {
        i = tree.end[i]!;
        continue;
      }
      const isLit = tree.frame[i]! < 0 || !this.look?.isLit || this.look.isLit(tree.frame[i]!);
      ctx.fillStyle = !isLit ? paint().dim : this.look?.isDiff ? difference(changeOf(tree, i)) : (this.look?.colourOf(tree.frame[i]!) ?? '');
      ctx.fillRect(tree.x[i]! * scale, (first + tree.depth[i]! * sign) * row, width, row);
      i++;
    }
  }

  private render(): HTMLCanvasElement {
    const picture = document.createElement('canvas');
    picture.width = this.surface.canvas.width;
    picture.height = this.surface.canvas.height;
    const ctx = picture.getContext('2d', { alpha: false })!;
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.fillStyle = paint().background;
    ctx.fillRect(0, 0, this.surface.width, this.surface.height);
    const { down, up } = this.trees;
    const upLevels = Math.max(0, (up?.levels ?? 1) - 1);
    const row = Math.min(4, this.surface.height / Math.max(1, upLevels + (down?.levels ?? 0)));
    if (down) this.paintTree(ctx, down, row, upLevels, 1);
    if (up) this.paintTree(ctx, up, row, upLevels, -1);
    return picture;
  }

  private draw(ctx: CanvasRenderingContext2D): void {
    const { width, height } = this.surface;
    this.picture ??= this.render();
    ctx.drawImage(this.picture, 0, 0, width, height);
    const x0 = (this.left / this.whole) * width;
    const x1 = (this.right / this.whole) * width;
    ctx.fillStyle = paint().background;
    ctx.globalAlpha = 0.65;
    ctx.fillRect(0, 0, x0, height);
    ctx.fillRect(x1, 0, width - x1, height);
    ctx.globalAlpha = 1;
    if (x1 - x0 < width - 1) {
      ctx.strokeStyle = paint().focus;
      ctx.lineWidth = 1.5;
      ctx.strokeRect(x0 + 1, 1, Math.max(3, x1 - x0 - 2), height - 2);
    }
  }

  private listen(): void {
    let drag: { kind: 'left' | 'right' | 'window' | 'new'; at: number; left: number; right: number } | undefined;
    const weightAt = (event: PointerEvent) => {
      const box = this.element.getBoundingClientRect();
      return clamp((event.clientX - box.left) / box.width, 0, 1) * this.whole;
    };
    this.element.addEventListener('pointerdown', (event) => {
      const at = weightAt(event);
      const near = (HANDLE / this.surface.width) * this.whole;
      const isZoomed = this.right - this.left < this.whole * 0.999;
      const kind = !isZoomed ? 'new' : Math.abs(at - this.left) < near ? 'left' : Math.abs(at - this.right) < near ? 'right' : at > this.left && at < this.right ? 'window' : 'new';
      drag = { kind, at, left: this.left, right: this.right };
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener('pointermove', (event) => {
      if (!drag) return;
      const at = weightAt(event);
      const by = at - drag.at;
      if (drag.kind === 'window') this.onMove(drag.left + by, drag.right + by);
      else if (drag.kind === 'left') this.onMove(Math.min(at, drag.right), drag.right);
      else if (drag.kind === 'right') this.onMove(drag.left, Math.max(at, drag.left));
      else if (Math.abs(by) > this.whole * 0.003) this.onMove(Math.min(at, drag.at), Math.max(at, drag.at));
    });
    this.element.addEventListener('pointerup', () => (drag = undefined));
    this.element.addEventListener('dblclick', () => this.onMove(0, this.whole));
  }
}
