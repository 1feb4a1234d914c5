// ui/profile/share.ts - giving a view away: as a link, a command, a file.
import { ask, getJson, said } from '../common/fetch.ts';
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
  try {
    download(name, await (await ask('/api/export', app.query({ form }), {})).blob());
  } catch (error) {
    toast(said(error), 'error');
  }
}

const forms: [string, string, string][] = [
  ['Flame graph, one HTML file', 'flamegraph', 'html'], ['Filtered profile (pb.gz)', 'proto', 'pb.gz'], ['Folded stacks', 'folded', 'folded'], ['Top as JSON', 'json', 'json'],
  ['Top as CSV', 'csv', 'csv'], ['Speedscope', 'speedscope', 'speedscope.json'], ['Graph as DOT', 'dot', 'dot'], ['Callgrind', 'callgrind', 'callgrind'], ['Text', 'text', 'txt'],
];

// What a file of this profile is called, without its ending.
export function fileName(app: App): string {
  return (app.summary?.title || 'profile').replace(/[^\w.-]+/g, '_');
}

export function shareMenu(app: App): MenuEntry[] {
  const title = fileName(app);
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
