// ui/profile/flame_tree.ts - the flame graph as columns: nodes in pre-order, each an interval of the whole.
// Room: from the server's answer to what is drawn: intervals, finer pieces put in place, recursion folded, order by name.
// Nothing is drawn here. A node's interval begins with its children, heaviest first; then comes what was left out (hidden),
// then its own weight.
import type { FlameColumns, FlameFrame } from './api.ts';

export interface Tree {
  n: number;
  depth: Int32Array;
  frame: Int32Array; // index into Frames; -1: the root, or a pivot of several functions
  total: Float64Array;
  self: Float64Array;
  hidden: Float64Array; // in units of width: what has no box of its own
  nHidden: Int32Array;
  inlined: Uint8Array;
  base: Float64Array;
  baseSelf: Float64Array;
  parent: Int32Array;
  end: Int32Array; // one past the subtree
  x: Float64Array; // left edge
  width: Float64Array;
  levels: number;
}

// The frames of all answers so far, each known by its id.
export class Frames {
  readonly list: FlameFrame[] = [];
  private readonly byId = new Map<number, number>();

  clear(): void {
    this.list.length = 0;
    this.byId.clear();
  }

  // Where each of an answer's frames is in `list`.
  add(frames: FlameFrame[]): Int32Array {
    return Int32Array.from(frames, (frame) => {
      let i = this.byId.get(frame.id);
      if (i === undefined) {
        i = this.list.length;
        this.list.push(frame);
        this.byId.set(frame.id, i);
      }
      return i;
    });
  }
}

function empty(n: number): Tree {
  const ints = () => new Int32Array(n);
  const floats = () => new Float64Array(n);
  return {
    n, depth: ints(), frame: ints(), total: floats(), self: floats(), hidden: floats(), nHidden: ints(), inlined: new Uint8Array(n), base: floats(),
    baseSelf: floats(), parent: ints(), end: ints(), x: floats(), width: floats(), levels: 0,
  };
}

function linkParents(t: Tree): void {
  const open: number[] = [];
  t.levels = 0;
  for (let i = 0; i < t.n; i++) {
    const depth = t.depth[i]!;
    while (open.length > depth) t.end[open.pop()!] = i;
    t.parent[i] = depth ? open[depth - 1]! : -1;
    open.push(i);
    t.levels = Math.max(t.levels, depth + 1);
  }
  while (open.length) t.end[open.pop()!] = t.n;
}

// Widths, and from them the intervals: children from the left edge on, in the order they are in.
export function place(t: Tree): Tree {
  linkParents(t);
  const used = new Float64Array(t.n);
  for (let i = 0; i < t.n; i++) {
    t.width[i] = Math.abs(t.total[i]!) + Math.abs(t.base[i]!);
    const parent = t.parent[i]!;
    t.x[i] = parent < 0 ? 0 : t.x[parent]! + used[parent]!;
    if (parent >= 0) used[parent]! += t.width[i]!;
  }
  for (let i = 0; i < t.n; i++) t.hidden[i] = Math.max(0, t.width[i]! - used[i]! - Math.abs(t.self[i]!) - Math.abs(t.baseSelf[i]!));
  return t;
}

// frames: where the answer's frame numbers are in Frames (add).
export function treeOf(columns: FlameColumns, frames: Int32Array, scale: number): Tree {
  const t = empty(columns.depth.length);
  for (let i = 0; i < t.n; i++) {
    const frame = columns.frame[i]!;
    t.depth[i] = columns.depth[i]!;
    t.frame[i] = frame < 0 ? -1 : frames[frame]!;
    t.total[i] = columns.total[i]! * scale;
    t.self[i] = columns.self[i]! * scale;
    t.nHidden[i] = columns.n_hidden[i]!;
    t.inlined[i] = columns.inlined[i]!;
    t.base[i] = (columns.base?.[i] ?? 0) * scale;
    t.baseSelf[i] = (columns.base_self?.[i] ?? 0) * scale;
  }
  return place(t);
}

type Column = 'depth' | 'frame' | 'total' | 'self' | 'nHidden' | 'inlined' | 'base' | 'baseSelf';
const columns: Column[] = ['depth', 'frame', 'total', 'self', 'nHidden', 'inlined', 'base', 'baseSelf'];

function copyNode(to: Tree, at: number, from: Tree, i: number): void {
  for (const column of columns) to[column][at] = from[column][i]!;
}

// t with the subtree of node `at` replaced by a finer one, whose root is the same node.
export function refine(t: Tree, at: number, finer: Tree): Tree {
  const after = t.end[at]!;
  const out = empty(at + finer.n + t.n - after);
  for (let i = 0; i < at; i++) copyNode(out, i, t, i);
  for (let i = 0; i < finer.n; i++) {
    copyNode(out, at + i, finer, i);
    out.depth[at + i]! += t.depth[at]!;
  }
  copyNode(out, at, t, at);
  out.nHidden[at] = finer.nHidden[0]!;
  for (let i = after; i < t.n; i++) copyNode(out, at + finer.n + i - after, t, i);
  return place(out);
}

interface Node {
  from: number; // in the tree it was built from
  total: number;
  self: number;
  nHidden: number;
  base: number;
  baseSelf: number;
  inlined: number;
  children: Map<number, Node>;
}

function nodeOf(t: Tree, i: number): Node {
  return { from: i, total: 0, self: 0, nHidden: 0, base: 0, baseSelf: 0, inlined: t.inlined[i]!, children: new Map() };
}

function addOwn(node: Node, t: Tree, i: number): void {
  node.self += t.self[i]!;
  node.nHidden += t.nHidden[i]!;
  node.baseSelf += t.baseSelf[i]!;
}

// Calls of a function that is already on the stack join its first call.
function build(t: Tree, i: number, node: Node, open: Map<number, Node>, folds: boolean): void {
  addOwn(node, t, i);
  for (let child = i + 1; child < t.end[i]!; child = t.end[child]!) {
    const frame = t.frame[child]!;
    const outer = folds ? open.get(frame) : undefined;
    if (outer) {
      build(t, child, outer, open, folds);
      continue;
    }
    let next = node.children.get(frame);
    if (!next) node.children.set(frame, (next = nodeOf(t, child)));
    open.set(frame, next);
    build(t, child, next, open, folds);
    open.delete(frame);
  }
}

// Totals from the leaves up. Weight hidden below a node stays with it: it is what its total has beyond its parts.
function sum(t: Tree, node: Node, hidden: Map<Node, number>): number {
  node.total = node.self + (hidden.get(node) ?? 0);
  node.base = node.baseSelf;
  for (const child of node.children.values()) {
    node.total += sum(t, child, hidden);
    node.base += child.base;
  }
  return node.total;
}

function flatten(root: Node, t: Tree, order: (a: Node, b: Node) => number): { tree: Tree; from: Int32Array } {
  const nodes: [Node, number][] = [];
  const visit = (node: Node, depth: number): void => {
    nodes.push([node, depth]);
    for (const child of [...node.children.values()].sort(order)) visit(child, depth + 1);
  };
  visit(root, 0);
  const tree = empty(nodes.length);
  nodes.forEach(([node, depth], i) => {
    copyNode(tree, i, t, node.from);
    tree.depth[i] = depth;
    tree.total[i] = node.total;
    tree.self[i] = node.self;
    tree.nHidden[i] = node.nHidden;
    tree.base[i] = node.base;
    tree.baseSelf[i] = node.baseSelf;
  });
  return { tree: place(tree), from: Int32Array.from(nodes, ([node]) => node.from) };
}

export interface Shape {
  foldsRecursion: boolean;
  byName: boolean;
}

// The tree as it is to be shown; from[i]: the node of t that node i began as.
export function shape(t: Tree, frames: Frames, how: Shape): { tree: Tree; from: Int32Array } {
  if (!t.n || (!how.foldsRecursion && !how.byName)) return { tree: t, from: Int32Array.from({ length: t.n }, (_, i) => i) };
  const root = nodeOf(t, 0);
  const hidden = new Map<Node, number>();
  build(t, 0, root, new Map([[t.frame[0]!, root]]), how.foldsRecursion);
  spreadHidden(t, root, hidden, how.foldsRecursion);
  sum(t, root, hidden);
  const name = (node: Node) => frames.list[t.frame[node.from]!]?.name ?? '';
  const byName = (a: Node, b: Node) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);
  const byWeight = (a: Node, b: Node) => b.total + b.base - a.total - a.base;
  return flatten(root, t, how.byName ? byName : byWeight);
}

// What each node of t hides belongs to the node it became.
function spreadHidden(t: Tree, root: Node, hidden: Map<Node, number>, folds: boolean): void {
  const became: Node[] = [];
  for (let i = 0; i < t.n; i++) {
    const parent = t.parent[i]!;
    if (parent < 0) became[i] = root;
    else became[i] = ancestorOf(t, i, became, folds) ?? became[parent]!.children.get(t.frame[i]!)!;
    if (t.hidden[i]) hidden.set(became[i]!, (hidden.get(became[i]!) ?? 0) + t.hidden[i]!);
  }
}

function ancestorOf(t: Tree, i: number, became: Node[], folds: boolean): Node | undefined {
  if (!folds) return undefined;
  for (let a = t.parent[i]!; a >= 0; a = t.parent[a]!) if (t.frame[a] === t.frame[i]) return became[a];
  return undefined;
}

// The path of a node from below the root, as short texts that a later answer can be walked by.
export function pathOf(t: Tree, frames: Frames, i: number): string {
  const parts: string[] = [];
  for (; i > 0; i = t.parent[i]!) parts.unshift(nameHash(frames.list[t.frame[i]!]?.name ?? ''));
  return parts.join('.');
}

// The node at the end of a path, or how far it goes.
export function walk(t: Tree, frames: Frames, path: string): { at: number; isWhole: boolean } {
  let at = 0;
  for (const part of path ? path.split('.') : []) {
    let child = at + 1;
    while (child < t.end[at]! && nameHash(frames.list[t.frame[child]!]?.name ?? '') !== part) child = t.end[child]!;
    if (child >= t.end[at]!) return { at, isWhole: false };
    at = child;
  }
  return { at, isWhole: true };
}

// The ids of a node's frames from below the root, as the server's `root` has them.
export function idsOf(t: Tree, frames: Frames, i: number): string {
  const ids: number[] = [];
  for (; i > 0; i = t.parent[i]!) ids.unshift(frames.list[t.frame[i]!]!.id);
  return ids.join('.');
}

const hashes = new Map<string, string>();

// 30 bits of FNV-1a: a sibling with the same hash would be found in its place, once in some million links.
function nameHash(name: string): string {
  let text = hashes.get(name);
  if (text === undefined) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    text = (hash >>> 2).toString(36);
    hashes.set(name, text);
  }
  return text;
}
