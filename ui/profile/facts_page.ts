// ui/profile/facts_page.ts - what the profile says about itself: when, how, from which binaries, and what it lost.
import { h, replace, type Child } from '../common/dom.ts';
import { formatCount, formatPercent, formatValue } from '../common/units.ts';
import type { App, Page, View } from './app.ts';
import type { Facts, Mapping } from './api.ts';
import { failure } from './failure.ts';

const lossWords = /lost|drop|truncat|overr|miss|without|unseen|not seen|no tick/i;

function table(label: string, heads: string[], rows: Child[][], numbers: number[]): HTMLElement {
  const cls = (i: number) => (numbers.includes(i) ? 'number' : '');
  return h('div', { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': label },
    h('table', { class: 'plain' }, h('thead', {}, h('tr', {}, heads.map((head, i) => h('th', { scope: 'col', class: cls(i) }, head)))), h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell, i) => h('td', { class: cls(i) }, cell)))))));
}

function known(mapping: Mapping): string {
  const parts: [boolean, string][] = [[mapping.has_functions, 'functions'], [mapping.has_filenames, 'files'], [mapping.has_line_numbers, 'lines'], [mapping.has_inline_frames, 'inlines']];
  return parts.flatMap(([is, name]) => (is ? [name] : [])).join(', ') || 'addresses only';
}

class FactsView implements View {
  private readonly body = h('div', { class: 'page-body facts', tabindex: '0', role: 'region', 'aria-label': 'Facts' });

  constructor(main: HTMLElement, private readonly app: App) {
    replace(main, h('h1', { class: 'visually-hidden' }, 'Facts'), this.body);
  }

  close(): void {}

  update(): void {
    let facts: Facts | undefined;
    void this.app.attempt(async () => {
      facts = await this.app.get<Facts>('facts');
      if (!this.app.summary) await this.app.loadSummary();
    }).then(() => {
      if (facts) this.draw(facts);
      else if (this.app.failed) replace(this.body, failure(this.app.failed, ''));
    });
  }

  private draw(facts: Facts): void {
    const summary = this.app.summary;
    const wanted = this.app.state.get('q').toLowerCase();
    const mappings = facts.mappings.filter((m) => !wanted || `${m.file} ${m.build_id}`.toLowerCase().includes(wanted));
    const losses = facts.comments.filter((comment) => lossWords.test(comment));
    replace(
      this.body,
      summary ? this.overview(facts) : null,
      h('section', {}, h('h2', {}, 'What was lost'), losses.length ? h('ul', {}, losses.map((text) => h('li', {}, text))) : h('p', { class: 'faint' }, 'The profile tells of no loss.')),
      h('section', {}, h('h2', {}, 'Comments'), facts.comments.length ? h('ul', { class: 'mono' }, facts.comments.map((text) => h('li', {}, text))) : h('p', { class: 'faint' }, 'None.')),
      h('section', {}, h('h2', {}, `Mappings (${mappings.length})`), table('Mappings', ['File', 'Start', 'Limit', 'Offset', 'Build id', 'Known', 'Locations', 'Without symbols'],
        mappings.map((m) => [m.file, h('span', { class: 'mono' }, m.start), h('span', { class: 'mono' }, m.limit), h('span', { class: 'mono' }, m.offset), h('span', { class: 'mono' }, m.build_id), known(m), formatCount(m.n_locations), m.n_unsymbolized ? `${formatCount(m.n_unsymbolized)} (${formatPercent(m.n_unsymbolized, m.n_locations)})` : '0']), [6, 7])),
    );
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
    return h('section', {}, h('h2', {}, s.title), h('dl', { class: 'facts-list' }, rows.map(([title, value]) => [h('dt', {}, title), h('dd', {}, value)])));
  }
}

export const factsPage: Page = { name: 'facts', title: 'Facts', key: '9', open: (main, app) => new FactsView(main, app) };
