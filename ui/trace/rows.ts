// ui/trace/rows.ts - which lane is in which row.
// Room: pages of the directory as they are scrolled to; tasks are rows too.
import { ask, type Kind, type Lane, type Lanes, type Rows, type Task } from './api.ts';
import type { TimeRange } from './time.ts';

const PAGE = 100;

export interface Row {
  name: string;
  lane: number; // of a task: its id
  start: number;
  ns: number[];
  task?: Task;
}

export class RowSource {
  total = 0;
  private pages = new Map<number, Row[] | 'asked'>();
  private version = 0;
  kind: Kind = 'goroutine';
  private sort = '';
  private filter = '';
  private during: TimeRange | undefined; // only lanes that do something then

  constructor(private readonly onChange: () => void, private readonly onError: (error: unknown) => void) {}

  // True when it shows others from now on.
  set(kind: Kind, sort: string, filter: string, during?: TimeRange): boolean {
    const isSameTime = during?.t0 === this.during?.t0 && during?.t1 === this.during?.t1;
    if (kind === this.kind && sort === this.sort && filter === this.filter && isSameTime && this.version) return false;
    this.during = during;
    this.kind = kind;
    this.sort = sort;
    this.filter = filter;
    this.version++;
    this.pages = new Map();
    this.total = 0;
    this.want(0, 1);
    return true;
  }

  row(i: number): Row | undefined {
    const page = this.pages.get(Math.floor(i / PAGE));
    return page && page !== 'asked' ? page[i % PAGE] : undefined;
  }

  want(from: number, to: number): void {
    for (let page = Math.floor(Math.max(0, from) / PAGE); page * PAGE < to; page++) if (!this.pages.has(page)) void this.fetch(page);
  }

  // The row of a lane; undefined: the filter leaves it out.
  async find(lane: number): Promise<number | undefined> {
    if (this.kind === 'task') return undefined;
    const answer = await ask<Lanes>('lanes', { kind: this.kind, sort: this.sort, filter: this.filter, find: lane, n: 0, ...this.time() });
    return answer.found;
  }

  // Row i of those that are here.
  rowOfLane(lane: number): number {
    for (const [page, rows] of this.pages) {
      const i = rows === 'asked' ? -1 : rows.findIndex((row) => row.lane === lane);
      if (i >= 0) return page * PAGE + i;
    }
    return -1;
  }

  private async fetch(page: number): Promise<void> {
    const version = this.version;
    this.pages.set(page, 'asked');
    try {
      const { total, rows } = this.kind === 'task' ? await this.tasks(page) : await this.lanes(page);
      if (version !== this.version) return;
      this.total = total;
      this.pages.set(page, rows);
      this.onChange();
    } catch (error) {
      if (version === this.version) this.pages.delete(page);
      this.onError(error);
    }
  }

  private time(): Record<string, number> {
    return this.during ? { t0: this.during.t0, t1: this.during.t1 } : {};
  }

  private async lanes(page: number): Promise<Rows<Row>> {
    const answer = await ask<Lanes>('lanes', { kind: this.kind, sort: this.sort, filter: this.filter, off: page * PAGE, n: PAGE, ...this.time() });
    return { total: answer.total, rows: answer.lanes.map((lane: Lane) => lane) };
  }

  private async tasks(page: number): Promise<Rows<Row>> {
    const sort = this.sort.endsWith('run') ? '-length' : 'start';
    const list = await ask<Rows<Task>>('task', { name: this.filter, sort, off: page * PAGE, n: PAGE, ...this.time() });
    if (!list.rows.length) return { total: list.total, rows: [] };
    const whole = await ask<Rows<Task>>('task', { ids: list.rows.map((task) => task.id).join(','), n: PAGE });
    const byId = new Map(whole.rows.map((task) => [task.id, task]));
    const toRow = (task: Task): Row => ({ name: `${task.type} ${task.id}`, lane: task.id, start: task.start, ns: [], task: byId.get(task.id) ?? task });
    return { total: list.total, rows: list.rows.map(toRow) };
  }
}
