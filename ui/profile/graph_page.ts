// ui/profile/graph_page.ts - the call graph: laid out in a worker, drawn as SVG, moved by pointer and keys.
// Room: the picture and its nodes. Graphviz loads with the first graph, never before.
import { clamp, h, iconButton, redraw, replace } from '../common/dom.ts';
import { ask, latest } from '../common/fetch.ts';
import { menuButton, openMenu } from '../common/menu.ts';
import { setViewKeys } from '../common/palette.ts';
import { download } from '../common/toast.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Graph, Top } from './api.ts';
import { failure } from './failure.ts';
import { frameMenu } from './frame_menu.ts';
import type { LayoutReply } from './graph_worker.ts';
import { fileName, setPageExports } from './share.ts';

const NS = 'http://www.w3.org/2000/svg';
const PNG_SCALE = 2; // pixels a point: sharp when printed
const MAX_FOUND = 10_000; // functions a search may mark: what the server gives at once

let worker: Worker | undefined;
let n_asked = 0;
const waiting = new Map<number, { done(svg: string): void; fail(error: Error): void }>();

function layout(dot: string): Promise<string> {
  if (!worker) {
    worker = new Worker('/assets/graph_worker.js', { type: 'module' });
    worker.onmessage = (event: MessageEvent<LayoutReply>) => {
      const { id, svg, error } = event.data;
      const job = waiting.get(id);
      waiting.delete(id);
      if (svg !== undefined) job?.done(svg);
      else job?.fail(new Error(error ?? 'no picture'));
    };
    worker.onerror = () => {
      for (const job of waiting.values()) job.fail(new Error('the layout could not be loaded'));
      waiting.clear();
    };
  }
  const id = ++n_asked;
  worker.postMessage({ id, dot });
  return new Promise((done, fail) => waiting.set(id, { done, fail }));
}

const MAX_LINE = 60; // letters of a line in a box: a C++ name of a thousand makes all else too small to read

// Lines of labels cut to what can be read; the whole name is in the title of the node.
function shortLabels(dot: string): string {
  const cut = (line: string) => {
    const letters = line.match(/\\.|[^\\]/gsu) ?? []; // an escape is one
    return letters.length > MAX_LINE ? `${letters.slice(0, MAX_LINE - 1).join('')}…` : line;
  };
  return dot.replace(/\blabel="((?:[^"\\]|\\.)*)"/gs, (_, label: string) => `label="${label.includes('\\l') ? label : label.split('\\n').map(cut).join('\\n')}"`); // "\l" ends lines of the legend
}

// A name in the picture is text, never markup: what could run is taken out all the same.
function parse(text: string): SVGSVGElement {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  for (const el of parsed.querySelectorAll('script, foreignObject, style')) el.remove();
  for (const el of parsed.querySelectorAll('*')) for (const { name } of [...el.attributes]) if (/^on|href$/i.test(name)) el.removeAttribute(name);
  return document.importNode(parsed, true) as unknown as SVGSVGElement;
}

// Boxes were made for the widths of a font that this machine may not have: labels that would pass their box are squeezed.
function squeezeLabels(svg: SVGSVGElement): void {
  for (const g of svg.querySelectorAll<SVGGElement>('g.node')) {
    const box = g.querySelector<SVGGraphicsElement>('polygon, path, ellipse');
    if (!box) continue;
    const { x, width } = box.getBBox();
    for (const text of g.querySelectorAll('text')) {
      const isLeft = text.getAttribute('text-anchor') === 'start'; // lines of the legend
      const room = isLeft ? x + width - Number(text.getAttribute('x')) - 3 : width - 6;
      if (text.getComputedTextLength() <= room) continue;
      text.setAttribute('textLength', String(room));
      text.setAttribute('lengthAdjust', 'spacingAndGlyphs');
    }
  }
}

class GraphView implements View {
  readonly toolbar = h('div', { class: 'toolbar' });
  private readonly newest = latest();
  private readonly newestFound = latest();
  private readonly box = h('div', { class: 'graph-box', tabindex: '0', role: 'application', 'aria-label': 'Call graph: arrows pan, plus and minus zoom, Tab goes through the functions' });
  private readonly says = h('div', { class: 'graph-says', role: 'status' });
  private svg: SVGSVGElement | undefined;
  private size = { width: 1, height: 1 };
  private window = { x: 0, y: 0, scale: 1 }; // scale: CSS pixels a point

  constructor(main: HTMLElement, private readonly app: App) {
    replace(main, h('h1', { class: 'visually-hidden' }, 'Graph'), h('div', { class: 'graph-page' }, this.box, this.says));
    this.listen();
    setViewKeys([['Pan', '↑ ↓ ← →'], ['Zoom in, out', '+ -'], ['Whole graph', '0'], ['Next function', 'Tab'], ['Menu of the function', 'Enter']]);
    setPageExports([{ label: 'This picture as SVG', run: () => this.saveSvg() }, { label: 'This picture as PNG', run: () => this.savePng() }]);
    this.drawTools();
  }

  close(): void {
    setViewKeys([]);
    setPageExports([]);
  }

  update(changed: ReadonlySet<string>): void {
    this.drawTools();
    if (changed.size === 1 && changed.has('q')) return void this.markFound();
    void this.app.attempt(() => this.load()).then(() => {
      if (this.app.failed) replace(this.box, failure(this.app.failed, this.app.state.get(this.app.failed.option)));
    });
  }

  private async load(): Promise<void> {
    this.say('Laying out…');
    const graph = await this.newest((signal) => this.app.get<Graph>('graph', {}, signal));
    if (!graph) return;
    if (!graph.rows.length) return this.drawNone(graph);
    const dot = await ask('/api/export', this.app.query({ form: 'dot' }), {});
    const svg = parse(await layout(shortLabels(await dot.text())));
    this.size = { width: svg.viewBox.baseVal.width || 1, height: svg.viewBox.baseVal.height || 1 };
    for (const name of ['width', 'height']) svg.setAttribute(name, '100%');
    svg.setAttribute('class', 'graph-svg');
    svg.setAttribute('preserveAspectRatio', 'xMinYMin meet');
    svg.querySelector('title')?.remove();
    this.svg = svg;
    this.nameNodes(graph, svg);
    replace(this.box);
    this.box.appendChild(svg);
    this.fit();
    squeezeLabels(svg);
    void this.markFound();
    this.say(`${graph.rows.length} functions, ${graph.edges.length} calls`);
  }

  private drawNone(graph: Graph): void {
    this.svg = undefined;
    replace(this.box, h('p', { class: 'faint graph-none' }, graph.total ? 'No function is left by the filters.' : 'The profile has no samples of this type.'));
    this.say('');
  }

  private say(text: string): void {
    this.says.textContent = text;
  }

  private nameNodes(graph: Graph, svg: SVGSVGElement): void {
    const total = Math.abs(graph.total) || 1;
    for (const g of svg.querySelectorAll<SVGGElement>('g.node')) {
      const title = g.querySelector('title');
      const node = graph.rows[Number(title?.textContent?.replace(/^N/, '')) - 1];
      title?.remove();
      for (const inner of g.querySelectorAll('a')) inner.replaceWith(...inner.childNodes);
      if (!node) continue;
      const text = `${node.name}: itself ${formatValue(node.flat, graph.unit)} (${formatPercent(node.flat, total)}), with callees ${formatValue(node.cum, graph.unit)} (${formatPercent(node.cum, total)})`;
      const written = [...g.querySelectorAll('text')].map((line) => line.textContent).join(' ');
      for (const [name, value] of Object.entries({ tabindex: '0', role: 'button', 'aria-label': `${written}; ${text}`, 'aria-haspopup': 'menu', 'data-name': node.name })) g.setAttribute(name, value);
      const tip = document.createElementNS(NS, 'title');
      tip.textContent = text;
      g.prepend(tip);
    }
    for (const g of svg.querySelectorAll<SVGGElement>('g.edge')) for (const inner of g.querySelectorAll('a')) inner.replaceWith(...inner.childNodes);
  }

  // Which names match is the server's word; those that do not are not in the picture.
  private async markFound(): Promise<void> {
    const q = this.app.state.get('q');
    let found = new Set<string>();
    try {
      const top = q ? await this.newestFound((signal) => this.app.get<Top>('top', { q, limit: String(MAX_FOUND) }, signal)) : undefined;
      if (q && !top) return;
      found = new Set(top?.rows.map((row) => row.name));
    } catch {
      // the search box says what is wrong
    }
    for (const g of this.svg?.querySelectorAll<SVGGElement>('g.node[data-name]') ?? []) g.classList.toggle('found', found.has(g.dataset.name ?? ''));
  }

  private apply(): void {
    const { x, y, scale } = this.window;
    this.svg?.setAttribute('viewBox', `${x} ${y} ${this.box.clientWidth / scale} ${this.box.clientHeight / scale}`);
  }

  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.box;
    const scale = clamp(Math.min(width / (this.size.width + 16), height / (this.size.height + 16)), 0.05, 1.4);
    this.window = { scale, x: (this.size.width - width / scale) / 2, y: (this.size.height - height / scale) / 2 };
    this.apply();
  }

  private zoom(factor: number, px = this.box.clientWidth / 2, py = this.box.clientHeight / 2): void {
    const { x, y, scale } = this.window;
    const next = clamp(scale * factor, 0.03, 12);
    this.window = { scale: next, x: x + px / scale - px / next, y: y + py / scale - py / next };
    this.apply();
  }

  private pan(dx: number, dy: number): void {
    this.window.x += dx / this.window.scale;
    this.window.y += dy / this.window.scale;
    this.apply();
  }

  private menu(g: SVGGElement, at?: { x: number; y: number }): void {
    const name = g.dataset.name!;
    const box = g.getBoundingClientRect();
    openMenu(name, [name, ...frameMenu(this.app, name)], g as unknown as HTMLElement, at ?? { x: box.left, y: box.bottom });
  }

  private listen(): void {
    const nodeAt = (target: EventTarget | null) => (target as Element | null)?.closest<SVGGElement>('g.node[data-name]') ?? undefined;
    let from: { x: number; y: number; moved: boolean } | undefined;
    this.box.addEventListener('wheel', (event) => {
      event.preventDefault();
      const frame = this.box.getBoundingClientRect();
      this.zoom(Math.exp(-clamp(event.deltaY, -240, 240) / 300), event.clientX - frame.left, event.clientY - frame.top);
    }, { passive: false });
    this.box.addEventListener('pointerdown', (event) => {
      if (event.button === 0) from = { x: event.clientX, y: event.clientY, moved: false };
    });
    this.box.addEventListener('pointermove', (event) => {
      if (!from || !(event.buttons & 1)) return;
      if (!from.moved && Math.hypot(event.clientX - from.x, event.clientY - from.y) < 4) return;
      this.pan(from.x - event.clientX, from.y - event.clientY);
      from = { x: event.clientX, y: event.clientY, moved: true };
    });
    this.box.addEventListener('pointerup', (event) => {
      const node = from && !from.moved ? nodeAt(event.target) : undefined;
      from = undefined;
      if (node) this.menu(node, { x: event.clientX, y: event.clientY });
    });
    this.box.addEventListener('contextmenu', (event) => {
      const node = nodeAt(event.target);
      if (!node) return;
      event.preventDefault();
      this.menu(node, { x: event.clientX, y: event.clientY });
    });
    this.box.addEventListener('focusin', (event) => this.reveal(nodeAt(event.target)));
    this.box.addEventListener('keydown', (event) => this.onKey(event, nodeAt(event.target)));
    new ResizeObserver(() => this.apply()).observe(this.box);
  }

  private reveal(node: SVGGElement | undefined): void {
    if (!node) return;
    const box = node.getBoundingClientRect();
    const frame = this.box.getBoundingClientRect();
    const isIn = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!isIn) this.pan(box.left + box.width / 2 - frame.left - frame.width / 2, box.top + box.height / 2 - frame.top - frame.height / 2);
  }

  private onKey(event: KeyboardEvent, node: SVGGElement | undefined): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, [number, number]> = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] };
    const step = steps[event.key];
    if (step) this.pan(...step);
    else if (event.key === '+' || event.key === '=') this.zoom(1.3);
    else if (event.key === '-') this.zoom(1 / 1.3);
    else if (event.key === '0') this.fit();
    else if (node && (event.key === 'Enter' || event.key === ' ' || event.key === 'm')) this.menu(node);
    else return;
    event.preventDefault();
  }

  // The whole picture with its own colours, whatever part is in sight.
  private wholeSvg(): string {
    const copy = this.svg!.cloneNode(true) as SVGSVGElement;
    copy.setAttribute('viewBox', `0 0 ${this.size.width} ${this.size.height}`);
    copy.setAttribute('width', `${this.size.width}pt`);
    copy.setAttribute('height', `${this.size.height}pt`);
    for (const g of copy.querySelectorAll('[tabindex]')) for (const name of ['tabindex', 'role', 'aria-haspopup', 'data-name']) g.removeAttribute(name);
    return new XMLSerializer().serializeToString(copy);
  }

  private saveSvg(): void {
    if (this.svg) download(`${fileName(this.app)}.graph.svg`, new Blob([this.wholeSvg()], { type: 'image/svg+xml' }));
  }

  private savePng(): void {
    if (!this.svg) return;
    const url = URL.createObjectURL(new Blob([this.wholeSvg()], { type: 'image/svg+xml' }));
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement('canvas');
      canvas.width = Math.min(16384, this.size.width * PNG_SCALE);
      canvas.height = Math.min(16384, this.size.height * PNG_SCALE);
      canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(url);
      canvas.toBlob((blob) => blob && download(`${fileName(this.app)}.graph.png`, blob));
    };
    image.src = url;
  }

  private drawTools(): void {
    const { state } = this.app;
    const n = state.get('n') || '80';
    redraw(
      this.toolbar,
      menuButton('Functions shown', [document.createTextNode(`${n} functions`)], () => ['10', '20', '40', '80', '150', '300', '500'].map((value) => ({ label: `At most ${value}`, checked: n === value, run: () => state.set({ n: value }) })), { class: 'button' }),
      iconButton('minus', 'Zoom out', () => this.zoom(1 / 1.3)), iconButton('plus', 'Zoom in', () => this.zoom(1.3)), iconButton('fit', 'Whole graph (0)', () => this.fit()),
    );
  }
}

export const graphPage: Page = { name: 'graph', title: 'Graph', key: '3', open: (main, app) => new GraphView(main, app) };
