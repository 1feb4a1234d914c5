// ui/common/colours.ts - every colour that is drawn on a canvas.
// Room: palettes and what they mean; the colours of HTML are variables in common.css.
// Twelve hues at one OKLCH lightness (light: L 0.82, C 0.085, text at least 9.9:1; dark: L 0.42, C 0.075, 7.4:1). Neighbours
// differ too little to tell more than a dozen groups apart, so the heaviest groups get the hues and the rest is grey.
// Differences go from blue (less) over grey to orange (more): told apart by every kind of colour vision, and marked by
// triangles besides.
import { isDark } from './theme.ts';

const light = ['#f6b19f', '#d5c484', '#93d6b1', '#85d0ee', '#bebdfa', '#edaed1', '#ebb989', '#b2d095', '#7ed6d5', '#9fc7fb', '#d9b4ea', '#f5aeb7'];
const dark = ['#7a3a28', '#5f5212', '#1e5f40', '#0b5a73', '#494883', '#72375b', '#70420f', '#3e5b22', '#075f5f', '#2a5083', '#623f72', '#793844'];

export interface Paint {
  background: string;
  text: string;
  faint: string; // text of less weight
  line: string;
  other: string; // a group beyond the palette
  root: string;
  dim: string; // what a search did not match
  dimText: string;
  hatch: string;
  focus: string;
  match: string;
  gap: string;
}

const paints: Record<'light' | 'dark', Paint> = {
  light: {
    background: '#ffffff', text: '#14171a', faint: '#4a525c', line: '#c9ced6', other: '#d3d7dd', root: '#c3c9d1',
    dim: '#eef0f3', dimText: '#5c6570', hatch: '#aab1bb', focus: '#0b5cad', match: '#e5c100', gap: '#ffffff',
  },
  dark: {
    background: '#15181c', text: '#f2f4f6', faint: '#b4bcc7', line: '#3a414b', other: '#474e58', root: '#3b424c',
    dim: '#23282f', dimText: '#9aa3af', hatch: '#5a636f', focus: '#7db7f5', match: '#ffd83d', gap: '#15181c',
  },
};

export const paint = (): Paint => paints[isDark() ? 'dark' : 'light'];
export const N_CATEGORIES = light.length;

// The colour of the group of that weight rank, 0 being the heaviest; -1 or beyond the palette: grey.
export function category(rank: number): string {
  const palette = isDark() ? dark : light;
  return palette[rank] ?? paint().other;
}

function mix(a: string, b: string, share: number): string {
  const part = (s: string, i: number) => parseInt(s.slice(1 + 2 * i, 3 + 2 * i), 16);
  const channel = (i: number) => Math.round(part(a, i) + (part(b, i) - part(a, i)) * share);
  return `rgb(${channel(0)},${channel(1)},${channel(2)})`;
}

// change: -1 (gone) to 1 (new), as a share of the bigger side.
export function difference(change: number): string {
  const [less, more, same] = isDark() ? ['#1f5f99', '#a5431f', '#474e58'] : ['#6db4dd', '#f4925f', '#dfe2e6'];
  const share = Math.min(1, Math.abs(change));
  return mix(same, change < 0 ? less : more, share === 0 ? 0 : 0.25 + 0.75 * share);
}

// share: 0 (cold) to 1 (hot); one hue, lightness falling in light and rising in dark.
export function heat(share: number): string {
  const [cold, hot] = isDark() ? ['#15181c', '#7a3510'] : ['#ffffff', '#ffc193'];
  return mix(cold, hot, Math.sqrt(Math.max(0, Math.min(1, share))));
}

// Groups by falling weight: the palette's rank of each.
export function ranks(weights: ReadonlyMap<string, number>): Map<string, number> {
  const order = [...weights].sort(([a, wa], [b, wb]) => wb - wa || (a < b ? -1 : 1));
  return new Map(order.map(([name], i) => [name, i < N_CATEGORIES ? i : -1]));
}
