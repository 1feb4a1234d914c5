// ui/trace/mmu.ts - minimum mutator utilization: the least share of any window of time that collection leaves to the program.
// Room: the curve over the window's length, and the worst windows of the length chosen.
import { Surface } from '../common/canvas.ts';
import { paint } from '../common/colours.ts';
import { clamp, h, replace } from '../common/dom.ts';
import { ask } from './api.ts';
import type { PageLinks } from './tables.ts';
import { lengthText } from './time.ts';

type Point = [window: number, least: number, p999: number, p99: number, p95: number];
interface Mmu { series: number; points?: Point[]; worst?: { start: number; share: number }[] }

const LEFT = 54;
const BOTTOM = 26;
const TOP = 10;
const choices = [
  ['stw', 'Stop-the-world'], ['background', 'Background workers'], ['assist', 'Mark assists'], ['sweep', 'Sweeping'], ['perproc', 'Each processor on its own'],
] as const;
const curves = ['least', '99.9 %', '99 %', '95 %'];
const usual = 'stw,background,assist';

class MmuChart {
  readonly element: HTMLElement;
  private readonly surface: Surface;
  points: Point[] = [];
  chosen = 0; // window, ns
  showsMore = false;

  constructor(onChoose: (window: number) => void) {
    this.element = h('div', { class: 'mmu-chart', role: 'img', 'aria-label': 'Minimum mutator utilization by window length' });
    this.surface = new Surface(this.element, (ctx) => this.draw(ctx));
    this.surface.canvas.addEventListener('click', (event) => {
      const nearest = this.nearest(event.offsetX);
      if (nearest) onChoose(nearest[0]);
    });
  }

  show(points: Point[], chosen: number, showsMore: boolean): void {
    Object.assign(this, { points, chosen, showsMore });
    this.surface.invalidate();
  }

  private x(window: number): number {
    const [first, last] = [this.points[0]?.[0] ?? 1, this.points.at(-1)?.[0] ?? 10];
    return LEFT + (Math.log(window / first) / Math.log(Math.max(1.001, last / first))) * (this.surface.width - LEFT - 16);
  }

  private y(share: number): number {
    return TOP + (1 - share) * (this.surface.height - TOP - BOTTOM);
  }

  private nearest(x: number): Point | undefined {
    return this.points.reduce<Point | undefined>((best, p) => (!best || Math.abs(this.x(p[0]) - x) < Math.abs(this.x(best[0]) - x) ? p : best), undefined);
  }

  private draw(ctx: CanvasRenderingContext2D): void {
    const colours = paint();
    const { width, height } = this.surface;
    ctx.fillStyle = colours.background;
    ctx.fillRect(0, 0, width, height);
    ctx.fillStyle = colours.faint;
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      ctx.fillText(`${share * 100} %`, 8, clamp(this.y(share), 8, height - BOTTOM));
      ctx.globalAlpha = 0.25;
      ctx.fillRect(LEFT, this.y(share), width - LEFT - 16, 1);
      ctx.globalAlpha = 1;
    }
    for (let window = 10 ** Math.ceil(Math.log10(this.points[0]?.[0] ?? 1)); window <= (this.points.at(-1)?.[0] ?? 0); window *= 10) {
      ctx.fillText(lengthText(window), this.x(window) - 14, height - BOTTOM / 2);
      ctx.fillRect(this.x(window), height - BOTTOM, 1, 5);
    }
    for (let curve = this.showsMore ? 3 : 0; curve >= 0; curve--) this.drawCurve(ctx, curve);
    if (!this.chosen) return;
    ctx.fillStyle = colours.focus;
    ctx.fillRect(this.x(this.chosen), TOP, 1.5, height - TOP - BOTTOM);
  }

  private drawCurve(ctx: CanvasRenderingContext2D, curve: number): void {
    const colours = paint();
    ctx.strokeStyle = curve ? colours.faint : colours.focus;
    ctx.setLineDash(curve ? [3 + curve * 2, 3] : []);
    ctx.lineWidth = curve ? 1 : 2;
    ctx.beginPath();
    this.points.forEach((point, i) => (i ? ctx.lineTo(this.x(point[0]), this.y(point[curve + 1]!)) : ctx.moveTo(this.x(point[0]), this.y(point[curve + 1]!))));
    ctx.stroke();
    ctx.setLineDash([]);
    const last = this.points.at(-1);
    ctx.fillStyle = colours.text;
    if (last && this.showsMore) ctx.fillText(curves[curve]!, this.surface.width - 60, this.y(last[curve + 1]!) - 8);
  }
}

export function mmuPage(links: PageLinks): HTMLElement {
  const flags = (links.get('flags') || usual).split(',');
  const window = Number(links.get('window') || 0);
  const chart = new MmuChart((chosen) => links.go('mmu', { window: String(chosen) }));
  const toggle = (flag: string) => {
    const next = flags.includes(flag) ? flags.filter((f) => f !== flag) : [...flags, flag];
    links.go('mmu', { flags: next.join(',') || usual });
  };
  const boxes = choices.map(([id, title]) => h('label', { class: 'choice' }, h('input', { type: 'checkbox', checked: flags.includes(id), onchange: () => toggle(id) }), title));
  const more = h('input', { type: 'checkbox', onchange: () => chart.show(chart.points, window, more.checked) });
  const worst = h('div', { class: 'mmu-worst' });
  const windows = h('label', { class: 'choice' }, 'Window ', windowMenu(window, (ns) => links.go('mmu', { window: ns })));
  ask<Mmu>('mmu', { flags: flags.join(','), window: window || '' }).then((mmu) => {
    if (!mmu.points) replace(worst, h('p', { class: 'faint' }, 'This trace does not tell what collection took: there was none in it, or the program has none.'));
    else chart.show(mmu.points, window, more.checked);
    if (mmu.worst) replace(worst, worstTable(links, mmu.worst, window));
  }).catch(links.onError);
  return h('main', { class: 'table-page', id: 'main' },
    h('div', { class: 'page-head' }, h('h1', {}, 'Minimum mutator utilization'), h('p', { class: 'faint' }, 'In every window of that length, at least this share of the processors was left to the program. Click the curve for the worst windows.')),
    h('div', { class: 'page-tools' }, boxes, h('label', { class: 'choice' }, more, 'Percentiles'), windows),
    chart.element, worst);
}

// The same as a click on the curve, for the keyboard.
function windowMenu(chosen: number, go: (ns: string) => void): HTMLElement {
  const lengths = [1e6, 2e6, 5e6, 1e7, 2e7, 5e7, 1e8, 1e9];
  const options = [0, ...new Set([...lengths, ...(chosen ? [chosen] : [])])].sort((a, b) => a - b);
  const menu = h('select', { onchange: () => go(Number(menu.value) ? menu.value : '') }, options.map((ns) => h('option', { value: ns, selected: ns === chosen }, ns ? lengthText(ns) : 'none')));
  return menu;
}

function worstTable(links: PageLinks, worst: NonNullable<Mmu['worst']>, window: number): HTMLElement {
  const place = (start: number) => links.href('', { k: 'proc', t0: String(Math.max(0, Math.round(start - window / 5))), t1: String(Math.round(start + window * 1.2)), s0: String(start), s1: String(start + window), sl: '', lane: '', window: '', flags: '' });
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Worst windows' }, h('h2', {}, `The worst windows of ${lengthText(window)}`), h('table', { class: 'sums' },
    h('tbody', {}, worst.map((w) => h('tr', {}, h('th', { scope: 'row' }, h('a', { href: place(w.start) }, `at ${lengthText(w.start)}`)), h('td', {}, `${(w.share * 100).toFixed(1)} % for the program`))))));
}
