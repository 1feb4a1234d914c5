// ui/profile/node_text.ts - a node of a flame graph in words and numbers.
// Room: the tooltip and the sentence that readers hear; both say the same.
import { h, type Child } from '../common/dom.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { FlameChart, Spot } from './flame_chart.ts';
import type { Frames } from './flame_tree.ts';

export interface NodeContext {
  chart: FlameChart;
  frames: Frames;
  type: string;
  unit: string;
  isDiff: boolean;
}

const inlinedText = ['', 'inlined', 'inlined in places'];

function numbersOf(context: NodeContext, spot: Spot) {
  const tree = context.chart.treeOf(spot);
  const i = spot.node;
  const whole = tree.total[0] || 1;
  const value = (x: number) => formatValue(x, context.unit);
  return { tree, i, whole, value, frame: tree.frame[i]! < 0 ? undefined : context.frames.list[tree.frame[i]!]! };
}

export function describeNode(context: NodeContext, spot: Spot): string {
  const { tree, i, whole, value, frame } = numbersOf(context, spot);
  const name = frame?.name ?? context.chart.look.rootLabel;
  const parts = [`${value(tree.total[i]!)} (${formatPercent(tree.total[i]!, whole)})`];
  if (tree.self[i]) parts.push(`itself ${value(tree.self[i]!)} (${formatPercent(tree.self[i]!, whole)})`);
  if (context.isDiff) parts.push(`base ${value(tree.base[i]!)}, change ${value(tree.total[i]! - tree.base[i]!)}`);
  if (tree.inlined[i]) parts.push(inlinedText[tree.inlined[i]!]!);
  if (tree.nHidden[i]) parts.push(`${tree.nHidden[i]} smaller callees not drawn`);
  return `${name}: ${parts.join(', ')}`;
}

export function nodeTooltip(context: NodeContext, spot: Spot): Child[] {
  const { tree, i, whole, value, frame } = numbersOf(context, spot);
  const rows: Child[] = [];
  const row = (title: string, x: number, of = whole) => rows.push(h('dt', {}, title), h('dd', {}, value(x)), h('dd', {}, formatPercent(x, of)));
  row('total', tree.total[i]!);
  row('itself', tree.self[i]!);
  if (context.isDiff) {
    row('base', tree.base[i]!, tree.base[0] || 1);
    rows.push(h('dt', {}, 'change'), h('dd', {}, value(tree.total[i]! - tree.base[i]!)), h('dd', {}, tree.base[i] ? formatPercent(tree.total[i]! - tree.base[i]!, tree.base[i]!) : 'new'));
  }
  if (tree.parent[i]! > 0) rows.push(h('dt', {}, 'of its caller'), h('dd', {}), h('dd', {}, formatPercent(tree.total[i]!, tree.total[tree.parent[i]!]!)));
  const notes = [inlinedText[tree.inlined[i]!], tree.nHidden[i] ? `${tree.nHidden[i]} smaller callees, hatched` : ''].filter(Boolean).join('; ');
  const place = frame && [frame.file + (frame.line ? `:${frame.line}` : ''), frame.binary].filter(Boolean).join(' in ');
  return [
    h('div', { class: 'name' }, frame?.name ?? context.chart.look.rootLabel),
    place ? h('div', { class: 'faint' }, place) : null,
    h('dl', {}, rows),
    notes ? h('div', { class: 'faint' }, notes) : null,
  ];
}
