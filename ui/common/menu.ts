// ui/common/menu.ts - menus: under a button, or where the pointer is.
// Room: showing one list of items and running what is chosen; arrows, Home, End, first letters, Enter and Escape work.
import { h } from './dom.ts';

export interface MenuItem {
  label: string;
  hint?: string; // a key or a value, shown at the right
  checked?: boolean;
  disabled?: boolean;
  run?(): void;
}
// null separates; a string is a heading.
export type MenuEntry = MenuItem | string | null;

let close: ((giveFocusBack: boolean) => void) | undefined;

export function closeMenu(): void {
  close?.(false);
}

function itemElement(item: MenuItem, choose: (item: MenuItem) => void): HTMLElement {
  const role = item.checked === undefined ? 'menuitem' : 'menuitemcheckbox';
  return h(
    'div',
    {
      role, tabindex: '-1', class: 'menu-item', 'aria-disabled': item.disabled ? 'true' : undefined,
      'aria-checked': item.checked === undefined ? undefined : String(item.checked),
      onclick: () => choose(item),
      onpointermove: (event) => (event.currentTarget as HTMLElement).focus(),
    },
    h('span', { class: 'menu-label' }, item.label),
    item.hint ? h('span', { class: 'menu-hint' }, item.hint) : null,
  );
}

function place(menu: HTMLElement, at: DOMRect | { x: number; y: number }): void {
  const size = menu.getBoundingClientRect();
  const x = at.x;
  const below = at instanceof DOMRect ? at.bottom + 2 : at.y;
  const above = (at instanceof DOMRect ? at.top - 2 : at.y) - size.height;
  const y = below + size.height <= innerHeight - 4 || above < 4 ? below : above;
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - size.width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - size.height - 4))}px`;
}

function onKey(event: KeyboardEvent, items: HTMLElement[]): void {
  const i = items.indexOf(document.activeElement as HTMLElement);
  const go = (to: number) => items[(to + items.length) % items.length]?.focus();
  if (event.key === 'ArrowDown') go(i + 1);
  else if (event.key === 'ArrowUp') go(i < 0 ? -1 : i - 1);
  else if (event.key === 'Home') go(0);
  else if (event.key === 'End') go(-1);
  else if (event.key === 'Enter' || event.key === ' ') items[i]?.click();
  else if (event.key === 'Escape' || event.key === 'Tab') close?.(true);
  else if (event.key.length === 1) {
    const starts = (el: HTMLElement) => el.textContent?.toLowerCase().startsWith(event.key.toLowerCase());
    [...items.slice(i + 1), ...items.slice(0, i + 1)].find(starts)?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

// anchor: the element it belongs to (gets the focus back), or a point within `owner`.
export function openMenu(label: string, entries: MenuEntry[], anchor: HTMLElement, point?: { x: number; y: number }): void {
  close?.(false);
  const items: HTMLElement[] = [];
  const menu = h('div', { role: 'menu', class: 'menu', 'aria-label': label });
  const outside = (event: Event) => {
    if (!menu.contains(event.target as Node)) close?.(false);
  };
  close = (giveFocusBack) => {
    close = undefined;
    menu.remove();
    anchor.setAttribute('aria-expanded', 'false');
    if (point) anchor.removeAttribute('aria-expanded');
    document.removeEventListener('pointerdown', outside, true);
    window.removeEventListener('blur', outside);
    if (giveFocusBack) anchor.focus();
  };
  const choose = (item: MenuItem) => {
    if (item.disabled) return;
    close?.(true);
    item.run?.();
  };
  for (const entry of entries) {
    if (entry === null) menu.appendChild(h('div', { role: 'separator', class: 'menu-separator' }));
    else if (typeof entry === 'string') menu.appendChild(h('div', { role: 'presentation', class: 'menu-heading' }, entry));
    else {
      const el = itemElement(entry, choose);
      if (!entry.disabled) items.push(el);
      menu.appendChild(el);
    }
  }
  menu.addEventListener('keydown', (event) => onKey(event, items));
  (document.querySelector('main') ?? document.body).appendChild(menu); // within a landmark
  if (!point) anchor.setAttribute('aria-expanded', 'true');
  place(menu, point ?? anchor.getBoundingClientRect());
  document.addEventListener('pointerdown', outside, true);
  items[0]?.focus();
}

// A button that opens a menu made when it is asked for.
export function menuButton(label: string, content: Node[], entries: () => MenuEntry[], props: Record<string, unknown> = {}): HTMLButtonElement {
  const button = h(
    'button',
    {
      type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-label': content.some((node) => node.textContent) ? undefined : label, title: label, ...props,
      onclick: () => openMenu(label, entries(), button),
      onkeydown: (event) => {
        if (event.key !== 'ArrowDown') return;
        event.preventDefault();
        openMenu(label, entries(), button);
      },
    },
    content,
  );
  return button;
}
