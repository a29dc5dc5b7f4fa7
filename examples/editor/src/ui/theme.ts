/** Dark or light: what the system says, until the user chooses. */

import { Observed } from './observed';

export type Theme = 'light' | 'dark';

const NAME = 'onepath:theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | undefined {
  const theme = localStorage.getItem(NAME);
  return theme === 'light' || theme === 'dark' ? theme : undefined;
}

function current(): Theme {
  return chosen() ?? (system.matches ? 'dark' : 'light');
}

export const theme = new Observed<Theme>(current());

function show(): void {
  theme.set(current());
  document.documentElement.dataset['theme'] = theme.get();
}

export function startTheme(): void {
  show();
  system.addEventListener('change', show);
}

export function toggleTheme(): void {
  localStorage.setItem(NAME, theme.get() === 'dark' ? 'light' : 'dark');
  show();
}
