// ui/profile/search_box.ts - the search: an expression, how much of the profile it makes up, and what is wrong with it.
// Room: the field and its total. The server matches, so the field speaks the expressions of the command line.
import { debounced, h, icon, iconButton, replace } from '../common/dom.ts';
import { ApiError, latest } from '../common/fetch.ts';
import { formatCount, formatPercent } from '../common/units.ts';
import type { App } from './app.ts';
import type { Search } from './api.ts';
import { errorText } from './error_text.ts';

export class SearchBox {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly total = h('span', { class: 'search-total', 'aria-live': 'polite' });
  private readonly error = h('div', { class: 'search-error', role: 'alert', id: 'search-error', hidden: true });
  private readonly newest = latest();
  private asked = '';

  constructor(
    private readonly app: App,
    onEnter: (isBack: boolean) => void,
  ) {
    const typed = debounced(150, () => app.state.set({ q: this.input.value }, 'replace'));
    this.input = h('input', {
      type: 'search', class: 'search-input', placeholder: 'Search  /', 'aria-label': 'Search functions (regular expression)', 'aria-describedby': 'search-error',
      autocomplete: 'off', spellcheck: 'false', oninput: typed,
      onkeydown: (event) => {
        if (event.key === 'Enter') {
          app.state.set({ q: this.input.value }, 'replace');
          onEnter(event.shiftKey);
        } else if (event.key === 'Escape') this.clear();
      },
    });
    this.element = h('div', { class: 'search', role: 'search' }, icon('search'), this.input, this.total,
      iconButton('pin', 'Focus on what is found', () => this.input.value && app.state.set({ f: this.input.value, q: null, z: null }), { class: 'icon-button search-focus' }), this.error);
    this.update();
  }

  clear(): void {
    this.input.value = '';
    this.app.state.set({ q: null }, 'replace');
    this.input.blur();
  }

  // The state changed: q, or what the total is of.
  update(): void {
    const q = this.app.state.get('q');
    if (document.activeElement !== this.input) this.input.value = q;
    void this.look(q);
  }

  private async look(q: string): Promise<void> {
    const key = JSON.stringify(this.app.query({ q }));
    if (key === this.asked) return;
    this.asked = key;
    if (!q) return this.say('', undefined);
    try {
      const found = await this.newest((signal) => this.app.get<Search>('search', { q }, signal));
      if (found) this.say(`${formatCount(found.n)} · ${formatPercent(found.cum, found.total)}`, undefined, `${found.n} functions, ${formatPercent(found.cum, found.total)} of the profile with what they call, ${formatPercent(found.self, found.total)} themselves`);
    } catch (error) {
      if (error instanceof ApiError) this.say('', error);
    }
  }

  private say(text: string, error: ApiError | undefined, about = ''): void {
    this.total.textContent = text;
    this.total.title = about;
    const isBad = error !== undefined && (error.option === 'q' || error.option === '');
    if (isBad) this.input.setAttribute('aria-invalid', 'true');
    else this.input.removeAttribute('aria-invalid');
    this.error.hidden = !isBad;
    replace(this.error, isBad ? errorText(error, this.input.value) : null);
  }
}
