// ui/common/pieces.ts - rows of a long table, fetched a piece at a time as they come in sight.
// Room: which pieces are here or asked for. A piece that did not come is asked for again when it is next in sight.
import type { TableSource } from './table.ts';

export class Pieces<R> implements TableSource<R> {
  private readonly rows: (R | undefined)[];
  private readonly asked = new Set([0]);

  // first: the rows from 0 on; count: how many there are in all; ask: some `size` rows from one on.
  constructor(
    first: R[],
    readonly count: number,
    private readonly size: number,
    private readonly ask: (off: number) => Promise<R[]>,
    private readonly onCome: () => void,
  ) {
    this.rows = new Array<R | undefined>(count);
    this.put(0, first);
  }

  row(i: number): R | undefined {
    return this.rows[i];
  }

  want(from: number, to: number): void {
    for (let piece = Math.floor(from / this.size); piece * this.size < to; piece++) {
      if (this.asked.has(piece)) continue;
      this.asked.add(piece);
      this.ask(piece * this.size).then(
        (rows) => {
          this.put(piece * this.size, rows);
          this.onCome();
        },
        () => this.asked.delete(piece),
      );
    }
  }

  private put(off: number, rows: R[]): void {
    rows.forEach((row, i) => (this.rows[off + i] = row));
  }
}
