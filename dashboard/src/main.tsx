import { render } from 'preact';
import './style.css';
import { App, loadScreen } from './app';
import { api } from './lib/api';
import { lastLanguage, setLanguage } from './lib/i18n';
import { me } from './lib/state';
import { showTheme } from './lib/theme';
import type { Me } from './lib/types';
import { Problem } from './lib/ui';

showTheme();

const root = document.getElementById('app')!;
try {
  // All at once: what a slow network costs is mostly the number of ways there and back.
  const [answer] = await Promise.all([api.get<Me>('/api/me'), setLanguage(lastLanguage()), loadScreen()]);
  me.value = answer;
  await setLanguage(answer.language || lastLanguage());
  const back = sessionStorage.getItem('back');
  sessionStorage.removeItem('back');
  if (back && !location.hash) location.replace(back);
  render(<App />, root);
} catch (error) {
  await setLanguage(navigator.language);
  render(<main><Problem error={error} /></main>, root);
}
