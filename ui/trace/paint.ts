// ui/trace/paint.ts - the colours of what time is spent on.
// Room: a colour for each class and theme. Waiting is drawn as a thin strip and work as a full bar, so that the two are told
// apart without any colour; the hues (green, amber, violet; red, blue) differ in lightness too.
import { isDark } from '../common/theme.ts';

// In the order of the summary's classes: none, running, runnable, in syscall, sync, network, sleep, waiting.
const light = ['#ffffff', '#4fb783', '#f0b541', '#a394e0', '#e38d80', '#74b4e4', '#b9c0c9', '#d8aedd'];
const dark = ['#15181c', '#2e8a5d', '#a97a1c', '#6f61bd', '#a4564c', '#3b7aab', '#566070', '#7d5683'];

export const RUNNING = 1;
export const RUNNABLE = 2;
export const SYSCALL = 3;

export const isWork = (cls: number): boolean => cls >= RUNNING && cls <= SYSCALL;
export const classColour = (cls: number): string => (isDark() ? dark : light)[cls] ?? light[0]!;

const parsed = new Map<string, [number, number, number]>();
export function rgb(colour: string): [number, number, number] {
  let value = parsed.get(colour);
  if (!value) parsed.set(colour, (value = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)) as [number, number, number]));
  return value;
}

// A number that is the same for the same text: the colour of a goroutine's function, of a region.
export function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return Math.abs(hash);
}
