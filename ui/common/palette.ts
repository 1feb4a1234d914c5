// ui/common/palette.ts - the command palette (Ctrl+K) and the list of keys (?).
// Room: finding an action of keys.ts by typing, and showing them all.
import { h, replace } from './dom.ts';
import { openDialog } from './dialog.ts';
import { addActions, availableActions, type Action } from './keys.ts';

// Whether the letters of `typed` come in this order in `text`; smaller is better, -1 is no.
function distance(text: string, typed: string): number {
  const lower = text.toLowerCase();
  const whole = lower.indexOf(typed);
  if (whole >= 0) return whole;
  let at = -1;
  let gaps = 0;
  for (const letter of typed) {
    const next = lower.indexOf(letter, at + 1);
    if (next < 0) return -1;
    gaps += next - at - 1;
    at = next;
  }
  return 100 + gaps;
}

function found(typed: string): Action[] {
  const wanted = typed.trim().toLowerCase();
  return availableActions()
    .map((action) => ({ action, far: distance(`${action.title} ${action.group}`, wanted) }))
    .filter(({ far }) => far >= 0)
    .sort((a, b) => a.far - b.far)
    .map(({ action }) => action);
}

function openPalette(): void {
  let shown: Action[] = [];
  let chosen = 0;
  const list = h('div', { role: 'listbox', id: 'palette-list', class: 'palette-list', 'aria-label': 'Commands', tabindex: '-1' });
  const input = h('input', {
    type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'palette-list', 'aria-label': 'Command', placeholder: 'Type what you want to do',
    autocomplete: 'off', spellcheck: 'false',
  });
  const run = (action: Action | undefined) => {
    dialog.close();
    action?.run();
  };
  const draw = () => {
    replace(
      list,
      shown.map((action, i) =>
        h(
          'div',
          { role: 'option', id: `palette-${i}`, class: 'palette-item', 'aria-selected': String(i === chosen), onclick: () => run(action) },
          h('span', { class: 'palette-group' }, action.group), h('span', { class: 'palette-title' }, action.title),
          action.key ? h('kbd', {}, action.key) : null,
        ),
      ),
    );
    input.setAttribute('aria-activedescendant', shown.length ? `palette-${chosen}` : '');
    list.children[chosen]?.scrollIntoView({ block: 'nearest' });
  };
  const look = () => {
    shown = found(input.value);
    chosen = 0;
    draw();
  };
  input.addEventListener('input', look);
  input.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step && shown.length) {
      chosen = (chosen + step + shown.length) % shown.length;
      draw();
      event.preventDefault();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(shown[chosen]);
    }
  });
  const dialog = openDialog('Commands', [input, list]);
  dialog.classList.add('palette');
  look();
  input.focus();
}

// more: keys that belong to a view rather than to an action, a title and its keys each.
let viewKeys: [string, string][] = [];
export function setViewKeys(keys: [string, string][]): void {
  viewKeys = keys;
}

function openHelp(): void {
  const groups = new Map<string, Action[]>();
  for (const action of availableActions().filter((a) => a.key)) groups.set(action.group, [...(groups.get(action.group) ?? []), action]);
  const row = (keys: string, title: string) => h('div', { class: 'key-row' }, h('span', { class: 'key' }, keys.split(' ').map((key) => h('kbd', {}, key))), h('span', {}, title));
  const sections = [...groups].map(([group, list]) => h('section', {}, h('h3', {}, group), list.map((a) => row(a.key!, a.title))));
  if (viewKeys.length) sections.unshift(h('section', {}, h('h3', {}, 'This view'), viewKeys.map(([title, keys]) => row(keys, title))));
  openDialog('Keys', h('div', { class: 'key-columns', tabindex: '0', role: 'region', 'aria-label': 'Keys' }, sections), { wide: true });
}

export function addPaletteActions(): void {
  addActions(
    { title: 'Find a command', group: 'Page', key: 'Ctrl+k', run: openPalette },
    { title: 'Show all keys', group: 'Page', key: '?', run: openHelp },
  );
}
export { openHelp, openPalette };
