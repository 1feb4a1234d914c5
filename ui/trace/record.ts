// ui/trace/record.ts - recording the next trace from the same URL.
// Room: one button. The page goes on with the trace it shows until the next one is read, then it begins anew with that.
import { askText } from '../common/dialog.ts';
import { h } from '../common/dom.ts';
import { change } from '../common/fetch.ts';
import { ask, type Live } from './api.ts';

const POLL_MS = 400;

// The seconds that the trace shown was recorded for, if its URL says so.
const secondsOf = (name: string): string => /[?&]seconds=(\d+)/.exec(name)?.[1] ?? '5';

async function untilShown(button: HTMLButtonElement, before: number, seconds: number): Promise<void> {
  const began = Date.now();
  for (;;) {
    const live = await ask<Live>('live', {});
    if (live.number !== before) return location.assign('/'); // times of before mean nothing in it
    if (!live.is_recording) throw new Error(live.error || 'nothing was recorded');
    const left = Math.ceil(seconds - (Date.now() - began) / 1000);
    button.textContent = left > 0 ? `Recording, ${left} s` : 'Reading…';
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

async function record(button: HTMLButtonElement, name: string): Promise<void> {
  const text = await askText('Record another trace', 'Seconds', secondsOf(name));
  if (text === undefined) return;
  const { number } = await ask<Live>('live', {});
  button.disabled = true;
  try {
    await change<Live>('POST', '/api/trace/record', [['seconds', text.trim()]]);
    await untilShown(button, number, Number(text));
  } finally {
    button.disabled = false;
    button.textContent = 'Record again';
  }
}

// Empty where the trace came from a file.
export function recordButton(name: string, onError: (error: unknown) => void): HTMLElement {
  const holder = h('span', {});
  const button = h('button', { type: 'button', class: 'button', title: 'Fetch another trace from the same address', onclick: () => void record(button, name).catch(onError) }, 'Record again') as HTMLButtonElement;
  ask<Live>('live', {}).then((live) => {
    if (live.can_record) holder.appendChild(button);
  }).catch(onError);
  return holder;
}
