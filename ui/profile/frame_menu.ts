// ui/profile/frame_menu.ts - what can be done with a function, wherever one is shown.
import type { MenuEntry } from '../common/menu.ts';
import { copyText } from '../common/toast.ts';
import type { App } from './app.ts';
import { exactly } from './names.ts';

export function frameMenu(app: App, name: string): MenuEntry[] {
  const { state } = app;
  const only = exactly(name);
  const or = (key: string) => (state.get(key) ? `${state.get(key)}|${only}` : only);
  const isFlame = state.page === 'flamegraph';
  return [
    { label: 'Callers and callees', hint: isFlame ? 'p' : '', run: () => state.go('flamegraph', { p: only, z: null }) },
    null,
    { label: 'Focus: only stacks with it', hint: isFlame ? 'f' : '', run: () => state.set({ f: only, z: null }) },
    { label: 'Ignore: no stacks with it', hint: isFlame ? 'i' : '', run: () => state.set({ i: or('i'), z: null }) },
    { label: 'Hide it', hint: isFlame ? 'x' : '', run: () => state.set({ h: or('h'), z: null }) },
    { label: 'Show from it on', run: () => state.set({ sf: only, z: null }) },
    null,
    { label: 'Source', hint: isFlame ? 's' : '', run: () => state.go('source', { fn: only }) },
    { label: 'Disassembly', hint: isFlame ? 'D' : '', run: () => state.go('disasm', { fn: only }) },
    { label: 'Peek', hint: isFlame ? 'e' : '', run: () => state.go('peek', { fn: only }) },
    { label: 'Copy name', run: () => void copyText(name, 'Name') },
  ];
}
