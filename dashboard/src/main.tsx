import { render } from 'preact';
import './style.css';
import { App } from './app';
import { api } from './lib/api';
import { setLanguage } from './lib/i18n';
import { me } from './lib/state';
import { showTheme } from './lib/theme';
import type { Me } from './lib/types';
import { Problem } from './lib/ui';

showTheme();

const root = document.getElementById('app')!;
try {
  me.value = await api.get<Me>('/api/me');
  await setLanguage(me.value.language || navigator.language);
  const back = sessionStorage.getItem('back');
  sessionStorage.removeItem('back');
  if (back && !location.hash) location.replace(back);
  render(<App />, root);
} catch (error) {
  await setLanguage(navigator.language);
  render(<main><Problem error={error} /></main>, root);
}
