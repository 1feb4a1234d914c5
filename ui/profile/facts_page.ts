// ui/profile/facts_page.ts - what the profile says about itself: when, how, from which binaries, and what it lost.
import { h, replace, type Child } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import { arraySource, VirtualTable } from '../common/table.ts';
import { formatCount, formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Facts, Mapping } from './api.ts';
import { failure } from './failure.ts';

const lossWords = /lost|drop|truncat|overr|miss|without|unseen|not seen|no tick/i;

function known(mapping: Mapping): string {
  const parts: [boolean, string][] = [[mapping.has_functions, 'functions'], [mapping.has_filenames, 'files'], [mapping.has_line_numbers, 'lines'], [mapping.has_inline_frames, 'inlines']];
  return parts.flatMap(([is, name]) => (is ? [name] : [])).join(', ') || 'addresses only';
}

const SHOWN = 24; // mappings in sight before their table scrolls
const ROW_PX = 24;

class FactsView implements View {
  private readonly newest = latest();
  private mappings: Mapping[] = [];
  private readonly table: VirtualTable<Mapping>;
  private readonly body = h('div', { class: 'page-body facts', tabindex: '0', role: 'region', 'aria-label': 'Facts' });

  constructor(main: HTMLElement, private readonly app: App) {
    const address = (id: 'start' | 'limit' | 'offset', title: string) => ({ id, title, width: '9.5rem', isNumber: true, isSortable: true, cell: (m: Mapping) => h('span', { class: 'mono' }, m[id]) });
    this.table = new VirtualTable<Mapping>({
      label: 'Mappings',
      columns: [
        { id: 'file', title: 'File', width: 'minmax(14rem, 1fr)', isSortable: true, cell: (m) => h('span', { title: m.file }, m.file || '(no name)') },
        address('start', 'Start'), address('limit', 'Limit'), address('offset', 'Offset'),
        { id: 'build_id', title: 'Build id', width: 'minmax(8rem, 0.6fr)', isSortable: true, cell: (m) => h('span', { class: 'mono', title: m.build_id }, m.build_id) },
        { id: 'known', title: 'Known', width: '14rem', cell: (m) => known(m) },
        { id: 'n_locations', title: 'Locations', width: '7rem', isNumber: true, isSortable: true, cell: (m) => formatCount(m.n_locations) },
        { id: 'n_unsymbolized', title: 'Without symbols', width: '9.5rem', isNumber: true, isSortable: true, cell: (m) => (m.n_unsymbolized ? `${formatCount(m.n_unsymbolized)} (${formatPercent(m.n_unsymbolized, m.n_locations)})` : '0') },
      ],
      onSort: (id, isDescending) => this.sortBy(id as keyof Mapping, isDescending),
      empty: 'No mapping matches',
    });
    replace(main, h('h1', { class: 'visually-hidden' }, 'Facts'), this.body);
  }

  close(): void {}

  update(): void {
    let facts: Facts | undefined;
    void this.app.attempt(async () => {
      facts = await this.newest((signal) => this.app.get<Facts>('facts', { q: this.app.state.get('q') }, signal));
      if (!this.app.summary) await this.app.loadSummary();
    }).then(() => {
      if (facts) this.draw(facts);
      else if (this.app.failed) replace(this.body, failure(this.app.failed, ''));
    });
  }

  private draw(facts: Facts): void {
    const summary = this.app.summary;
    const isSearched = this.app.state.get('q') !== '';
    this.mappings = facts.mappings;
    this.table.element.style.height = `${(Math.min(Math.max(1, facts.mappings.length), SHOWN) + 1) * ROW_PX + 18}px`;
    this.table.setSource(arraySource(this.mappings));
    const losses = facts.comments.filter((comment) => lossWords.test(comment));
    replace(
      this.body,
      summary ? this.overview(facts) : null,
      h('section', {}, h('h2', {}, 'What was lost'), losses.length ? h('ul', {}, losses.map((text) => h('li', {}, text))) : h('p', { class: 'faint' }, 'The profile tells of no loss.')),
      h('section', {}, h('h2', {}, 'Comments'), facts.comments.length ? h('ul', { class: 'mono' }, facts.comments.map((text) => h('li', {}, text))) : h('p', { class: 'faint' }, isSearched ? 'None matches.' : 'None.')),
      h('section', {}, h('h2', {}, `Mappings (${formatCount(facts.mappings.length)})`), this.table.element),
    );
  }

  // Addresses go by their value, which BigInt reads from "0x...".
  private sortBy(id: keyof Mapping, isDescending: boolean): void {
    const isAddress = ['start', 'limit', 'offset'].includes(id);
    const value = (m: Mapping) => (isAddress ? BigInt(m[id] as string) : m[id]);
    const ascending = (a: Mapping, b: Mapping) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
    this.table.setSource(arraySource([...this.mappings].sort((a, b) => (isDescending ? -ascending(a, b) : ascending(a, b)))));
  }

  private overview(facts: Facts): HTMLElement {
    const s = this.app.summary!;
    const rows: [string, Child][] = [
      ['Taken', s.time_nanos ? new Date(s.time_nanos / 1e6).toLocaleString() : 'not told'],
      ['Duration', s.duration_nanos ? formatValue(s.duration_nanos, 'nanoseconds') : 'not told'],
      ['Period', s.period.value ? `${formatValue(s.period.value, s.period.unit)} (${s.period.type})` : 'not told'],
      ['Sample types', s.types.map((type) => `${type.name}: ${formatValue(type.total, type.unit)}`).join('; ')],
      ['Samples', formatCount(s.n_samples)], ['Functions', formatCount(s.n_functions)], ['Locations', `${formatCount(s.n_locations)}, ${formatCount(s.n_unsymbolized)} without a function`],
      ['Labels', s.labels.map((label) => `${label.key} (${label.n_values})`).join(', ') || 'none'],
      ['Frames dropped', facts.drop_frames || 'none'], ['Frames kept', facts.keep_frames || 'none'],
    ];
    if (/^https?:/.test(facts.doc_url)) rows.push(['More about it', h('a', { href: facts.doc_url, rel: 'noreferrer' }, facts.doc_url)]);
    return h('section', {}, h('h2', {}, s.title || 'Profile'), h('dl', { class: 'facts-list' }, rows.map(([title, value]) => [h('dt', {}, title), h('dd', {}, value)])));
  }
}

export const factsPage: Page = { name: 'facts', title: 'Facts', key: '9', open: (main, app) => new FactsView(main, app) };
