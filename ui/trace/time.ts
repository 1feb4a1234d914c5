// ui/trace/time.ts - the stretch of time in view, and times as text.
// Room: arithmetic; nothing is drawn or fetched here.
import { clamp } from '../common/dom.ts';

export interface TimeRange { t0: number; t1: number }

const LEAST_NS = 50; // the narrowest view: a few instructions

export function clampRange(range: TimeRange, end: number): TimeRange {
  const length = clamp(range.t1 - range.t0, Math.min(LEAST_NS, end), end);
  const t0 = clamp(range.t0, 0, end - length);
  return { t0, t1: t0 + length };
}

// factor < 1 comes nearer; the time `at` stays where it is on the screen.
export function zoomRange(range: TimeRange, at: number, factor: number, end: number): TimeRange {
  const length = clamp((range.t1 - range.t0) * factor, Math.min(LEAST_NS, end), end);
  const share = (at - range.t0) / (range.t1 - range.t0);
  return clampRange({ t0: at - length * share, t1: at + length * (1 - share) }, end);
}

const steps: [number, string][] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'us'], [1, 'ns']];

// A length of time in its own unit: "1.25 ms".
export function lengthText(ns: number): string {
  const [unit, name] = steps.find(([u]) => Math.abs(ns) >= u) ?? steps[3]!;
  return `${Number((ns / unit).toPrecision(4))} ${name}`;
}

// A moment, precise to the pixel: all in the unit of the view.
export function momentText(ns: number, nsPerPx: number): string {
  const [unit, name] = steps.find(([u]) => Math.abs(ns) >= u) ?? steps[3]!;
  const digits = clamp(Math.ceil(Math.log10(unit / Math.max(nsPerPx, 1))), 0, 9);
  return `${(ns / unit).toFixed(digits)} ${name}`;
}

// "12.5ms", "1s", "340us" or plain nanoseconds; NaN when it is none of them.
export function parseTime(text: string): number {
  const match = /^([\d.,]+)\s*(s|ms|us|µs|ns)?$/.exec(text.trim());
  if (!match) return NaN;
  const unit = match[2] === 'µs' ? 'us' : (match[2] ?? 'ns');
  return Number(match[1]!.replaceAll(',', '')) * (steps.find(([, name]) => name === unit)?.[0] ?? NaN);
}

// Round moments about 120 pixels apart.
export function ticks(range: TimeRange, width: number): number[] {
  const rough = ((range.t1 - range.t0) / Math.max(1, width)) * 120;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  const list: number[] = [];
  for (let t = Math.ceil(range.t0 / step) * step; t <= range.t1; t += step) list.push(t);
  return list;
}
