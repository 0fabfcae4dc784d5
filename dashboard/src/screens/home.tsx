// Home: what is still to be done at first, then how things are.
import { formatNumber, t } from '../lib/i18n';
import { place } from '../lib/router';
import { api, type List } from '../lib/api';
import { useLive } from '../lib/live';
import { connections, isBad, loadConnections, stateOf, waiting } from '../lib/state';
import { Badge, Page, Shown, Time, useLoad } from '../lib/ui';
import type { Connection, Event, Job, Token, Usage } from '../lib/types';
import { EventLine } from '../lib/events';

interface Overview { connections: Connection[]; tokens: Token[]; events: Event[]; usage: Usage[]; jobs: number }

async function load(signal: AbortSignal): Promise<Overview> {
  const [list, tokens, events, usage, jobs] = await Promise.all([
    loadConnections(signal), api.get<List<Token>>('/api/tokens', signal), api.get<List<Event>>('/api/audit?limit=10', signal), api.get<List<Usage>>('/api/usage?days=7', signal),
    api.get<List<Job>>('/api/jobs', signal),
  ]);
  return { connections: list, tokens: tokens.items, events: events.items, usage: usage.items.filter(item => item.action.startsWith('tool.')), jobs: jobs.items.filter(job => !job.ended_at).length };
}

function Steps({ overview }: { overview: Overview }) {
  const [first] = overview.connections;
  const isUsed = overview.tokens.some(token => token.last_used_at) || overview.connections.some(connection => connection.last_used_at) || overview.usage.length > 0;
  const steps = [
    { key: 'site', done: !!first, text: t('home.step.site'), href: '#/connect' },
    { key: 'client', done: isUsed, text: t('home.step.client'), href: first ? `#/connections/${first.id}/clients` : undefined },
  ];
  if (steps.every(step => step.done)) return null;
  return (
    <section class="card">
      <h2>{t('home.steps')}</h2>
      <ol class="todo">
        {steps.map(({ key, done, text, href }) => (
          <li key={key} class={done ? 'done' : undefined}>
            {done || !href ? text : <a href={href}>{text}</a>} {done && <Badge kind="good">{t('done')}</Badge>}
          </li>
        ))}
      </ol>
      {!first && <p><a class="button primary" href="#/connect">{t('connect.title')}</a></p>}
    </section>
  );
}

// The last seven days in figures.
function Figures({ overview: { usage, connections: all } }: { overview: Overview }) {
  if (!usage.length) return null;
  const sum = (items: Usage[]) => items.reduce((total, item) => total + item.count, 0);
  const timed = usage.filter(item => item.ms_total !== null);
  const working = all.filter(connection => stateOf(connection).key === 'state.active').length;
  return (
    <dl class="grid">
      <div class="card"><dt class="soft">{t('home.calls')}</dt><dd class="big"><a href="#/usage?days=7">{formatNumber(sum(usage))}</a></dd></div>
      <div class="card"><dt class="soft">{t('home.errors')}</dt><dd class="big">{formatNumber(sum(usage.filter(isBad)))}</dd></div>
      <div class="card"><dt class="soft">{t('usage.latency')}</dt><dd class="big">{t('ms', { n: Math.round(timed.reduce((total, item) => total + (item.ms_total ?? 0), 0) / Math.max(1, sum(timed))) })}</dd></div>
      <div class="card"><dt class="soft">{t('home.working')}</dt><dd class="big">{t('home.of', { n: working, total: all.length })}</dd></div>
    </dl>
  );
}

function Card({ connection }: { connection: Connection }) {
  const { key, kind } = stateOf(connection);
  return (
    <li class="card">
      <h3><a href={`#/connections/${connection.id}`}>{connection.name}</a></h3>
      <p class="row"><Badge kind={kind}>{t(key)}</Badge>{connection.check?.ok && <span class="soft small">{t('ms', { n: connection.check.latency_ms })}</span>}</p>
      <p class="soft small">{connection.address}</p>
      <p class="soft small">{t('connection.checked')} <Time at={connection.check?.checked_at} none={t('never')} /></p>
    </li>
  );
}

export function Home() {
  const overview = useLoad(load, place.value.path.length);
  useLive(overview.reload);
  return (
    <Page title={t('home.title')} actions={<a class="button" href="#/connect">{t('connect.title')}</a>}>
      <Shown of={overview}>{shown => (
        <>
          {waiting.value > 0 && <div class="note warn"><p><a href="#/approvals">{t('home.approvals', { n: waiting.value })}</a></p></div>}
          {shown.jobs > 0 && <div class="note"><p><a href="#/activity">{t('home.jobs', { n: shown.jobs })}</a></p></div>}
          <Steps overview={shown} />
          <Figures overview={shown} />
          {shown.connections.length > 0 && (
            <section class="stack">
              <h2>{t('connections.title')}</h2>
              <ul class="grid list">{(connections.value ?? shown.connections).slice(0, 12).map(connection => <Card key={connection.id} connection={connection} />)}</ul>
            </section>
          )}
          {shown.events.length > 0 && (
            <section class="card">
              <div class="row spread"><h2>{t('home.events')}</h2><a href="#/activity">{t('home.all')}</a></div>
              <ul class="list">{shown.events.map(event => <li key={event.id}><EventLine event={event} /></li>)}</ul>
            </section>
          )}
        </>
      )}</Shown>
    </Page>
  );
}
