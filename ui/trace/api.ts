// ui/trace/api.ts - what the server says of a trace.
// Room: the shapes of docs/api.md's trace calls, and asking for them. Times are nanoseconds since the trace began.
import { change, getJson, type Query } from '../common/fetch.ts';

export type Kind = 'goroutine' | 'proc' | 'thread' | 'task';
export const kinds: Kind[] = ['goroutine', 'proc', 'thread', 'task'];

export interface Progress { state: 'loading' | 'ready' | 'failed'; read: number; total: number; events: number; error?: string }
export interface State { text: string; class: number }
export interface Summary {
  name: string; version: number; is_go: boolean; bytes: number; begin: number; end: number; events: number; goroutines: number; procs: number; threads: number;
  samples: number; tasks: number; regions: number; logs: number; broken?: string; classes: string[]; states: State[];
}
export interface Lane { lane: number; id: number; name: string; func?: string; start: number; spans: number; ns: number[] }
export interface Lanes { total: number; found?: number; lanes: Lane[] }
export interface TileData { lane: number; index: number; spans?: number[]; cells?: string }
export interface Tiles { level: number; tiles: TileData[]; names?: Record<string, string> }
export interface Region { lane: number; name: string; start: number; end: number; depth: number; task: number }
export interface Range { lane: number; type: string; name: string; start: number; end: number }
export interface Sample { lane: number; time: number; func: string }
export interface Log { lane: number; time: number; category: string; message: string }
export interface Overlay {
  regions: Region[]; ranges: Range[]; samples: Sample[]; logs: Log[];
  more_regions?: number; more_samples?: number; more_ranges?: number; more_logs?: number;
}
export interface Frame { func: string; file: string; line: number }
export interface Link { kind: Kind; lane: number; name: string }
export interface Span {
  lane: Link; state: string; class: string; start: number; end: number; index: number; spans: number; prev?: number; next?: number;
  proc?: Link; thread?: Link; goroutine?: Link; stack?: Frame[]; woken_by?: Link; woken_at?: number; woken_how?: string; woken_stack?: Frame[];
  woke?: { time: number; to: Link }[]; regions?: Region[];
}
export interface Flame { total: number; names: string[]; nodes: number[] }
export interface Selection {
  t0: number; t1: number; lanes: number; spans: number; walked?: number; ns: number[]; unit: string; flame: Flame; latencies: number[];
  states: { state: number; ns: number; n: number }[]; top: { lane: number; name: string; run: number; runnable: number }[];
}
export interface Hit { kind: string; time: number; end: number; text: string; func?: string; lane?: number; name?: string }
export interface Found { total: number; lanes: (Link & { start: number })[]; density: number[]; hits: Hit[] }
export type CounterSlice = [min: number, max: number, last: number, mean: number] | null;
export type CounterName = 'running' | 'runnable' | 'syscall' | 'waiting' | 'procs' | 'heap' | 'goal';
export type Counters = { t0: number; width: number; exact: number } & Partial<Record<CounterName, CounterSlice[]>>;
export interface Flows { flows: Flow[]; more?: number; is_least?: number }
export type Flow = [from: number, to: number, time: number, end: number];

export interface Spend {
  total: number; run: number; runnable: number; syscall: number; syscall_blocked: number; unknown: number;
  blocked: Record<string, number>; ranges: Record<string, number>;
}
export interface GoRow extends Spend { id: number; lane: number; name: string; start: number; end: number; samples: number }
export interface RegionRow extends Spend { lane: number; name: string; task: number; start: number; end: number }
export interface Group {
  name: string; func: string; file: string; line: number; n: number; complete: number; total: number; run: number; runnable: number;
  blocked: number; syscall: number; max: number; samples: number; histogram: [bucket: number, n: number][];
}
export interface Task {
  id: number; parent: number; type: string; start: number; end: number; length: number; n_regions: number; n_logs: number; lane?: number; name?: string;
  regions?: { name: string; lane?: number; start: number; end: number }[]; logs?: { time: number; category: string; message: string }[];
}
export interface Rows<R> { total: number; rows: R[] }

export interface Live { can_record: boolean; is_recording: boolean; number: number; error: string }

export function ask<T>(call: string, query: Record<string, string | number>, signal?: AbortSignal): Promise<T> {
  const pairs: Query = Object.entries(query).filter(([, v]) => v !== '').map(([k, v]) => [k, String(v)]);
  return getJson<T>(`/api/trace/${call}`, pairs, signal);
}

// Hands a profile of the trace to the profile pages of the same server, in a window of its own.
export async function openProfile(query: Record<string, string | number>): Promise<void> {
  const pairs = Object.entries(query).filter(([, v]) => v !== '').map(([k, v]): [string, string] => [k, String(v)]);
  const { source } = await change<{ source: number }>('POST', '/api/trace/open', pairs);
  window.open(`/ui/flamegraph?src=${source}`, '_blank', 'noopener');
}
