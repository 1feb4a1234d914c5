// ui/common/tooltip.ts - what is under the pointer, said at once.
// Room: one box beside a point of the page. It repeats what the accessible mirror says, so it is hidden from readers.
import { h, replace, type Child } from './dom.ts';

const box = h('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: true });

export function showTooltip(x: number, y: number, ...content: Child[]): void {
  if (!box.isConnected) document.body.appendChild(box);
  replace(box, content);
  box.hidden = false;
  const size = box.getBoundingClientRect();
  const left = x + 14 + size.width > innerWidth ? x - size.width - 10 : x + 14;
  const top = y + 18 + size.height > innerHeight ? y - size.height - 10 : y + 18;
  box.style.left = `${Math.max(2, left)}px`;
  box.style.top = `${Math.max(2, top)}px`;
}

export function hideTooltip(): void {
  box.hidden = true;
}
