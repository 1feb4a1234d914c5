// ui/profile/app.ts - what every page of a profile shares: the state, the summary, and asking the server.
// Room: no page and no heading; those are given an App. The keys of the address that the server does not know are named here.
import { ApiError, getJson, type Query } from '../common/fetch.ts';
import type { Call } from '../generated/tables.ts';
import { UrlState } from '../common/state.ts';
import type { Options, Sources, Summary } from './api.ts';

// Kept in the address but not of the profile: how a page shows what it got.
//   z zoomed to, colour, layout, order, fold, q search, p pivot, view, fn what peek, source and disasm look at
export const OWN_KEYS = new Set(['z', 'colour', 'layout', 'order', 'fold', 'q', 'p', 'view', 'fn', 'group']);

export interface View {
  update(changed: ReadonlySet<string>): void; // the state changed; called once when the page opens, with "page"
  close(): void;
  toolbar?: HTMLElement;
  onSearchEnter?(isBack: boolean): void;
  copyTarget?(): string | undefined; // the function the user is at, for links to other pages
}

export interface Page {
  name: string; // last segment of its path
  title: string;
  key: string; // digit
  open(main: HTMLElement, app: App): View;
}

export class App {
  readonly state = new UrlState('/ui/');
  summary: Summary | undefined;
  options: Options | undefined;
  sources: Sources | undefined;
  failed: ApiError | undefined; // of the newest request for the page
  private listeners: (() => void)[] = [];

  // The state as the server takes it, with more keys for one request; pages that look `fn` up give it as f.
  query(more: Record<string, string> = {}, without: ReadonlySet<string> = new Set()): Query {
    const except = new Set([...OWN_KEYS, ...without, ...Object.keys(more)]);
    return [...this.state.entries(except), ...Object.entries(more).filter(([, value]) => value !== '')];
  }

  async get<T>(call: Call, more: Record<string, string> = {}, signal?: AbortSignal, without?: ReadonlySet<string>): Promise<T> {
    return getJson<T>(`/api/${call}`, this.query(more, without), signal);
  }

  // What peek, source and disasm look for: their own key, or the original's f.
  get wanted(): string {
    return this.state.get('fn') || this.state.get('f');
  }

  onNews(listener: () => void): void {
    this.listeners.push(listener);
  }

  tellNews(): void {
    for (const listener of this.listeners) listener();
  }

  // Runs what a page asks for, and keeps what failed where the heading and the page show it.
  async attempt(run: () => Promise<void>): Promise<void> {
    try {
      await run();
      this.failed = undefined;
    } catch (error) {
      this.failed = error instanceof ApiError ? error : new ApiError(String(error), 0);
    }
    setTimeout(() => this.tellNews()); // once the page has shown it in its own place, if it has one
  }

  async loadSummary(): Promise<void> {
    this.summary = await this.get<Summary>('summary');
    document.title = `${this.summary.title || 'pprof'} ${this.summary.type}`;
    this.tellNews();
  }

  async loadSources(): Promise<void> {
    this.sources = await getJson<Sources>('/api/sources');
    this.tellNews();
  }

  async loadOptions(): Promise<Options> {
    this.options ??= await getJson<Options>('/api/options', this.query());
    return this.options;
  }
}
