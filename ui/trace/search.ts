// ui/trace/search.ts - finding a text in the whole trace.
// Room: the field, and the list of what it found. Lanes come first, then hits in the order of time.
import { debounced, h, icon, replace } from '../common/dom.ts';
import { latest } from '../common/fetch.ts';
import type { UrlState } from '../common/state.ts';
import { formatCount } from '../common/units.ts';
import { ask, type Found, type Link } from './api.ts';
import { lengthText, momentText } from './time.ts';

export interface SearchEvents {
  go(link: Link, time: number): void;
  onDensity(density: number[]): void;
  onError(error: unknown): void;
}

const LISTED = 100;

interface Entry { text: string; detail: string; run(): void }

export class SearchBox {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly list = h('div', { class: 'found', role: 'listbox', id: 'found', 'aria-label': 'Found', hidden: true });
  private readonly newest = latest();
  private entries: Entry[] = [];
  private chosen = -1;

  constructor(private readonly state: UrlState, private readonly events: SearchEvents) {
    this.input = h('input', { type: 'search', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'found', 'aria-label': 'Search the whole trace', placeholder: 'Search: function, region, reason, log…', value: state.get('find') });
    this.element = h('div', { class: 'search' }, icon('search'), this.input, this.list);
    this.input.addEventListener('input', debounced(150, () => void this.run()));
    this.input.addEventListener('keydown', (event) => this.onKey(event));
    this.input.addEventListener('focus', () => this.input.value && void this.run());
    document.addEventListener('pointerdown', (event) => {
      if (!this.element.contains(event.target as Node)) this.close();
    });
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  private close(): void {
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
  }

  private async run(): Promise<void> {
    const text = this.input.value.trim();
    this.state.set({ find: text }, 'replace');
    if (!text) {
      this.close();
      this.events.onDensity([]);
      return;
    }
    try {
      const found = await this.newest((signal) => ask<Found>('search', { q: text, n: LISTED }, signal));
      if (found) this.show(found);
    } catch (error) {
      this.events.onError(error);
    }
  }

  private show(found: Found): void {
    this.events.onDensity(found.density);
    this.entries = [
      ...found.lanes.map((lane) => ({ text: lane.name, detail: lane.kind, run: () => this.events.go(lane, lane.start) })),
      ...found.hits.filter((hit) => hit.lane !== undefined).map((hit) => ({
        text: hit.func ? `${hit.text} in ${hit.func}` : hit.text,
        detail: `${hit.kind}, ${momentText(hit.time, 1e4)}${hit.end > hit.time ? `, ${lengthText(hit.end - hit.time)}` : ''}, ${hit.name ?? ''}`,
        run: () => this.events.go({ kind: 'goroutine', lane: hit.lane!, name: hit.name ?? '' }, hit.time),
      })),
    ];
    this.chosen = -1;
    const head = h('div', { class: 'found-head', role: 'presentation' }, `${formatCount(found.total)} hits${found.total > LISTED ? `, the first ${LISTED}` : ''}, ${found.lanes.length} lanes`);
    replace(this.list, head, this.entries.map((entry, i) => h('div', { class: 'found-item', role: 'option', id: `found-${i}`, 'aria-selected': 'false', onclick: () => this.choose(i) }, h('span', { class: 'found-text' }, entry.text), h('span', { class: 'faint' }, entry.detail))));
    this.list.hidden = false;
    this.input.setAttribute('aria-expanded', 'true');
  }

  private choose(i: number): void {
    this.entries[i]?.run();
    this.close();
  }

  private onKey(event: KeyboardEvent): void {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && !this.list.hidden) {
      this.list.querySelector('[aria-selected="true"]')?.setAttribute('aria-selected', 'false');
      this.chosen = Math.max(0, Math.min(this.entries.length - 1, this.chosen + move));
      const item = this.list.querySelector(`#found-${this.chosen}`);
      item?.setAttribute('aria-selected', 'true');
      item?.scrollIntoView({ block: 'nearest' });
      this.input.setAttribute('aria-activedescendant', `found-${this.chosen}`);
    } else if (event.key === 'Enter' && !this.list.hidden) this.choose(Math.max(0, this.chosen));
    else if (event.key === 'Escape') {
      this.close();
      this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
