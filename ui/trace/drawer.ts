// ui/trace/drawer.ts - what is chosen: one span with its stack and who woke it, or the sums of a selection.
// Room: the panel under the timeline. Where links lead is main.ts's business.
import { h, iconButton, replace, type Child } from '../common/dom.ts';
import { formatCount, formatPercent } from '../common/units.ts';
import { ask, openProfile, type Frame, type Hit, type Link, type Selection, type Span, type Summary } from './api.ts';
import { FlameGraph } from './flame.ts';
import { classColour } from './paint.ts';
import type { Box } from './timeline.ts';
import { lengthText, momentText } from './time.ts';

export interface DrawerLinks {
  go(link: Link, time: number): void; // to a lane, at a time
  look(t0: number, t1: number): void;
  close(): void;
  onError(error: unknown): void;
}

const flames = [['cpu', 'CPU samples'], ['wait', 'Waiting'], ['sync', 'Locks, channels'], ['net', 'Network'], ['syscall', 'System calls'], ['sched', 'Waiting to run']] as const;

export class Drawer {
  readonly element = h('section', { class: 'drawer', 'aria-label': 'Details', hidden: true });
  private flame = 'cpu';
  private box: Box | undefined;
  private kind = '';
  private what = '';

  constructor(private readonly summary: Summary, private readonly links: DrawerLinks) {}

  hide(): void {
    this.element.hidden = true;
    this.box = undefined;
  }

  private open(title: Child, tools: Child, body: Child): void {
    const focused = this.element.contains(document.activeElement) ? (document.activeElement as HTMLElement).id : '';
    replace(this.element, h('header', {}, h('h2', {}, title), h('div', { class: 'grow' }), tools, iconButton('close', 'Close details', () => this.links.close())), h('div', { class: 'drawer-body', tabindex: '0' }, body));
    this.element.hidden = false;
    if (focused) document.getElementById(focused)?.focus();
  }

  private link(link: Link, time: number): HTMLElement {
    return h('button', { type: 'button', class: 'link', onclick: () => this.links.go(link, time) }, link.name);
  }

  private swatch(cls: number): HTMLElement {
    return h('span', { class: 'swatch', 'aria-hidden': 'true', style: { background: classColour(cls) } });
  }

  showSpan(span: Span): void {
    this.box = undefined;
    const cls = this.summary.classes.indexOf(span.class);
    const wokenBy = span.woken_how === 'created' ? 'Created by' : 'Woken by';
    const facts: [string, Child][] = [
      ['State', [this.swatch(cls), span.state === span.class ? span.state : `${span.state} (${span.class})`]],
      ['Time', `${momentText(span.start, 1)} to ${momentText(span.end, 1)}`],
      ['Length', lengthText(span.end - span.start)],
      ['Span', `${formatCount(span.index + 1)} of ${formatCount(span.spans)}`],
    ];
    if (span.goroutine) facts.push(['Goroutine', this.link(span.goroutine, span.start)]);
    if (span.proc) facts.push(['Processor', this.link(span.proc, span.start)]);
    if (span.thread) facts.push(['Thread', this.link(span.thread, span.start)]);
    if (span.woken_by) facts.push([wokenBy, [this.link(span.woken_by, span.woken_at!), ` at ${momentText(span.woken_at!, 1)}`]]);
    for (const region of span.regions ?? []) facts.push(['In region', `${region.name}, ${lengthText(region.end - region.start)}${region.task ? `, task ${region.task}` : ''}`]);
    const woke = span.woke ?? [];
    this.open(
      `${span.lane.name}: ${span.state}, ${lengthText(span.end - span.start)}`,
      h('button', { type: 'button', class: 'button', onclick: () => this.links.look(span.start, span.end) }, 'Zoom to it'),
      h('div', { class: 'columns' },
        h('dl', { class: 'facts' }, facts.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
        span.stack?.length ? stackList('Stack', span.stack) : null,
        span.woken_stack?.length ? stackList(`${wokenBy.replace(' by', '')} from`, span.woken_stack) : null,
        woke.length ? h('div', {}, h('h3', {}, `Woke ${woke.length}`), h('ol', { class: 'stack' }, woke.map((w) => h('li', {}, this.link(w.to, w.time), ` at ${momentText(w.time, 1)}`)))) : null),
    );
  }

  // what: the lanes' name, many of them.
  async showBox(kind: string, what: string, box: Box): Promise<void> {
    this.box = box;
    this.kind = kind;
    this.what = what;
    const query = this.query(box);
    const [selection, events] = await Promise.all([ask<Selection>('select', { ...query, flame: this.flame }), this.events(query)]);
    if (this.box !== box) return;
    const graph = new FlameGraph();
    this.open(
      [`${lengthText(selection.t1 - selection.t0)}, ${formatCount(selection.lanes)} ${what}, ${formatCount(selection.spans)} spans`],
      [
        h('button', { type: 'button', class: 'button', onclick: () => void openProfile({ ...this.query(box), type: this.flame }).catch(this.links.onError) }, 'Open as profile'),
        h('a', { class: 'button', href: this.profileUrl(box), download: '' }, 'Save'),
        h('button', { type: 'button', class: 'button', onclick: () => this.links.look(box.t0, box.t1) }, 'Zoom to it'),
      ],
      h('div', { class: 'columns' }, this.states(selection), this.top(selection), latencies(selection), this.flamePart(graph, selection), events ? this.eventList(events) : null),
    );
    graph.show(selection.flame, selection.unit);
  }

  private query(box: Box): Record<string, string | number> {
    return { kind: this.kind, lanes: box.lanes.join(','), t0: box.t0, t1: box.t1 };
  }

  private events(query: Record<string, string | number>): Promise<{ total: number; events: Hit[] }> | undefined {
    return this.kind === 'goroutine' ? ask<{ total: number; events: Hit[] }>('events', { ...query, n: 200 }) : undefined;
  }

  private profileUrl(box: Box): string {
    const query = new URLSearchParams(Object.entries({ ...this.query(box), type: this.flame }).map(([k, v]) => [k, String(v)]));
    return `/api/trace/profile?${query}`;
  }

  // Totals by class, with the reasons of each under it.
  private states(selection: Selection): HTMLElement {
    const total = selection.ns.slice(1).reduce((sum, ns) => sum + ns, 0);
    const rows = selection.ns.map((ns, cls) => ({ ns, cls })).filter(({ ns, cls }) => cls && ns).sort((a, b) => b.ns - a.ns);
    const reasons = (cls: number) => selection.states.filter((s) => this.summary.states[s.state]!.class === cls && this.summary.states[s.state]!.text !== this.summary.classes[cls]).sort((a, b) => b.ns - a.ns);
    return h('div', {}, h('h3', {}, 'Time by state'), h('table', { class: 'sums' },
      h('tbody', {}, rows.flatMap(({ ns, cls }) => [
        h('tr', {}, h('th', { scope: 'row' }, this.swatch(cls), this.summary.classes[cls]!), h('td', {}, lengthText(ns)), h('td', {}, formatPercent(ns, total))),
        ...reasons(cls).map((s) => h('tr', { class: 'faint' }, h('th', { scope: 'row', class: 'reason' }, `${this.summary.states[s.state]!.text} × ${formatCount(s.n)}`), h('td', {}, lengthText(s.ns)), h('td', {}, formatPercent(s.ns, total)))),
      ]))));
  }

  private top(selection: Selection): HTMLElement {
    return h('div', {}, h('h3', {}, 'Who ran'), h('table', { class: 'sums' },
      h('tbody', {}, selection.top.filter((row) => row.run).slice(0, 15).map((row) =>
        h('tr', {}, h('th', { scope: 'row' }, this.link({ kind: this.kind as Link['kind'], lane: row.lane, name: row.name }, selection.t0)), h('td', {}, lengthText(row.run)))))));
  }

  private flamePart(graph: FlameGraph, selection: Selection): HTMLElement {
    const buttons = flames.map(([id, title]) =>
      h('button', {
        type: 'button', id: `flame-${id}`, 'aria-pressed': String(id === this.flame),
        onclick: () => {
          this.flame = id;
          if (this.box) void this.showBox(this.kind, this.what, this.box);
        },
      }, title));
    const empty = selection.flame.total ? null : h('p', { class: 'faint' }, this.flame === 'cpu' ? 'No CPU samples here: they are in traces of programs that were profiled meanwhile.' : 'Nothing of that here.');
    return h('div', { class: 'wide' }, h('div', { class: 'segments', role: 'group', 'aria-label': 'Flame graph of' }, buttons), empty, graph.element);
  }

  private eventList(events: { total: number; events: Hit[] }): HTMLElement {
    const row = (hit: Hit) => h('tr', {}, h('td', {}, momentText(hit.time, 1)), h('th', { scope: 'row' }, hit.text), h('td', {}, lengthText(hit.end - hit.time)),
      h('td', {}, hit.lane === undefined ? '' : this.link({ kind: 'goroutine', lane: hit.lane, name: hit.name ?? '' }, hit.time)));
    return h('div', { class: 'wide' }, h('h3', {}, `Events: ${formatCount(events.total)}${events.total > events.events.length ? `, the first ${events.events.length}` : ''}`), h('table', { class: 'sums' }, h('tbody', {}, events.events.map(row))));
  }
}

export function stackList(title: string, frames: Frame[]): HTMLElement {
  return h('div', {}, h('h3', {}, title), h('ol', { class: 'stack' }, frames.map((frame) => h('li', {}, h('code', {}, frame.func || '?'), h('span', { class: 'faint' }, ` ${frame.file.split('/').slice(-2).join('/')}:${frame.line}`)))));
}

// How long it took until a goroutine that could run did.
function latencies(selection: Selection): HTMLElement | null {
  const most = Math.max(...selection.latencies);
  if (!most) return null;
  const rows = selection.latencies.map((n, i) => ({ n, i })).filter(({ n }) => n);
  return h('div', {}, h('h3', {}, 'Time until it ran'), h('table', { class: 'sums bars' },
    h('tbody', {}, rows.map(({ n, i }) => h('tr', {}, h('th', { scope: 'row' }, `${lengthText(2 ** i)} to ${lengthText(2 ** (i + 1))}`), h('td', {}, h('span', { class: 'hbar', style: { width: `${Math.max(1, (100 * n) / most)}px` } }), formatCount(n)))))));
}

