// ui/common/dom.ts - elements made in one expression, and the few icons the pages use.
// Room: making and finding elements; no state. Styles are set through the CSSOM only, as the Content-Security-Policy asks.

export type Child = Node | string | number | null | undefined | false | Child[];

type Handlers = { [K in keyof HTMLElementEventMap as `on${K}`]?: (event: HTMLElementEventMap[K]) => void };
export type Props = Handlers & {
  class?: string;
  style?: Record<string, string>;
  data?: Record<string, string>;
  [attribute: string]: unknown;
};

export function append(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

function setProp(el: Element, name: string, value: unknown): void {
  if (name.startsWith('on')) el.addEventListener(name.slice(2), value as EventListener);
  else if (name === 'style') for (const [k, v] of Object.entries(value as object)) (el as HTMLElement).style.setProperty(k, v);
  else if (name === 'data') Object.assign((el as HTMLElement).dataset, value);
  else if (value === true) el.setAttribute(name, '');
  else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, String(value));
}

// h('button', { class: 'x', onclick: f }, 'text', [more]) is the element so made.
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(el, name, value);
  append(el, children);
  return el;
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.textContent = '';
  append(parent, children);
}

// As replace, for controls that are drawn anew: the one that had the focus, told by its name or its place, has it again.
export function redraw(parent: Element, ...children: Child[]): void {
  const controls = () => [...parent.querySelectorAll<HTMLElement>('button, a, input, select')];
  const nameOf = (el: Element) => el.getAttribute('aria-label') ?? el.textContent;
  const before = controls();
  const at = before.indexOf(document.activeElement as HTMLElement);
  const name = at < 0 ? '' : nameOf(before[at]!);
  replace(parent, children);
  if (at < 0) return;
  const after = controls();
  (after.find((el) => nameOf(el) === name) ?? after[Math.min(at, after.length - 1)])?.focus({ preventScroll: true });
}

const paths: Record<string, string> = {
  menu: 'M3 5h14M3 10h14M3 15h14',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M13.2 13.2L17 17',
  close: 'M5 5l10 10M15 5L5 15',
  down: 'M5 8l5 5l5-5',
  undo: 'M7 4L3 8l4 4M3 8h9a5 5 0 0 1 0 10H8',
  redo: 'M13 4l4 4l-4 4M17 8H8a5 5 0 0 0 0 10h4',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4',
  moon: 'M16 11.5A6.5 6.5 0 1 1 8.5 4a5 5 0 0 0 7.5 7.5z',
  auto: 'M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14M10 3v14M10 6h4.9M10 10h7M10 14h4.9',
  options: 'M3 6h7M14 6h3M3 14h3M10 14h7M12 4a2 2 0 1 0 0 4a2 2 0 0 0 0-4M8 12a2 2 0 1 0 0 4a2 2 0 0 0 0-4',
  share: 'M10 12V3M6.5 6L10 2.5L13.5 6M4 10v7h12v-7',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3M16 3v4h-4',
  compare: 'M3 5h6v10H3zM11 5h6v10h-6zM6 8v4M14 7v6',
  help: 'M7.5 7.5a2.5 2.5 0 1 1 3.8 2.1c-.9.5-1.3 1-1.3 2M10 14.5v.5M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 0 0 0-15',
  minus: 'M5 10h10',
  plus: 'M5 10h10M10 5v10',
  fit: 'M3 7V3h4M17 7V3h-4M3 13v4h4M17 13v4h-4',
  pin: 'M7 3h6l-1 6l3 3H5l3-3zM10 12v5',
};
export type IconName = keyof typeof paths;

// A 20-unit line drawing in the colour of the text around it; decoration only.
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', paths[name] ?? '');
  svg.appendChild(path);
  return svg;
}

export function iconButton(name: IconName, label: string, run: (event: MouseEvent) => void, props: Props = {}): HTMLButtonElement {
  return h('button', { class: 'icon-button', type: 'button', 'aria-label': label, title: label, onclick: run, ...props }, icon(name));
}

export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}

// Calls f once things have been quiet for a while.
export function debounced<A extends unknown[]>(ms: number, f: (...args: A) => void): (...args: A) => void {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => f(...args), ms);
  };
}
