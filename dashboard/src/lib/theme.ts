import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: Theme[] = ['system', 'light', 'dark'];
export const theme = signal<Theme>((localStorage.getItem('theme') as Theme | null) ?? 'system');

export function setTheme(chosen: Theme) {
  theme.value = chosen;
  if (chosen === 'system') localStorage.removeItem('theme');
  else localStorage.setItem('theme', chosen);
  showTheme();
}

export function showTheme() {
  if (theme.value === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = theme.value;
}
