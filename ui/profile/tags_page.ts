// ui/profile/tags_page.ts - labels and how much each value weighs; a click filters by it.
import { h, redraw, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { openMenu } from '../common/menu.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Tags } from './api.ts';
import { failure } from './failure.ts';
import { exactly } from './names.ts';

type Value = { value: string; weight: number };
const MAX_VALUES = 40; // bars of one key before the rest is asked for

class TagsView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body tags', tabindex: '0', role: 'region', 'aria-label': 'Tags' });
  private readonly opened = new Set<string>();

  constructor(private readonly main: HTMLElement, private readonly app: App) {
    replace(main, h('h1', { class: 'visually-hidden' }, 'Tags'), this.body);
  }

  close(): void {}

  update(): void {
    void this.app.attempt(() => this.load()).then(() => {
      if (this.app.failed) replace(this.main, h('h1', { class: 'visually-hidden' }, 'Tags'), failure(this.app.failed, this.app.state.get(this.app.failed.option)));
      else replace(this.main, h('h1', { class: 'visually-hidden' }, 'Tags'), this.body);
    });
  }

  private async load(): Promise<void> {
    const tags = await this.newest((signal) => this.app.get<Tags>('tags', {}, signal));
    if (tags) this.draw(tags);
  }

  private draw(tags: Tags): void {
    const none = h('p', { class: 'faint' }, 'No sample of this profile has labels. Programs set them: pprof_set_labels in C, pprof.Do in Go.');
    const keys = new Map<string, Value[]>();
    for (const { key, ...value } of tags.rows) keys.set(key, [...(keys.get(key) ?? []), value]);
    redraw(this.body, keys.size ? [...keys].map(([key, values]) => this.block(tags, key, values)) : none);
  }

  private block(tags: Tags, key: string, all: Value[]): HTMLElement {
    const { state } = this.app;
    const wanted = state.get('q').toLowerCase();
    const values = all.filter(({ value }) => !wanted || `${key}=${value}`.toLowerCase().includes(wanted)).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
    const most = Math.max(1, ...values.map(({ weight }) => Math.abs(weight)));
    const shown = this.opened.has(key) ? values : values.slice(0, MAX_VALUES);
    const split = (where: string, title: string) => h('button', { type: 'button', class: 'button', 'aria-pressed': String(state.get(where) === key), onclick: () => state.go('flamegraph', { [where]: state.get(where) === key ? null : key, z: null }) }, title);
    return h('article', { class: 'tag-block' },
      h('header', {}, h('h2', {}, key), h('span', { class: 'faint' }, `${all.length} values, ${formatPercent(all.reduce((sum, { weight }) => sum + weight, 0), tags.total)} of the profile`), h('span', { class: 'grow' }), split('tagroot', 'Split flame graph by it'), split('tagleaf', 'Split at leaves')),
      h('ul', {}, shown.map((value) => this.value(tags, key, value, most))),
      values.length > shown.length ? h('button', { type: 'button', class: 'button', onclick: () => (this.opened.add(key), this.draw(tags)) }, `${values.length - shown.length} more`) : null);
  }

  private value(tags: Tags, key: string, { value, weight }: Value, most: number): HTMLElement {
    const { state } = this.app;
    const filter = `${key}=${/^[\d.]+\w*$/.test(value) ? value : exactly(value)}`;
    const button = h('button', {
      type: 'button', class: 'tag-value', title: 'Keep only samples with it', onclick: () => state.set({ tf: filter }),
      oncontextmenu: (event) => {
        event.preventDefault();
        menu({ x: event.clientX, y: event.clientY });
      },
    }, value || '(empty)');
    const menu = (at?: { x: number; y: number }) => openMenu(value, [
      { label: 'Keep only samples with it', run: () => state.set({ tf: filter }) },
      { label: 'Drop samples with it', run: () => state.set({ ti: filter }) },
      { label: 'Flame graph of it', run: () => state.go('flamegraph', { tf: filter, z: null }) },
    ], more, at);
    const more = h('button', { type: 'button', class: 'icon-button tag-more', 'aria-haspopup': 'menu', 'aria-label': `More for ${key} ${value}`, onclick: () => menu() }, '⋯');
    return h('li', {}, h('span', { class: 'tag-bar' }, h('span', { style: { width: `${(100 * Math.abs(weight)) / most}%` } })), h('span', { class: 'number' }, formatValue(weight, tags.unit)), h('span', { class: 'number faint' }, formatPercent(weight, tags.total)), button, more);
  }
}

export const tagsPage: Page = { name: 'tags', title: 'Tags', key: '7', open: (main, app) => new TagsView(main, app) };
