// ui/profile/names.ts - what a function's name says: its package, and shorter ways to write it.
// Room: text only. Names are Go's, C's, C++'s, Rust's or Java's; those without symbols read "binary+0x1234".
import type { FlameFrame } from './api.ts';

// name without what stands in <>, () or [], so that dots in arguments mislead nobody; "(*T).f" keeps its method.
function bare(name: string): string {
  let depth = 0;
  let text = '';
  for (const c of name) {
    if (c === '<' || c === '(' || c === '[' || c === '{') depth++;
    else if (c === '>' || c === ')' || c === ']' || c === '}') depth = Math.max(0, depth - 1);
    else if (depth === 0) text += c;
  }
  return text || name;
}

// What gcc and clang put behind the names of copies they made of a function.
const withoutCopy = (name: string): string => name.replace(/(\.(isra|part|constprop|cold|lto_priv|llvm|localalias|resolver|ifunc|clone|\d+))+$/, '');

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

// "net/http" of "net/http.(*conn).serve", "std" of "std::vector<int>::push_back", the binary of a C function.
export function packageOf(frame: FlameFrame): string {
  const name = bare(withoutCopy(frame.name));
  const colons = name.indexOf('::');
  if (colons > 0) return name.slice(0, colons).replace(/^.*\s/, '');
  const slash = name.lastIndexOf('/');
  const dot = name.indexOf('.', slash + 1);
  if (dot > 0 && !/[\s@]/.test(name)) return name.slice(0, dot);
  return lastPart(frame.binary) || 'unknown';
}

export function groupOf(frame: FlameFrame, by: string): string {
  if (by === 'file') return frame.file || lastPart(frame.binary) || 'unknown';
  if (by === 'binary') return lastPart(frame.binary) || 'unknown';
  return packageOf(frame);
}

// "ssa.(*Value).reset" of "cmd/compile/internal/ssa.(*Value).reset"; slashes in arguments are no path.
export function withoutPath(name: string): string {
  if (!/^[\w.\-~]+\//.test(name)) return name;
  return name.slice(name.slice(0, name.search(/[(<[]|$/)).lastIndexOf('/') + 1);
}

// From the whole to the shortest that still says something: all, without the path, the last word.
export function shorter(name: string): string[] {
  const whole = [name];
  const plain = bare(withoutCopy(name));
  const noPath = withoutPath(name);
  if (noPath !== name) whole.push(noPath);
  const last = plain.split(/::|\.(?=[^.])/).pop() ?? '';
  if (last && last !== noPath && last.length < noPath.length) whole.push(last);
  return whole;
}

// The expression that matches this name only.
export function exactly(name: string): string {
  return `^${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`;
}
