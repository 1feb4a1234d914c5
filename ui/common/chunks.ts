// ui/common/chunks.ts - long lists of rows that may grow: some rows at a time become elements when they come near the view.
// Room: tables with rows of one height are table.ts. What a row looks like, and what of it is open, is the owner's: rows out
// of sight are made anew.
import { h, replace, type Props } from './dom.ts';

const CHUNK_PX = 2000; // some hundred lines of text: a few milliseconds to make
const SHORT_PX = 4000; // a list that is no longer is made at once
const NEAR = '800px'; // a screenful ahead, so that scrolling shows no holes

interface Chunk {
  element: HTMLElement;
  rows: HTMLElement[][]; // the elements of each row; empty: not made
  make(): HTMLElement[][];
}

function fill(chunk: Chunk): void {
  if (chunk.rows.length) return;
  chunk.rows = chunk.make();
  replace(chunk.element, chunk.rows);
  chunk.element.style.height = '';
}

function empty(chunk: Chunk): void {
  if (!chunk.rows.length || chunk.element.contains(document.activeElement)) return;
  chunk.element.style.height = `${chunk.element.offsetHeight}px`;
  chunk.rows = [];
  replace(chunk.element);
}

export interface ChunkList {
  elements: HTMLElement[];
  row(i: number): HTMLElement | undefined; // made if it is not there
}

// The chunks of all lists that one element scrolls.
export class Chunks {
  private readonly known = new Map<Element, Chunk>();
  private readonly observer: IntersectionObserver;

  constructor(view: HTMLElement) {
    const see = (entries: IntersectionObserverEntry[]) => {
      for (const { target, isIntersecting } of entries) {
        const chunk = this.known.get(target);
        if (!target.isConnected) this.forget(target); // of a row that was made anew
        else if (chunk) (isIntersecting ? fill : empty)(chunk);
      }
    };
    this.observer = new IntersectionObserver(see, { root: view, rootMargin: NEAR });
  }

  // Forgets the lists so far: what they were in is drawn anew.
  clear(): void {
    this.observer.disconnect();
    this.known.clear();
  }

  private forget(element: Element): void {
    this.observer.unobserve(element);
    this.known.delete(element);
  }

  // n rows of about `height` pixels; make: the elements of one, the first being the row itself. A row may hold a list of its own.
  list(n: number, height: number, make: (i: number) => HTMLElement[], tag: 'div' | 'ul' = 'div', props: Props = {}): ChunkList {
    const chunks: Chunk[] = [];
    const most = Math.max(1, Math.round(CHUNK_PX / height));
    for (let from = 0; from < n; from += most) {
      const size = Math.min(most, n - from);
      const element = h(tag, { ...props, style: { height: `${size * height}px` } });
      const chunk: Chunk = { element, rows: [], make: () => Array.from({ length: size }, (_, i) => make(from + i)) };
      chunks.push(chunk);
      if (n * height <= SHORT_PX) fill(chunk);
      else {
        this.known.set(element, chunk);
        this.observer.observe(element);
      }
    }
    const row = (i: number) => {
      const chunk = chunks[Math.floor(i / most)];
      if (chunk) fill(chunk);
      return chunk?.rows[i % most]?.[0];
    };
    return { elements: chunks.map(({ element }) => element), row };
  }
}
