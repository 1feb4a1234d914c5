// ui/common/mirror.ts - what a canvas shows, for keyboards and screen readers.
// Room: a focusable tree laid over the canvas whose items are the neighbourhood of the current node only: its ancestors, its
// siblings and its children. The owner moves on keys and says what the neighbourhood is; the ring of the focus is drawn
// by the owner too.
import { h, replace } from './dom.ts';

export interface MirrorItem {
  label: string;
  level: number; // 1: the root
  position: number; // among its siblings, from 1
  siblings: number;
  expanded?: boolean;
  isCurrent: boolean;
}

export class Mirror {
  readonly element: HTMLElement;
  private readonly id: string;

  constructor(label: string, name: string, onKey: (event: KeyboardEvent) => void) {
    this.id = name;
    this.element = h('div', { role: 'tree', class: 'mirror', tabindex: '0', 'aria-label': label, onkeydown: onKey });
  }

  show(items: MirrorItem[]): void {
    replace(
      this.element,
      items.map((item, i) =>
        h(
          'div',
          {
            role: 'treeitem', id: `${this.id}-${i}`, 'aria-level': item.level, 'aria-posinset': item.position, 'aria-setsize': item.siblings,
            'aria-expanded': item.expanded === undefined ? undefined : String(item.expanded), 'aria-selected': String(item.isCurrent),
          },
          item.label,
        ),
      ),
    );
    const current = items.findIndex((item) => item.isCurrent);
    if (current >= 0) this.element.setAttribute('aria-activedescendant', `${this.id}-${current}`);
    else this.element.removeAttribute('aria-activedescendant');
  }
}
