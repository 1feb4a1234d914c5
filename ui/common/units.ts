// ui/common/units.ts - numbers as people read them.
// Room: scaling and rounding for display only; reports carry their exact values beside.

interface Scale {
  factor: number;
  name: string;
}
const times: Scale[] = [
  { factor: 1, name: 'ns' }, { factor: 1e3, name: 'us' }, { factor: 1e6, name: 'ms' }, { factor: 1e9, name: 's' },
  { factor: 60e9, name: 'mins' }, { factor: 3600e9, name: 'hrs' },
];
const sizes: Scale[] = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'].map((name, i) => ({ factor: 1024 ** i, name }));

// A unit of profiles as a factor into our smallest one, and the ladder it is shown on.
const known: Record<string, [number, Scale[]]> = {
  nanoseconds: [1, times], ns: [1, times], microseconds: [1e3, times], us: [1e3, times], milliseconds: [1e6, times], ms: [1e6, times],
  seconds: [1e9, times], s: [1e9, times], minutes: [60e9, times],
  bytes: [1, sizes], byte: [1, sizes], b: [1, sizes], kilobytes: [1024, sizes], kb: [1024, sizes], megabytes: [1024 ** 2, sizes], mb: [1024 ** 2, sizes],
};

// At most two decimals, none that say nothing.
function short(x: number): string {
  return String(Number(x.toFixed(2)));
}

export function formatCount(n: number): string {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

export function formatValue(value: number, unit: string): string {
  const [factor, ladder] = known[unit.toLowerCase()] ?? [0, []];
  if (!factor) return formatCount(value) + (unit && unit !== 'count' ? ` ${unit}` : '');
  const smallest = value * factor;
  let best = ladder[0]!;
  for (const scale of ladder) if (Math.abs(smallest) >= scale.factor) best = scale;
  return short(smallest / best.factor) + (smallest === 0 ? '' : best.name);
}

export function formatPercent(part: number, whole: number): string {
  if (!whole) return '0%';
  const p = (100 * part) / whole;
  const size = Math.abs(p);
  if (size >= 99.95) return `${Math.round(p)}%`;
  return `${p.toFixed(size >= 1 ? 1 : 2)}%`;
}
