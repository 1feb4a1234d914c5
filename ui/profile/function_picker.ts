// ui/profile/function_picker.ts - the field that says which function a page is about.
import { h } from '../common/dom.ts';
import type { App } from './app.ts';

// Shared by peek, source and disassembly. `about`: what an empty field gives.
export function functionPicker(app: App, about: string): HTMLElement {
  const input = h('input', { type: 'text', class: 'mono', id: 'function-picker', value: app.wanted, placeholder: about, spellcheck: 'false', autocomplete: 'off' });
  if (app.failed && ['f', 'fn'].includes(app.failed.option)) input.setAttribute('aria-invalid', 'true');
  return h('form', {
    class: 'picker',
    onsubmit: (event) => {
      event.preventDefault();
      app.state.set({ fn: input.value.trim() });
    },
  }, h('label', { for: 'function-picker' }, 'Functions matching'), input, h('button', { type: 'submit', class: 'button' }, 'Show'));
}

// The heaviest function's expression, for a page that was opened without one.
export async function heaviest(app: App, order: 'flat' | 'cum'): Promise<string> {
  const { rows } = await app.get<{ rows: { name: string }[] }>('top', { limit: '1', order });
  return rows[0]?.name ?? '';
}
