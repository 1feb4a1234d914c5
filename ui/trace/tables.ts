// ui/trace/tables.ts - pages of tables: goroutines by start function, tasks, regions, the profiles of waiting.
// Room: columns and where a row leads. Rows come in pages as they are scrolled to, sorted by the server.
import { h, replace, type Child } from '../common/dom.ts';
import { VirtualTable, type Column, type TableSource } from '../common/table.ts';
import type { Changes } from '../common/state.ts';
import { formatCount } from '../common/units.ts';
import { ask, type GoRow, type Group, type RegionRow, type Rows, type Spend, type Task } from './api.ts';
import { lengthText } from './time.ts';

const PAGE = 200;

// A table whose rows the server sorts and pages.
class PagedTable<R> {
  readonly table: VirtualTable<R>;
  private pages = new Map<number, R[] | 'asked'>();
  private sort: string;
  private version = 0;

  constructor(label: string, columns: Column<R>[], private readonly call: string, private readonly query: Record<string, string | number>, sort: string, onActivate: (row: R) => void, private readonly onError: (error: unknown) => void) {
    this.sort = `-${sort}`;
    this.table = new VirtualTable<R>({
      label, columns, onActivate, empty: 'Nothing of that in this trace.',
      onSort: (id, isDescending) => {
        this.sort = (isDescending ? '-' : '') + id;
        void this.load();
      },
    });
    this.table.setSort(sort, true);
  }

  async load(): Promise<R[]> {
    const version = ++this.version;
    const first = await this.fetch(0);
    if (version !== this.version) return first.rows;
    this.pages = new Map([[0, first.rows]]);
    const source: TableSource<R> = {
      count: first.total,
      row: (i) => {
        const page = this.pages.get(Math.floor(i / PAGE));
        return page === 'asked' ? undefined : page?.[i % PAGE];
      },
      want: (from, to) => {
        for (let page = Math.floor(from / PAGE); page * PAGE < to; page++) if (!this.pages.has(page)) void this.add(page, version);
      },
    };
    this.table.setSource(source);
    return first.rows;
  }

  private fetch(page: number): Promise<Rows<R>> {
    return ask<Rows<R>>(this.call, { ...this.query, sort: this.sort, off: page * PAGE, n: PAGE });
  }

  private async add(page: number, version: number): Promise<void> {
    this.pages.set(page, 'asked');
    try {
      const { rows } = await this.fetch(page);
      if (version !== this.version) return;
      this.pages.set(page, rows);
      this.table.refresh();
    } catch (error) {
      this.onError(error);
    }
  }
}

export interface PageLinks {
  href(page: string, changes: Changes): string;
  go(page: string, changes: Changes): void;
  get(key: string): string;
  onError(error: unknown): void;
}

const ns = (value: number): string => (value < 0 ? '' : value === 0 ? '0' : lengthText(value));

// Log-scale bars, five a factor of ten; a click keeps the rows of that bar.
function histogram(buckets: [number, number][], pick?: (min: number, max: number) => void): HTMLElement {
  const most = Math.max(1, ...buckets.map(([, n]) => n));
  const bound = (bucket: number) => Math.round(10 ** (bucket / 5));
  const bar = ([bucket, n]: [number, number]) => {
    const text = `${lengthText(bound(bucket))} to ${lengthText(bound(bucket + 1))}: ${formatCount(n)}`;
    const style = { height: `${Math.max(2, Math.round((n / most) * 18))}px` };
    return pick ? h('button', { type: 'button', class: 'hist-bar', 'aria-label': text, title: text, onclick: () => pick(bound(bucket), bound(bucket + 1)) }, h('span', { style })) : h('span', { class: 'hist-bar', title: text }, h('span', { style }));
  };
  return h('span', { class: 'hist' }, buckets.map(bar));
}

const time = <R>(id: string, title: string, value: (row: R) => number, about?: string): Column<R> => ({ id, title, width: `${Math.max(7.5, title.length * 0.55 + 2.5)}rem`, isNumber: true, isSortable: true, cell: (row) => ns(value(row)), ...(about ? { about } : {}) });

// One column a reason that somebody waited for, as the official tool has them.
function spendColumns<R extends Spend>(rows: R[]): Column<R>[] {
  const keys = (part: 'blocked' | 'ranges') => [...new Set(rows.flatMap((row) => Object.keys(row[part])))].sort();
  return [
    time<R>('total', 'Total', (row) => row.total),
    { ...time<R>('run', 'Execution', (row) => row.run, 'On a processor'), bar: (row) => row.run / Math.max(1, row.total) },
    ...keys('blocked').map((reason) => time<R>(`blocked:${reason}`, `Block (${reason || 'not told'})`, (row) => row.blocked[reason] ?? 0)),
    time<R>('syscall_blocked', 'Block (syscall)', (row) => row.syscall_blocked, 'In calls whose processor went to others'),
    time<R>('runnable', 'Sched wait', (row) => row.runnable, 'Ready to run, and not running'),
    time<R>('syscall', 'Syscall', (row) => row.syscall, 'In calls, holding a processor'),
    time<R>('unknown', 'Unknown', (row) => row.unknown),
    ...keys('ranges').map((name) => time<R>(`range:${name}`, name, (row) => row.ranges[name] ?? 0, 'Overlaps the others')),
  ];
}

// Shows a lane at a time, with some room around.
function placeOf(lane: number, start: number, end: number): Changes {
  const from = Math.max(0, start);
  const margin = Math.max(1000, (end - from) * 0.1);
  return { k: 'goroutine', lane: String(lane), t: String(from), t0: String(Math.max(0, Math.floor(from - margin))), t1: String(Math.ceil((end < 0 ? from + 1e6 : end) + margin)), s0: '', s1: '', sl: '', q: '', in: '' };
}

function page(title: string, about: Child, ...children: Child[]): HTMLElement {
  return h('main', { class: 'table-page', id: 'main' }, h('div', { class: 'page-head' }, h('h1', {}, title), h('p', { class: 'faint' }, about)), children);
}

const nameless = '(no stack was seen)';

// What asks for the goroutines of a start function; '': all.
export const groupQuery = (func: string): Record<string, string> => (!func ? {} : func === nameless ? { nameless: '1' } : { func });

export function goroutinesPage(links: PageLinks): HTMLElement {
  const func = links.get('func');
  return func ? goroutinesOf(links, func === nameless ? '' : func) : groupsPage(links);
}

function groupsPage(links: PageLinks): HTMLElement {
  const open = (row: Group) => links.go('goroutines', { func: row.func || nameless });
  const columns: Column<Group>[] = [
    { id: 'func', title: 'Start function', width: 'minmax(16rem, 1fr)', cell: (row) => h('a', { href: links.href('goroutines', { func: row.func || nameless }) }, row.func || nameless) },
    { id: 'n', title: 'Count', width: '6rem', isNumber: true, isSortable: true, cell: (row) => formatCount(row.n) },
    time('run', 'Execution', (row) => row.run, 'On a processor'),
    time('max', 'Longest', (row) => row.max, 'Execution of one goroutine at most'),
    time('runnable', 'Sched wait', (row) => row.runnable),
    time('blocked', 'Blocked', (row) => row.blocked),
    time('syscall', 'Syscalls', (row) => row.syscall),
    time('total', 'Total', (row) => row.total),
    { id: 'histogram', title: 'Execution', width: '11rem', cell: (row) => histogram(row.histogram) },
  ];
  const table = new PagedTable<Group>('Goroutines by start function', columns, 'groups', {}, 'run', open, links.onError);
  table.load().catch(links.onError);
  return page('Goroutines', 'Where goroutines of each start function spent their time. Open one to see each goroutine.', table.table.element);
}

function goroutinesOf(links: PageLinks, func: string): HTMLElement {
  const holder = h('div', { class: 'grow table-holder' });
  const query = groupQuery(func || nameless);
  const place = (row: GoRow) => placeOf(row.lane, row.start, row.end);
  const name: Column<GoRow> = { id: 'id', title: 'Goroutine', width: 'minmax(9rem, 1fr)', isSortable: true, cell: (row) => h('a', { href: links.href('', { ...place(row), func: '' }) }, `G${row.id}`) };
  void ask<Rows<GoRow>>('goroutines', { ...query, sort: '-run', n: PAGE }).then((first) => {
    const table = new PagedTable<GoRow>('Goroutines', [name, ...spendColumns(first.rows)], 'goroutines', query, 'run', (row) => links.go('', { ...place(row), func: '' }), links.onError);
    replace(holder, table.table.element);
    return table.load();
  }).catch(links.onError);
  const waits = [['cpu', 'CPU samples'], ['net', 'network'], ['sync', 'synchronization'], ['syscall', 'system calls'], ['sched', 'scheduler']] as const;
  const profiles = waits.map(([type, title]) => h('a', { href: links.href('blocking', { type, func: func || nameless }) }, title));
  const filter = links.href('', { k: 'goroutine', q: `=${func}`, func: '' });
  return page(func || nameless, [h('a', { href: links.href('goroutines', { func: '' }) }, 'All functions'), ' · ', h('a', { href: filter }, 'These in the timeline'), ' · their profiles: ', profiles.flatMap((link, i) => (i ? [', ', link] : [link]))], holder);
}

function bounds(links: PageLinks): Record<string, string> {
  return { min: links.get('min'), max: links.get('max') };
}

function groupColumns(links: PageLinks, what: 'tasks' | 'regions', title: string): Column<Group>[] {
  const href = (row: Group) => links.href(what, { type: row.name, func: row.func });
  return [
    { id: 'name', title, width: 'minmax(12rem, 1fr)', cell: (row) => h('a', { href: href(row) }, row.name || '(no name)') },
    ...(what === 'regions' ? [{ id: 'func', title: 'Where', width: 'minmax(12rem, 1fr)', cell: (row: Group) => `${row.func} ${row.file.split('/').pop()}:${row.line}` }] : []),
    { id: 'n', title: 'Count', width: '6rem', isNumber: true, isSortable: true, cell: (row) => formatCount(row.n) },
    { id: 'complete', title: 'Complete', width: '6rem', isNumber: true, cell: (row) => formatCount(row.complete) },
    time('max', 'Longest', (row) => row.max),
    time('total', 'Total', (row) => row.total),
    { id: 'histogram', title: 'Length', about: 'Five bars a factor of ten; a bar opens those of that length', width: '14rem', cell: (row) => histogram(row.histogram, (min, max) => links.go(what, { type: row.name, func: row.func, min: String(min), max: String(max) })) },
  ];
}

function bounded(links: PageLinks, what: 'tasks' | 'regions'): Child {
  const { min, max } = bounds(links);
  const all = h('a', { href: links.href(what, { type: '', func: '', min: '', max: '' }) }, what === 'tasks' ? 'All tasks' : 'All regions');
  return min ? [all, ` · ${lengthText(Number(min))} to ${lengthText(Number(max))} · `, h('a', { href: links.href(what, { min: '', max: '' }) }, 'any length')] : all;
}

export function tasksPage(links: PageLinks): HTMLElement {
  const name = links.get('type');
  if (!name) {
    const table = new PagedTable<Group>('Tasks', groupColumns(links, 'tasks', 'Task'), 'tasks', {}, 'total', (row) => links.go('tasks', { type: row.name }), links.onError);
    table.load().catch(links.onError);
    return page('User tasks', 'What the program called a task, by type. Click a bar of the histogram for the tasks of that length.', table.table.element);
  }
  const place = (row: Task): Changes => ({ ...placeOf(row.lane ?? -1, row.start, row.end), type: '', min: '', max: '', func: '' });
  const columns: Column<Task>[] = [
    { id: 'id', title: 'Task', width: '9rem', cell: (row) => h('a', { href: links.href('', place(row)) }, `${row.type} ${row.id}`) },
    { id: 'name', title: 'Goroutine', width: 'minmax(12rem, 1fr)', cell: (row) => row.name ?? '' },
    time('start', 'When', (row) => row.start),
    { id: 'length', title: 'Elapsed', width: '8rem', isNumber: true, isSortable: true, cell: (row) => (row.length < 0 ? 'not ended' : lengthText(row.length)) },
    { id: 'n_regions', title: 'Regions', width: '6rem', isNumber: true, cell: (row) => formatCount(row.n_regions) },
    { id: 'n_logs', title: 'Logs', width: '6rem', isNumber: true, cell: (row) => formatCount(row.n_logs) },
  ];
  const table = new PagedTable<Task>('Tasks', columns, 'task', { name, ...bounds(links) }, 'length', (row) => links.go('', place(row)), links.onError);
  table.load().catch(links.onError);
  return page(name, bounded(links, 'tasks'), table.table.element);
}

export function regionsPage(links: PageLinks): HTMLElement {
  const name = links.get('type');
  if (!name) {
    const table = new PagedTable<Group>('Regions', groupColumns(links, 'regions', 'Region'), 'regions', {}, 'total', (row) => links.go('regions', { type: row.name, func: row.func }), links.onError);
    table.load().catch(links.onError);
    return page('User regions', 'What the program called a region, by name and place. Click a bar of the histogram for the regions of that length.', table.table.element);
  }
  const holder = h('div', { class: 'grow table-holder' });
  const query = { name, func: links.get('func'), ...bounds(links) };
  const place = (row: RegionRow): Changes => ({ ...placeOf(row.lane, row.start, row.end), type: '', min: '', max: '', func: '' });
  void ask<Rows<RegionRow>>('region', { ...query, sort: '-total', n: PAGE }).then((first) => {
    const columns: Column<RegionRow>[] = [
      { id: 'start', title: 'Goroutine', width: 'minmax(10rem, 1fr)', isSortable: true, cell: (row) => h('a', { href: links.href('', place(row)) }, row.name) },
      { id: 'task', title: 'Task', width: '6rem', isNumber: true, cell: (row) => row.task || '' },
      ...spendColumns(first.rows),
    ];
    const table = new PagedTable<RegionRow>('Regions', columns, 'region', query, 'total', (row) => links.go('', place(row)), links.onError);
    replace(holder, table.table.element);
    return table.load();
  }).catch(links.onError);
  return page(name, bounded(links, 'regions'), holder);
}
