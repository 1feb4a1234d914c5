// ui/common/toast.ts - short sentences at the foot of the page: what has been done, what went wrong.
import { h, iconButton } from './dom.ts';

const area = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
const SHOWN_MS = 4000; // long enough to read a sentence; errors stay until dismissed

export function addToasts(): void {
  document.body.appendChild(area);
}

export function toast(text: string, kind: 'info' | 'error' = 'info'): void {
  const el = h('div', { class: `toast ${kind}` }, h('span', {}, text));
  const remove = () => el.remove();
  if (kind === 'error') el.appendChild(iconButton('close', 'Dismiss', remove));
  else setTimeout(remove, SHOWN_MS);
  area.appendChild(el);
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast(`${what}: ${text}`, 'error'); // no clipboard without a secure context: show it to be copied by hand
  }
}

export function download(name: string, data: Blob): void {
  const url = URL.createObjectURL(data);
  const link = h('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
