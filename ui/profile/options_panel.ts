// ui/profile/options_panel.ts - every option of a report, with its help, and the saved configurations.
// Room: fields made from /api/options. A value takes effect once the server can read it; until then its field says why not.
import { debounced, h, replace } from '../common/dom.ts';
import { askText, openDialog } from '../common/dialog.ts';
import { ApiError, change, getJson, said } from '../common/fetch.ts';
import { toast } from '../common/toast.ts';
import type { OptionName } from '../generated/tables.ts';
import type { App } from './app.ts';
import type { Configs, Option } from './api.ts';
import { errorText } from './error_text.ts';

const groups: [string, OptionName[]][] = [
  ['Which stacks', ['focus', 'ignore', 'tagfocus', 'tagignore']],
  ['Which frames', ['show', 'hide', 'show_from', 'prune_from', 'noinlines', 'granularity', 'showcolumns']],
  ['Labels', ['tagroot', 'tagleaf', 'tagshow', 'taghide']],
  ['Values', ['sample_index', 'unit', 'mean', 'divide_by', 'relative_percentages', 'normalize', 'drop_negative']],
  ['Graph and tables', ['sort', 'nodecount', 'nodefraction', 'edgefraction', 'trim', 'call_tree', 'compact_labels']],
  ['Source', ['intel_syntax', 'source_path', 'trim_path']],
];

function control(option: Option, value: string, onChange: (value: string) => void): HTMLElement {
  const id = `option-${option.name}`;
  if (option.type === 'bool') {
    const on = value ? /^(t|true|1|y|yes)$/i.test(value) : option.default === 'true';
    const box = h('input', { type: 'checkbox', id, checked: on, disabled: !option.key, onchange: () => onChange(String(box.checked) === option.default ? '' : box.checked ? 't' : 'f') });
    return box;
  }
  if (option.choices.length) {
    const now = value || option.default;
    const names = option.choices.some((choice) => choice.name === now) ? option.choices : [{ name: now, help: '' }, ...option.choices];
    const select = h('select', { id, disabled: !option.key, onchange: () => onChange(select.value === option.default ? '' : select.value) },
      names.map((choice) => h('option', { value: choice.name, selected: choice.name === now, title: choice.help }, choice.name || 'default')));
    return select;
  }
  const type = option.type === 'string' ? 'text' : 'number';
  const input = h('input', { type, id, step: 'any', value, placeholder: option.default, disabled: !option.key, spellcheck: 'false', autocomplete: 'off', oninput: debounced(350, () => onChange(input.value.trim())) });
  return input;
}

function mark(field: HTMLElement, says: HTMLElement, error: ApiError, value: string): void {
  field.setAttribute('aria-invalid', 'true');
  replace(says, errorText(error, value));
}

// Tries the value on the server before it becomes the state.
async function apply(app: App, option: Option, value: string, field: HTMLElement, says: HTMLElement): Promise<void> {
  try {
    await getJson('/api/summary', app.query({ [option.key]: value }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.option === option.key || !error.option) return mark(field, says, error, value);
  }
  field.removeAttribute('aria-invalid');
  replace(says);
  app.state.set({ [option.key]: value, z: null });
}

function row(app: App, option: Option): HTMLElement {
  const says = h('div', { id: `says-${option.name}`, role: 'alert' });
  const field: HTMLElement = control(option, app.state.get(option.key), (value) => void apply(app, option, value, field, says));
  field.setAttribute('aria-describedby', `help-${option.name} says-${option.name}`);
  if (option.key && app.failed?.option === option.key) mark(field, says, app.failed, app.state.get(option.key));
  const help = option.key ? option.help : `${option.help} (at the command line only)`;
  return h('div', { class: 'option' }, h('label', { for: `option-${option.name}` }, option.name), field, h('div', { class: 'option-help', id: `help-${option.name}` }, help), says);
}

function configRows(app: App, list: Configs, again: (list: Configs) => void): HTMLElement[] {
  const load = (query: string) => {
    const changes: Record<string, string | null> = {};
    for (const [key] of app.state.entries(new Set(['si', 'src', 'base', 'colour', 'layout', 'order', 'fold', 'view']))) changes[key] = null;
    for (const [key, value] of new URLSearchParams(query)) changes[key] = value;
    app.state.set(changes);
  };
  const forget = async (name: string) => {
    try {
      again(await change<Configs>('DELETE', '/api/configs', app.query({ config: name })));
    } catch (error) {
      toast(`${name} could not be deleted: ${said(error)}`, 'error');
    }
  };
  return list.configs.map((config) => h('div', { class: 'config' },
    h('button', { type: 'button', class: 'button grow', 'aria-pressed': String(config.is_current), onclick: () => load(config.query) }, config.name, h('span', { class: 'faint' }, config.query)),
    config.is_saved ? h('button', { type: 'button', class: 'button', 'aria-label': `Delete ${config.name}`, onclick: () => void forget(config.name) }, 'Delete') : null));
}

export async function saveConfig(app: App): Promise<Configs | undefined> {
  const name = await askText('Save these options', 'Name of the configuration');
  if (!name) return undefined;
  try {
    const list = await change<Configs>('POST', '/api/configs', app.query({ config: name }));
    toast(`Saved as ${name}`);
    return list;
  } catch (error) {
    toast(said(error), 'error');
    return undefined;
  }
}

export async function openOptions(app: App, key = ''): Promise<void> {
  const { options } = await app.loadOptions();
  const byName = new Map(options.map((option) => [option.name, option]));
  const configs = h('div', { class: 'configs' });
  const show = (list: Configs) => replace(configs, configRows(app, list, show), h('button', { type: 'button', class: 'button', onclick: () => void saveConfig(app).then((saved) => saved && show(saved)) }, 'Save as…'));
  const sections = groups.map(([title, names]) => h('section', {}, h('h3', {}, title), names.flatMap((name) => (byName.has(name) ? [row(app, byName.get(name)!)] : []))));
  const reset = () => {
    app.state.set(Object.fromEntries(options.filter((option) => option.key && option.key !== 'si').map((option) => [option.key, null])));
    dialog.close();
  };
  const dialog = openDialog('Options', h('div', { class: 'options' }, h('section', {}, h('h3', {}, 'Configurations'), configs), sections, h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'button', onclick: reset }, 'All as they were'))));
  dialog.classList.add('drawer');
  const wanted = options.find((option) => option.key === key && key);
  if (wanted) document.getElementById(`option-${wanted.name}`)?.focus();
  try {
    show(await getJson<Configs>('/api/configs', app.query()));
  } catch {
    replace(configs, h('span', { class: 'field-error' }, 'The saved configurations cannot be read'));
  }
}
