// ui/profile/peek_page.ts - who calls a function and what it calls, by weight; every name leads on.
import { Chunks } from '../common/chunks.ts';
import { h, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { openMenu } from '../common/menu.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Peek, PeekEnd } from './api.ts';
import { failure } from './failure.ts';
import { frameMenu } from './frame_menu.ts';
import { FunctionPicker } from './function_picker.ts';
import { exactly, withoutPath } from './names.ts';

const ROW_PX = 24; // of a caller or callee in profile.css
const BLOCK_PX = 110; // of a function with a caller and a callee or two

class PeekView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body peek', tabindex: '0', role: 'region', 'aria-label': 'Callers and callees' });

  private readonly chunks = new Chunks(this.body);
  private readonly picker: FunctionPicker;
  private shown = '';

  constructor(main: HTMLElement, private readonly app: App) {
    this.picker = new FunctionPicker(main, this.body, 'Peek', app, 'cum', 'the hottest');
  }

  update(): void {
    void this.app.attempt(() => this.load()).then(() => {
      this.picker.update(this.shown);
      if (this.app.failed) replace(this.body, failure(this.app.failed, this.app.wanted));
    });
  }

  close(): void {}

  private async load(): Promise<void> {
    const peek = await this.newest((signal) => this.app.get<Peek>('peek', { f: this.app.wanted }, signal));
    if (!peek) return;
    this.shown = peek.f;
    this.chunks.clear();
    replace(this.body, this.chunks.list(peek.rows.length, BLOCK_PX, (i) => [this.block(peek, peek.rows[i]!)], 'div', { class: 'peek-blocks' }).elements);
  }

  private end(peek: Peek, end: PeekEnd, whole: number): HTMLElement {
    const go = () => this.app.state.set({ fn: exactly(end.name) });
    const button = h('button', { type: 'button', class: 'peek-name mono', title: end.name, onclick: go, oncontextmenu: (event) => {
      event.preventDefault();
      openMenu(end.name, [end.name, ...frameMenu(this.app, end.name)], button, { x: event.clientX, y: event.clientY });
    } }, withoutPath(end.name), end.inlined ? h('span', { class: 'badge' }, 'inlined') : null);
    return h('li', { class: 'peek-row' },
      h('span', { class: 'peek-bar' }, h('span', { style: { width: `${Math.min(100, Math.abs((100 * end.weight) / (whole || 1)))}%` } })),
      h('span', { class: 'number' }, formatValue(end.weight, peek.unit)), h('span', { class: 'number faint' }, formatPercent(end.weight, whole)), button);
  }

  private ends(peek: Peek, title: string, ends: PeekEnd[], whole: number, none: string): HTMLElement {
    const sorted = [...ends].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
    return h('section', { class: 'peek-part' }, h('h3', {}, title), sorted.length ? this.chunks.list(sorted.length, ROW_PX, (i) => [this.end(peek, sorted[i]!, whole)], 'ul').elements : h('p', { class: 'faint' }, none));
  }

  private block(peek: Peek, row: Peek['rows'][number]): HTMLElement {
    const total = Math.abs(peek.total) || 1;
    const number = (title: string, x: number) => [h('dt', {}, title), h('dd', {}, `${formatValue(x, peek.unit)} (${formatPercent(x, total)})`)];
    const menu = h('button', { type: 'button', class: 'button', 'aria-haspopup': 'menu', onclick: () => openMenu(row.name, frameMenu(this.app, row.name), menu) }, 'More');
    return h('article', { class: 'peek-block' },
      h('div', { class: 'peek-middle' }, h('h2', { class: 'mono' }, row.name), h('dl', {}, number('itself', row.flat), number('with callees', row.cum)), menu),
      h('div', { class: 'peek-parts' },
        this.ends(peek, 'Callers', row.callers, row.cum, 'Nothing calls it: it starts stacks.'),
        this.ends(peek, 'Callees', row.callees, row.cum, 'It calls nothing: it ends stacks.')));
  }
}

export const peekPage: Page = { name: 'peek', title: 'Peek', key: '4', open: (main, app) => new PeekView(main, app) };
