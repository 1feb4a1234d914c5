// ui/profile/groups.ts - which group a frame belongs to, and which groups weigh most.
// Room: packages, files or binaries by how much of the picture they cover; the twelve that cover most have colours. What
// is said of one is its own weight.
import { N_CATEGORIES, ranks } from '../common/colours.ts';
import { formatPercent } from '../common/units.ts';
import type { Frames, Tree } from './flame_tree.ts';
import { groupOf } from './names.ts';

export class Groups {
  private of: string[] = []; // by frame
  private weights = new Map<string, number>();
  private rank = new Map<string, number>();
  private total = 1;
  private hidden = 0; // weight without boxes of its own, whose groups are not known
  private by = '';

  constructor(private readonly frames: Frames) {}

  count(trees: { down?: Tree; up?: Tree }, by: string): void {
    this.by = by === 'diff' ? 'package' : by;
    this.of = this.frames.list.map((frame) => groupOf(frame, this.by));
    this.weights = new Map();
    const areas = new Map<string, number>();
    this.total = trees.down?.width[0] || 1;
    this.hidden = 0;
    for (const tree of [trees.down, trees.up]) {
      for (let i = 0; tree && i < tree.n; i++) {
        const group = this.of[tree.frame[i]!];
        if (group === undefined) continue;
        areas.set(group, (areas.get(group) ?? 0) + tree.width[i]!);
        if (tree === trees.up) continue; // callers: what they weigh themselves is not in the picture
        const own = Math.abs(tree.self[i]!) + Math.abs(tree.baseSelf[i]!);
        this.hidden += tree.hidden[i]!;
        this.weights.set(group, (this.weights.get(group) ?? 0) + own);
      }
    }
    this.rank = ranks(areas);
  }

  rankOf(frame: number): number {
    return this.rank.get(this.of[frame] ?? groupOf(this.frames.list[frame]!, this.by)) ?? -1;
  }

  members(group: string): Set<number> {
    return new Set(this.of.flatMap((name, i) => (name === group ? [i] : [])));
  }

  // share: of own weight, where little of the profile is hidden; else empty: it would be told too small.
  heaviest(): { name: string; rank: number; share: string }[] {
    const isKnown = this.hidden < this.total / 50;
    return [...this.rank]
      .filter(([, rank]) => rank >= 0 && rank < N_CATEGORIES)
      .map(([name, rank]) => ({ name, rank, share: isKnown && this.weights.get(name) ? formatPercent(this.weights.get(name)!, this.total) : '' }));
  }
}
