// ui/profile/share.ts - giving a view away: as a link, a command, a file.
import { getJson, urlOf } from '../common/fetch.ts';
import type { MenuEntry } from '../common/menu.ts';
import { copyText, download, toast } from '../common/toast.ts';
import type { App } from './app.ts';
import type { Command } from './api.ts';

// What a page adds while it is open: the graph's picture as it stands.
let pageExports: MenuEntry[] = [];
export function setPageExports(entries: MenuEntry[]): void {
  pageExports = entries;
}

async function copyCommand(app: App): Promise<void> {
  const { command } = await getJson<Command>('/api/command', app.query());
  await copyText(command, 'Command');
}

async function save(app: App, form: string, name: string): Promise<void> {
  const response = await fetch(urlOf('/api/export', app.query({ form })));
  if (response.ok) return download(name, await response.blob());
  const text = await response.text();
  try {
    toast((JSON.parse(text) as { error: string }).error, 'error');
  } catch {
    toast(text || response.statusText, 'error');
  }
}

const forms: [string, string, string][] = [
  ['Flame graph, one HTML file', 'flamegraph', 'html'], ['Filtered profile (pb.gz)', 'proto', 'pb.gz'], ['Folded stacks', 'folded', 'folded'], ['Top as JSON', 'json', 'json'],
  ['Top as CSV', 'csv', 'csv'], ['Speedscope', 'speedscope', 'speedscope.json'], ['Graph as DOT', 'dot', 'dot'], ['Callgrind', 'callgrind', 'callgrind'], ['Text', 'text', 'txt'],
];

export function shareMenu(app: App): MenuEntry[] {
  const title = (app.summary?.title || 'profile').replace(/[^\w.-]+/g, '_');
  return [
    { label: 'Copy link', run: () => void copyText(location.href, 'Link') },
    { label: 'Copy as command line', run: () => void copyCommand(app) },
    null,
    ...pageExports,
    ...(pageExports.length ? [null] : []),
    'With the filters in force',
    ...forms.map(([label, form, ending]) => ({ label, run: () => void save(app, form, `${title}.${ending}`) })),
    null,
    { label: 'The whole profile (pb.gz)', run: () => location.assign('/download') },
  ];
}
