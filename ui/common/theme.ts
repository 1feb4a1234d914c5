// ui/common/theme.ts - light, dark, or as the system has it.
// Room: the choice, kept in the browser, and who wants to hear of it. The colours themselves: common.css, colours.ts.

export type Choice = 'auto' | 'light' | 'dark';
const key = 'pprof-theme';
const media = matchMedia('(prefers-color-scheme: dark)');
const listeners: (() => void)[] = [];

function stored(): Choice {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto'; // a page opened from a file may have no storage
  }
}

let choice = stored();

export const themeChoice = (): Choice => choice;
export const isDark = (): boolean => choice === 'dark' || (choice === 'auto' && media.matches);

function apply(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

export function setTheme(next: Choice): void {
  choice = next;
  try {
    if (next === 'auto') localStorage.removeItem(key);
    else localStorage.setItem(key, next);
  } catch {
    // kept for this page only
  }
  apply();
}

export function nextTheme(): Choice {
  return choice === 'auto' ? 'light' : choice === 'light' ? 'dark' : 'auto';
}

export function onTheme(listener: () => void): void {
  listeners.push(listener);
}

media.addEventListener('change', apply);
apply();
