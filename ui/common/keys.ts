// ui/common/keys.ts - everything a page can do, by name and by key.
// Room: one list of actions feeds the shortcuts, the command palette and the help; what an action does is its page's.

export interface Action {
  title: string;
  group: string;
  key?: string; // as KeyboardEvent.key, with "Ctrl+" before it: "f", "?", "Ctrl+k"
  run(): void;
  when?(): boolean; // absent: always
}

const actions: Action[] = [];

export function addActions(...more: Action[]): void {
  actions.push(...more);
}

export function availableActions(): Action[] {
  return actions.filter((action) => action.when?.() ?? true);
}

// Typing belongs to the field it is typed in.
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches('input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select') || target.isContentEditable);
}

export function keyName(event: KeyboardEvent): string {
  const ctrl = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  return ctrl + (event.key.length === 1 && ctrl ? event.key.toLowerCase() : event.key);
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.altKey) return;
  if (isTyping(event.target) && !(event.ctrlKey || event.metaKey)) return;
  if (document.querySelector('dialog[open], [role=menu]')) return;
  const name = keyName(event);
  const action = availableActions().find((a) => a.key === name);
  if (!action) return;
  event.preventDefault();
  action.run();
});
