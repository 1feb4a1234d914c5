// ui/profile/main.ts - the pages of a profile: which is open, and who hears that the state changed.
// Room: putting heading, page and keys together. A new page is a line of `pages`.
import { h, replace } from '../common/dom.ts';
import { addActions } from '../common/keys.ts';
import { addPaletteActions } from '../common/palette.ts';
import { nextTheme, setTheme } from '../common/theme.ts';
import { addToasts } from '../common/toast.ts';
import { App, type Page, type View } from './app.ts';
import { disasmPage } from './disasm_page.ts';
import { failure } from './failure.ts';
import { factsPage } from './facts_page.ts';
import { flamePage } from './flame_page.ts';
import { graphPage } from './graph_page.ts';
import { Header } from './header.ts';
import { openOptions, saveConfig } from './options_panel.ts';
import { peekPage } from './peek_page.ts';
import { sourcePage } from './source_page.ts';
import { follow, refresh } from './sources_menu.ts';
import { tagsPage } from './tags_page.ts';
import { topPage } from './top_page.ts';
import { tracesPage } from './traces_page.ts';

const pages: Page[] = [flamePage, topPage, graphPage, peekPage, sourcePage, disasmPage, tagsPage, tracesPage, factsPage];
// What the original or an older link may call a page.
const otherNames: Record<string, string> = { '': 'flamegraph', ui: 'flamegraph', flamegraph2: 'flamegraph', flamegraphold: 'flamegraph', disassemble: 'disasm', weblist: 'source' };

const app = new App();
const main = h('main', { id: 'main', tabindex: '-1' });
const banner = h('div', { class: 'banner', hidden: true });
let page: Page | undefined;
let view: View | undefined;

const header = new Header(app, pages, (isBack) => view?.onSearchEnter?.(isBack));

function openPage(): void {
  const wanted = pages.find((p) => p.name === app.state.page);
  if (!wanted || wanted === page) return;
  view?.close();
  replace(main);
  page = wanted;
  view = wanted.open(main, app);
  header.setToolbar(view.toolbar);
}

// What went wrong, on pages that have no place of their own for it.
function drawBanner(): void {
  const { failed } = app;
  banner.hidden = !failed || main.querySelector('.failure') !== null;
  replace(banner, failed && !banner.hidden ? failure(failed, app.state.get(failed.option)) : null);
}

// Keys that change no number of the summary.
const looks = new Set(['z', 'colour', 'layout', 'order', 'fold', 'q', 'p', 'view', 'fn', 'group', 'page', 'sort', 'n', 'nf', 'ef', 'trim', 'calltree', 'compact', 'intel']);

function onState(changed: ReadonlySet<string>): void {
  openPage();
  header.draw();
  header.search.update();
  view?.update(changed);
  if ([...changed].some((key) => !looks.has(key))) void app.loadSummary().catch(() => app.tellNews());
}

function addPageActions(): void {
  for (const p of pages) addActions({ title: p.title, group: 'Go to', key: p.key, run: () => app.state.go(p.name) });
  addActions(
    { title: 'Search', group: 'Page', key: '/', run: () => header.search.input.focus() },
    { title: 'Options', group: 'Page', key: ',', run: () => void openOptions(app) },
    { title: 'Save these options', group: 'Page', run: () => void saveConfig(app) },
    { title: 'Undo', group: 'Page', key: 'Ctrl+z', run: () => history.back() },
    { title: 'Redo', group: 'Page', key: 'Ctrl+y', run: () => history.forward() },
    { title: 'Fetch the profile again', group: 'Page', key: 'R', when: () => app.sources?.can_refresh === true, run: () => void refresh(app) },
    { title: 'Light, dark or as the system', group: 'Page', key: 't', run: () => (setTheme(nextTheme()), header.draw()) },
    { title: 'Take all filters away', group: 'Page', key: 'Backspace', run: () => app.state.set(Object.fromEntries(app.state.entries(new Set(['si', 'src', 'base', 'layout', 'colour'])).map(([key]) => [key, null]))) },
  );
  addPaletteActions();
}

function start(): void {
  const name = otherNames[app.state.page] ?? app.state.page;
  document.body.append(h('a', { class: 'skip', href: '#main' }, 'Skip to the page'), header.element, banner, main);
  app.onNews(drawBanner);
  addToasts();
  addPageActions();
  app.state.watch(onState);
  if (name !== app.state.page) app.state.go(pages.some((p) => p.name === name) ? name : 'flamegraph', {}, 'replace');
  else onState(new Set(['page']));
  void app.loadSummary().catch((error) => app.attempt(() => Promise.reject(error)));
  void app.loadSources().then(() => follow(app)).catch(() => undefined);
}

start();
