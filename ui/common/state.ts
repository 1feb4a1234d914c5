// ui/common/state.ts - what is looked at, kept in the page's address.
// Room: the query string and the last path segment as one value that can be watched. Undo and redo are the browser's own
// history, so back, forward, bookmarks and shared links all mean the same. Nothing here knows what a key means.

export type Changes = Record<string, string | null | undefined>;
type Watcher = (changed: ReadonlySet<string>) => void;

export class UrlState {
  private params = new URLSearchParams(location.search);
  private watchers: Watcher[] = [];
  page = pageOf(location.pathname);

  // prefix: where the pages live ("/ui/"); a page's name follows it.
  constructor(private readonly prefix: string) {
    window.addEventListener('popstate', () => this.take(pageOf(location.pathname), new URLSearchParams(location.search)));
  }

  get(key: string): string {
    return this.params.get(key) ?? '';
  }

  // Without the keys in `except`.
  entries(except: ReadonlySet<string> = new Set()): [string, string][] {
    return [...this.params].filter(([key, value]) => value !== '' && !except.has(key));
  }

  // Changes keys (empty, null and undefined remove one). "replace" leaves no step to undo.
  set(changes: Changes, how: 'push' | 'replace' = 'push'): void {
    this.go(this.page, changes, how);
  }

  go(page: string, changes: Changes = {}, how: 'push' | 'replace' = 'push'): void {
    const next = this.with(changes);
    const url = this.urlOf(page, next);
    if (page === this.page && next.toString() === this.params.toString()) return;
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', url);
    this.take(page, next);
  }

  // The address of a page with changes applied, for links.
  href(page: string, changes: Changes = {}): string {
    return this.urlOf(page, this.with(changes));
  }

  // f hears which keys changed; "page" is among them when the page did.
  watch(f: Watcher): void {
    this.watchers.push(f);
  }

  private with(changes: Changes): URLSearchParams {
    const next = new URLSearchParams(this.params);
    for (const [key, value] of Object.entries(changes)) {
      if (value) next.set(key, value);
      else next.delete(key);
    }
    return next;
  }

  private urlOf(page: string, params: URLSearchParams): string {
    const query = params.toString();
    return this.prefix + page + (query ? `?${query}` : '');
  }

  private take(page: string, next: URLSearchParams): void {
    const changed = new Set<string>();
    for (const key of new Set([...this.params.keys(), ...next.keys()])) {
      if (this.params.get(key) !== next.get(key)) changed.add(key);
    }
    if (page !== this.page) changed.add('page');
    this.params = next;
    this.page = page;
    if (changed.size) for (const watcher of this.watchers) watcher(changed);
  }
}

function pageOf(path: string): string {
  return path.split('/').pop() ?? '';
}
