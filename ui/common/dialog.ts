// ui/common/dialog.ts - boxes that want an answer first.
// Room: the browser's own <dialog>, which keeps the focus inside and gives it back at the end.
import { h, iconButton, type Child } from './dom.ts';

let n_dialogs = 0;

// Shows a dialog; it is removed once closed. `wide`: for tables and panels.
export function openDialog(title: string, body: Child, options: { wide?: boolean; onclose?: () => void } = {}): HTMLDialogElement {
  const id = `dialog-${++n_dialogs}`;
  const dialog = h(
    'dialog',
    { class: options.wide ? 'dialog wide' : 'dialog', 'aria-labelledby': id },
    h('header', {}, h('h2', { id }, title), iconButton('close', 'Close', () => dialog.close())),
    h('div', { class: 'dialog-body' }, body),
  );
  dialog.addEventListener('close', () => {
    dialog.remove();
    options.onclose?.();
  });
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });
  document.body.appendChild(dialog);
  dialog.showModal();
  return dialog;
}

// Asks for one line of text; resolves to undefined when dismissed.
export function askText(title: string, label: string, value = ''): Promise<string | undefined> {
  return new Promise((done) => {
    let answer: string | undefined;
    const input = h('input', { type: 'text', value, id: 'ask-text', autocomplete: 'off', spellcheck: 'false' });
    const form = h(
      'form',
      {
        method: 'dialog',
        class: 'ask',
        onsubmit: () => {
          answer = input.value.trim() || undefined;
        },
      },
      h('label', { for: 'ask-text' }, label),
      input,
      h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'OK')),
    );
    openDialog(title, form, { onclose: () => done(answer) });
    input.select();
  });
}
