// ui/profile/header.ts - the top of every page: what is looked at, the pages, the search, the tools, the filters in force.
// Room: drawing it from the App's state; each tool's own panel or menu is in its file.
import { h, icon, iconButton, redraw, replace } from '../common/dom.ts';
import { menuButton } from '../common/menu.ts';
import { openHelp, openPalette } from '../common/palette.ts';
import { nextTheme, setTheme, themeChoice } from '../common/theme.ts';
import { formatPercent, formatValue } from '../common/units.ts';
import type { App, Page } from './app.ts';
import { openOptions } from './options_panel.ts';
import { SearchBox } from './search_box.ts';
import { shareMenu } from './share.ts';
import { fetching, sourcesMenu } from './sources_menu.ts';

// Filters in the order they work, as a chip says them.
const chips: [string, string][] = [
  ['f', 'focus'], ['i', 'ignore'], ['h', 'hide'], ['s', 'show'], ['sf', 'show from'], ['prunefrom', 'prune from'], ['tf', 'tag focus'], ['ti', 'tag ignore'],
  ['ts', 'tag show'], ['th', 'tag hide'], ['tagroot', 'split at root'], ['tagleaf', 'split at leaves'], ['noinlines', 'no inlines'], ['g', 'granularity'],
  ['mean', 'mean'], ['rel', 'relative'], ['dropneg', 'drop negative'], ['norm', 'normalize'], ['calltree', 'call tree'], ['unit', 'unit'], ['divide_by', 'divide by'],
  ['n', 'nodes'], ['nf', 'node fraction'], ['ef', 'edge fraction'], ['trim', 'trim'], ['intel', 'intel syntax'], ['showcolumns', 'columns'],
];

export class Header {
  readonly element = h('header', { class: 'header' });
  readonly search: SearchBox;
  private readonly title = h('div', { class: 'title' });
  private readonly tabs = h('nav', { class: 'tabs', 'aria-label': 'Pages' });
  private readonly types = h('div', { class: 'types' });
  private readonly chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Filters' });
  private readonly toolbar = h('div', { class: 'page-tools', role: 'group', 'aria-label': 'Tools' });
  private readonly theme = h('span', {});

  constructor(
    private readonly app: App,
    private readonly pages: Page[],
    onSearchEnter: (isBack: boolean) => void,
  ) {
    this.search = new SearchBox(app, onSearchEnter);
    const tools = h(
      'div',
      { class: 'tools', role: 'group', 'aria-label': 'Page' },
      iconButton('undo', 'Undo (Ctrl+Z)', () => history.back()),
      iconButton('redo', 'Redo (Ctrl+Y)', () => history.forward()),
      iconButton('options', 'Options (,)', () => void openOptions(app)),
      menuButton('Share and export', [icon('share')], () => shareMenu(app), { class: 'icon-button' }),
      this.theme,
      iconButton('help', 'Keys and commands (?)', openHelp),
      iconButton('menu', 'Commands (Ctrl+K)', openPalette),
    );
    replace(
      this.element,
      h('div', { class: 'header-row' }, this.title, this.tabs, this.search.element, tools),
      h('div', { class: 'header-row second' }, this.types, this.toolbar, fetching, this.chips),
    );
    app.onNews(() => this.draw());
    this.draw();
  }

  setToolbar(element: HTMLElement | undefined): void {
    replace(this.toolbar, element);
  }

  draw(): void {
    this.drawTitle();
    this.drawTheme();
    const { state } = this.app;
    redraw(
      this.tabs,
      this.pages.map((page) => {
        const go = (event: MouseEvent) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          state.go(page.name);
        };
        return h('a', { href: state.href(page.name), 'aria-current': state.page === page.name ? 'page' : undefined, title: `${page.title} (${page.key})`, onclick: go }, page.title);
      }),
    );
    this.drawTypes();
    this.drawChips();
  }

  private drawTheme(): void {
    const choice = themeChoice();
    const name = choice === 'auto' ? 'auto' : choice === 'light' ? 'sun' : 'moon';
    redraw(this.theme, iconButton(name, `Theme: ${choice}`, () => {
      setTheme(nextTheme());
      this.drawTheme();
    }));
  }

  private drawTitle(): void {
    const { summary, sources, state } = this.app;
    const base = sources?.sources.find((source) => String(source.id) === state.get('base'));
    const text = (summary?.title || 'pprof') + (base ? ` against #${base.id}` : '');
    if (this.title.firstElementChild?.textContent === text && this.title.dataset.n === String(sources?.sources.length)) return;
    this.title.dataset.n = String(sources?.sources.length);
    replace(this.title, menuButton('Profiles', [h('span', { class: 'title-text' }, text), icon('down')], () => sourcesMenu(this.app), { class: 'button title-button' }));
  }

  private drawTypes(): void {
    const { summary, state } = this.app;
    if (!summary) return;
    const set = (name: string) => () => state.set({ si: name, z: null });
    const about = (type: { name: string; unit: string; total: number }) => `${formatValue(type.total, type.unit)} in all`;
    if (summary.types.length > 5) {
      const select = h('select', { 'aria-label': 'Sample type', onchange: () => state.set({ si: select.value, z: null }) },
        summary.types.map((type) => h('option', { value: type.name, selected: type.name === summary.type }, `${type.name}: ${about(type)}`)));
      redraw(this.types, select);
      return;
    }
    redraw(this.types, h('div', { class: 'segments', role: 'group', 'aria-label': 'Sample type' },
      summary.types.map((type) => h('button', { type: 'button', 'aria-pressed': String(type.name === summary.type), title: about(type), onclick: set(type.name) }, type.name))));
  }

  private drawChips(): void {
    const { state, failed, summary } = this.app;
    const made = chips.filter(([key]) => state.get(key)).map(([key, label]) => {
      const isBad = failed?.option === key;
      return h('span', { class: isBad ? 'chip bad' : 'chip' },
        h('button', { type: 'button', class: 'chip-text', title: `Change ${label}`, onclick: () => void openOptions(this.app, key) }, h('b', {}, label), ` ${state.get(key)}`),
        h('button', { type: 'button', class: 'chip-close', 'aria-label': `Remove ${label}`, title: `Remove ${label}`, onclick: () => state.set({ [key]: null, z: null }) }, icon('close')));
    });
    const isFiltered = summary && summary.shown !== summary.total;
    const shown = summary?.is_diff ? h('span', { class: 'faint shown' }, `difference; percentages are of the base, ${formatValue(summary.total, summary.unit)}`) : isFiltered ? h('span', { class: 'faint shown' }, `${formatValue(summary.shown, summary.unit)} of ${formatValue(summary.total, summary.unit)} (${formatPercent(summary.shown, summary.total)})`) : summary ? h('span', { class: 'faint shown' }, formatValue(summary.total, summary.unit)) : null;
    const warnings = summary?.warnings?.map((text) => h('span', { class: 'warning' }, text));
    redraw(this.chips, made, warnings, shown);
  }
}
