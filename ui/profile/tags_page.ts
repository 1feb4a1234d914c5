// ui/profile/tags_page.ts - labels and how much each value weighs; a click filters by it.
// Room: a table for each key, whose rows come from the server a piece at a time, in its order.
import { h, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { openMenu } from '../common/menu.ts';
import { Pieces } from '../common/pieces.ts';
import { VirtualTable } from '../common/table.ts';
import { formatCount, formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Tags } from './api.ts';
import { failure } from './failure.ts';
import { exactly } from './names.ts';

type Row = Tags['rows'][number];
type Key = Tags['keys'][number];
const PIECE = 500; // values of a key fetched at once
const SHOWN = 14; // rows of a key in sight before it scrolls
const ROW_PX = 24;

class TagsView implements View {
  private readonly newest = latest();
  private readonly body = h('div', { class: 'page-body tags', tabindex: '0', role: 'region', 'aria-label': 'Tags' });

  constructor(main: HTMLElement, private readonly app: App) {
    replace(main, h('h1', { class: 'visually-hidden' }, 'Tags'), this.body);
  }

  close(): void {}

  update(): void {
    void this.app.attempt(() => this.load()).then(() => {
      if (this.app.failed) replace(this.body, failure(this.app.failed, this.app.state.get(this.app.failed.option)));
    });
  }

  private ask(more: Record<string, string>, signal?: AbortSignal): Promise<Tags> {
    return this.app.get<Tags>('tags', { limit: String(PIECE), q: this.app.state.get('q'), ...more }, signal);
  }

  private async load(): Promise<void> {
    const tags = await this.newest((signal) => this.ask({}, signal));
    if (!tags) return;
    const none = this.app.state.get('q') ? 'No label matches the search.' : 'No sample of this profile has labels. Programs set them: pprof_set_labels in C, pprof.Do in Go.';
    replace(this.body, tags.keys.length ? tags.keys.map((key) => this.block(tags, key, tags.rows.filter((row) => row.key === key.key))) : h('p', { class: 'faint' }, none));
  }

  private block(tags: Tags, key: Key, first: Row[]): HTMLElement {
    const { state } = this.app;
    const most = Math.abs(first[0]?.weight ?? 0) || 1;
    const table: VirtualTable<Row> = new VirtualTable<Row>({
      label: `Values of ${key.key}`,
      columns: [
        { id: 'weight', title: 'Weight', width: '7.5rem', isNumber: true, cell: (row) => h('span', {}, formatValue(row.weight, tags.unit)), bar: (row) => row.weight / most },
        { id: 'share', title: '%', width: '4.5rem', isNumber: true, cell: (row) => formatPercent(row.weight, tags.total) },
        { id: 'value', title: 'Value', width: 'minmax(8rem, 1fr)', cell: (row) => h('span', { class: 'tag-value', title: `Keep only samples with ${key.key}=${row.value}`, onclick: () => this.keep(row) }, row.value || '(empty)') },
      ],
      onActivate: (row) => this.keep(row),
      onMenu: (row, _i, anchor, point) => this.menu(row, anchor, point),
    });
    table.element.style.height = `${(Math.min(key.n, SHOWN) + 1) * ROW_PX + 3}px`;
    table.setSource(new Pieces(first, key.n, PIECE, async (off) => (await this.ask({ key: key.key, off: String(off) })).rows, () => table.refresh()));
    const split = (where: string, title: string) => h('button', { type: 'button', class: 'button', 'aria-pressed': String(state.get(where) === key.key), onclick: () => state.go('flamegraph', { [where]: state.get(where) === key.key ? null : key.key, z: null }) }, title);
    return h('article', { class: 'tag-block' },
      h('header', {}, h('h2', {}, key.key), h('span', { class: 'faint' }, `${formatCount(key.n)} ${key.n === 1 ? 'value' : 'values'}, ${formatPercent(key.total, tags.total)} of the profile`), h('span', { class: 'grow' }), split('tagroot', 'Split flame graph by it'), split('tagleaf', 'Split at leaves')),
      table.element);
  }

  private keep(row: Row): void {
    this.app.state.set({ tf: filterOf(row) });
  }

  private menu(row: Row, anchor: HTMLElement, point: { x: number; y: number }): void {
    const { state } = this.app;
    const filter = filterOf(row);
    openMenu(row.value, [
      { label: 'Keep only samples with it', hint: 'Enter', run: () => this.keep(row) },
      { label: 'Drop samples with it', run: () => state.set({ ti: filter }) },
      { label: 'Flame graph of it', run: () => state.go('flamegraph', { tf: filter, z: null }) },
    ], anchor, point);
  }
}

// As -tagfocus takes it: numbers with their unit as they are, texts as an expression.
function filterOf({ key, value }: Row): string {
  return `${key}=${/^-?[\d.]+\w*$/.test(value) ? value : exactly(value)}`;
}

export const tagsPage: Page = { name: 'tags', title: 'Tags', key: '7', open: (main, app) => new TagsView(main, app) };
