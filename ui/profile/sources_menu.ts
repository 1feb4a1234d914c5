// ui/profile/sources_menu.ts - the profiles at hand: fetched now or before, one of them as the base of a difference.
import { h } from '../common/dom.ts';
import { change, getJson, said } from '../common/fetch.ts';
import type { MenuEntry } from '../common/menu.ts';
import { toast } from '../common/toast.ts';
import { formatValue } from '../common/units.ts';
import type { App } from './app.ts';
import type { Sources } from './api.ts';

const POLL_MS = 400;

// Says in the heading that a fetch is under way, and for how long.
export const fetching = h('span', { class: 'fetching', role: 'status', hidden: true });

let isFollowing = false;

// Waits for the end of the fetch under way: a CPU profile takes 30 s or what its URL says. The newest is then looked at.
export async function follow(app: App): Promise<void> {
  if (isFollowing || !app.sources?.is_refreshing) return;
  isFollowing = true;
  const start = Date.now();
  try {
    while (app.sources.is_refreshing) {
      fetching.hidden = false;
      fetching.textContent = `Fetching again, ${Math.round((Date.now() - start) / 1000)} s…`;
      await new Promise((done) => setTimeout(done, POLL_MS));
      app.sources = await getJson<Sources>('/api/sources');
    }
    if (app.sources.error) toast(app.sources.error, 'error');
    else app.state.set({ src: String(app.sources.sources.find((source) => source.is_newest)?.id ?? ''), z: null });
  } finally {
    isFollowing = false;
    fetching.hidden = true;
    app.tellNews();
  }
}

export async function refresh(app: App): Promise<void> {
  try {
    app.sources = await change<Sources>('POST', '/api/refresh');
    await follow(app);
  } catch (error) {
    toast(said(error), 'error');
  }
}

export function sourcesMenu(app: App): MenuEntry[] {
  const { sources, state, summary } = app;
  const list = sources?.sources ?? [];
  const now = state.get('src') || String(list.find((source) => source.is_newest)?.id ?? '');
  const when = (nanos: number) => new Date(nanos / 1e6).toLocaleTimeString();
  const label = (source: Sources['sources'][number]) => `#${source.id} ${source.name}`;
  const hint = (source: Sources['sources'][number]) => `${formatValue(source.total, summary?.unit ?? '')}, ${when(source.fetched_nanos)}`;
  const others = list.filter((source) => String(source.id) !== now);
  return [
    { label: 'Fetch again', hint: 'R', disabled: !sources?.can_refresh, run: () => void refresh(app) },
    null,
    'Look at',
    ...list.map((source) => ({ label: label(source), hint: hint(source), checked: String(source.id) === now, run: () => state.set({ src: String(source.id), z: null }) })),
    null,
    'Compare with (its weight is taken off)',
    ...(others.length ? others.map((source) => ({
      label: label(source), hint: hint(source), checked: state.get('base') === String(source.id), run: () => state.set({ base: state.get('base') === String(source.id) ? null : String(source.id), colour: null, z: null }),
    })) : [{ label: 'Fetch again, or give pprof -diff_base, to compare', disabled: true }]),
  ];
}
