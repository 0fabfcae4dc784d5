// The frame: menu, language, theme, and the screen that the address names. Each screen is loaded when it is first shown.
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import icon from './icon.svg';
import { api } from './lib/api';
import { LANGUAGES, language, setLanguage, t, type Key } from './lib/i18n';
import { inTurn, useLive } from './lib/live';
import { place } from './lib/router';
import { loadMe, loadWaiting, me, waiting } from './lib/state';
import { setTheme, theme, THEMES, type Theme } from './lib/theme';
import { Above, Act, Page, Problem, Wait, say, sayProblem } from './lib/ui';
import { Home } from './screens/home';

type Screen = ComponentType<{ path: string[] }>;
const screens: Record<string, () => Promise<{ default: Screen }>> = {
  connect: () => import('./screens/connect'),
  connections: () => import('./screens/connections'),
  connection: () => import('./screens/connection'),
  clients: () => import('./screens/clients'),
  messages: () => import('./screens/messages'),
  approvals: () => import('./screens/approvals'),
  activity: () => import('./screens/activity'),
  usage: () => import('./screens/usage'),
  apps: () => import('./screens/apps'),
  account: () => import('./screens/account'),
  admin: () => import('./screens/admin'),
};

const menu: [string, Key][] = [
  ['', 'home.title'],
  ['connections', 'connections.title'],
  ['approvals', 'approvals.title'],
  ['activity', 'activity.title'],
  ['usage', 'usage.title'],
  ['apps', 'apps.title'],
  ['account', 'account.title'],
];
const adminMenu: [string, Key][] = [['admin', 'admin.title']];

function nameOf(path: string[]) {
  const [first = '', id, more] = path;
  if (first !== 'connections' || !id) return first;
  return more === 'clients' || more === 'messages' ? more : 'connection';
}

// The screen that the address names, before there is anything to show it in.
export async function loadScreen() {
  const name = nameOf(place.value.path);
  if (Object.hasOwn(screens, name)) await screens[name]().catch(() => {}); // asked for again, and told, when it is shown
}

function Missing() {
  return <Page title={t('missing.title')}><p>{t('missing.text')}</p><p><a href="#/">{t('home.title')}</a></p></Page>;
}

function Content() {
  const { path } = place.value;
  const name = nameOf(path);
  const shown = useSignal<{ name: string; Screen?: Screen; error?: unknown }>({ name: '' });
  useEffect(() => {
    if (!Object.hasOwn(screens, name)) return;
    let wanted = true;
    screens[name]().then(module => wanted && (shown.value = { name, Screen: module.default }), error => wanted && (shown.value = { name, error }));
    return () => void (wanted = false);
  }, [name]);
  if (!name) return <Home />;
  if (!Object.hasOwn(screens, name) || (name === 'admin' && !me.value?.admin)) return <Missing />;
  const { Screen, error } = shown.value;
  if (shown.value.name !== name) return <Wait />;
  return Screen ? <Screen path={path} key={path.join('/')} /> : <Problem error={error} />;
}

// After a change of the screen the keyboard and a screen reader go on at its heading.
function useFocusOnHeading() {
  const key = place.value.path.join('/');
  const first = useSignal(true);
  useEffect(() => {
    if (first.value) return void (first.value = false);
    scrollTo(0, 0);
    const look = () => {
      const heading = document.querySelector<HTMLElement>('main h1');
      heading?.focus();
      return heading;
    };
    if (look()) return;
    const observer = new MutationObserver(() => look() && observer.disconnect());
    observer.observe(document.querySelector('main')!, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [key]);
}

function Settings() {
  const change = async (wanted: string) => {
    await setLanguage(wanted);
    await api.patch('/api/me', { language: wanted }).catch(sayProblem);
  };
  const nextTheme = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];
  return (
    <div class="foot">
      <div class="tabs" role="group" aria-label={t('language')}>
        {Object.entries(LANGUAGES).map(([key, name]) => (
          <button key={key} type="button" class="tiny" lang={key} aria-pressed={language.value === key} onClick={() => change(key)}>{name}</button>
        ))}
        <button type="button" class="tiny" onClick={() => setTheme(nextTheme)}>{t(`theme.${theme.value as Theme}`)}</button>
      </div>
      <span class="soft">{me.value?.name}</span>
      <Act class="tiny" run={async () => (await api.post('/api/auth/logout'), location.assign('/login?next=/'))}>{t('logout')}</Act>
    </div>
  );
}

function Side() {
  const open = useSignal(false);
  const current = place.value.path[0] ?? '';
  useEffect(() => void (open.value = false), [place.value]);
  const entries = me.value?.admin ? [...menu, ...adminMenu] : menu;
  return (
    <header class="side" data-open={open.value ? 'yes' : 'no'}>
      <div>
        <a class="brand" href="#/"><img src={icon} alt="" />porteiro</a>
        <button type="button" class="menu-button tiny" aria-expanded={open.value} aria-controls="menu" onClick={() => (open.value = !open.value)}>{t('menu')}</button>
      </div>
      <nav id="menu" aria-label={t('menu')}>
        <ul class="menu">
          {entries.map(([key, title]) => (
            <li key={key}>
              <a href={`#/${key}`} aria-current={current === key ? 'page' : undefined}>
                {t(title)}
                {key === 'approvals' && waiting.value > 0 && <span class="count">{waiting.value}<span class="hidden"> {t('approvals.waiting')}</span></span>}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Settings />
    </header>
  );
}

function Stopped() {
  if (!me.value?.stopped) return null;
  const resume = async () => {
    me.value = await api.post('/api/me/resume');
    say(t('stopped.resumed'));
  };
  if (me.value.stopped_by_admin) return <div class="note warn" role="status"><p>{t('stopped.by_admin')}</p></div>;
  return <div class="note warn" role="status"><p>{t('stopped.text')}</p><p><Act class="tiny" run={resume}>{t('stopped.resume')}</Act></p></div>;
}

const lookAgain = inTurn(async () => void (await Promise.all([loadWaiting(), loadMe()]).catch(() => {})));

export function App() {
  useLive(lookAgain);
  useEffect(() => void loadWaiting().catch(sayProblem), []);
  useSignalEffect(() => void (document.documentElement.lang = language.value));
  useFocusOnHeading();
  return (
    <>
      <a class="skip" href="#content" onClick={event => (event.preventDefault(), document.querySelector<HTMLElement>('main h1')?.focus())}>{t('skip')}</a>
      <div class="frame">
        <Side />
        <main id="content"><Stopped /><Content /></main>
      </div>
      <Above />
    </>
  );
}
