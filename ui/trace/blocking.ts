// ui/trace/blocking.ts - the four profiles of waiting, and that of CPU samples: of all goroutines, or of those of one start function.
// Room: a flame graph of each, and the profile itself to save.
import { h, replace } from '../common/dom.ts';
import { formatValue } from '../common/units.ts';
import { ask, openProfile, type Selection } from './api.ts';
import { FlameGraph } from './flame.ts';
import { groupQuery, type PageLinks } from './tables.ts';

const types = [
  ['sync', 'Synchronization', 'waiting for locks, channels and select'],
  ['net', 'Network', 'waiting for the network'],
  ['syscall', 'System calls', 'in system calls'],
  ['sched', 'Scheduler', 'ready to run, waiting for a processor'],
  ['cpu', 'CPU samples', 'where CPU time was spent, if the program was sampled meanwhile'],
] as const;

export function blockingPage(links: PageLinks): HTMLElement {
  const chosen = types.find(([id]) => id === links.get('type')) ?? types[0]!;
  const graph = new FlameGraph();
  const total = h('span', { class: 'faint' });
  const tabs = types.map(([id, title]) => h('a', { class: 'button', href: links.href('blocking', { type: id }), 'aria-current': id === chosen[0] ? 'page' : undefined }, title));
  const group = groupQuery(links.get('func'));
  ask<Selection>('select', { flame: chosen[0], ...group }).then((selection) => {
    replace(total, selection.flame.total ? `${formatValue(selection.flame.total, selection.unit === 'count' ? 'samples' : selection.unit)} in all` : 'nothing of that in this trace');
    graph.show(selection.flame, selection.unit);
  }).catch(links.onError);
  const saved = new URLSearchParams(Object.entries({ type: chosen[0], ...group }));
  const whose = group.func || group.nameless ? ['The time of goroutines of ', h('a', { href: links.href('goroutines', { type: '' }) }, links.get('func')), ' ', chosen[2], ', by stack. ', h('a', { href: links.href('blocking', { func: '' }) }, 'Of all goroutines'), ' '] : ['The time of all goroutines ', chosen[2], ', by stack. '];
  return h('main', { class: 'table-page', id: 'main' },
    h('div', { class: 'page-head' }, h('h1', {}, 'Blocking'), h('p', { class: 'faint' }, whose), h('nav', { class: 'tabs', 'aria-label': 'Profiles' }, tabs)),
    h('div', { class: 'page-tools' }, total, h('div', { class: 'grow' }), h('button', { type: 'button', class: 'button', onclick: () => void openProfile({ type: chosen[0], ...group }).catch(links.onError) }, 'Open in the profile pages'), h('a', { class: 'button', href: `/api/trace/profile?${saved}`, download: '' }, 'Save')),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Flame graph' }, graph.element));
}
