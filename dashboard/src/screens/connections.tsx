// All connections in one table, for one site or a fleet of them.
import { useSignal } from '@preact/signals';
import { api } from '../lib/api';
import { t } from '../lib/i18n';
import { useLive } from '../lib/live';
import { place, setQuery } from '../lib/router';
import { loadConnections, stateOf } from '../lib/state';
import type { Connection } from '../lib/types';
import { Badge, Empty, Input, Page, Select, Shown, Time, say, useLoad } from '../lib/ui';

const orders = {
  name: (a: Connection, b: Connection) => a.name.localeCompare(b.name),
  state: (a: Connection, b: Connection) => stateOf(a).key.localeCompare(stateOf(b).key) || a.name.localeCompare(b.name),
  version: (a: Connection, b: Connection) => (a.check?.version ?? '').localeCompare(b.check?.version ?? '', undefined, { numeric: true }),
  latency: (a: Connection, b: Connection) => (b.check?.latency_ms ?? 0) - (a.check?.latency_ms ?? 0),
};
type Order = keyof typeof orders;

function Row({ connection }: { connection: Connection }) {
  const { key, kind } = stateOf(connection);
  const { check } = connection;
  return (
    <tr>
      <th scope="row"><a href={`#/connections/${connection.id}`}>{connection.name}</a><br /><span class="soft small">{connection.address}</span></th>
      <td data-label={t('connection.state')}><Badge kind={kind}>{t(key)}</Badge></td>
      <td data-label={t('connection.version')}>{check?.version}</td>
      <td data-label={t('connection.role')}>{check?.role}</td>
      <td data-label={t('connection.latency')} class="number">{check?.ok ? t('ms', { n: check.latency_ms }) : ''}</td>
      <td data-label={t('connection.checked')}><Time at={check?.checked_at} none={t('never')} /></td>
      <td data-label={t('token.used')}><Time at={connection.last_used_at} none={t('never')} /></td>
    </tr>
  );
}

// One after the other, so that a fleet is not stormed; says how far it is.
function TestAll({ shown, reload }: { shown: Connection[]; reload: () => Promise<void> }) {
  const done = useSignal<number | null>(null);
  const run = async () => {
    let bad = 0, untested = 0;
    for (const [i, { id }] of shown.entries()) {
      done.value = i;
      try {
        bad += (await api.post<{ ok: boolean }>(`/api/connections/${id}/test`)).ok ? 0 : 1;
      } catch {
        untested++; // which says nothing of the site
      }
    }
    done.value = null;
    await reload();
    const said = [bad && t('connections.tested.bad', { n: bad }), untested && t('connections.untested', { n: untested })].filter(Boolean);
    say(said.join(' ') || t('connections.tested'));
  };
  if (!shown.length && done.value === null) return null;
  if (done.value === null) return <button type="button" onClick={run}>{t('connections.test')}</button>;
  return <span class="row"><progress max={shown.length} value={done.value} aria-label={t('connections.test')} /><span role="status">{t('connections.testing', { done: done.value + 1, total: shown.length })}</span></span>;
}

export default function Connections() {
  const loaded = useLoad(loadConnections);
  useLive(loaded.reload);
  const { query } = place.value;
  const text = query.get('text') ?? '', state = query.get('state') ?? '', order = (query.get('order') ?? 'name') as Order;
  const set = (change: object) => setQuery({ text, state, order, ...change });
  return (
    <Page title={t('connections.title')} actions={<a class="button primary" href="#/connect">{t('connect.title')}</a>}>
      <Shown of={loaded}>{all => {
        if (!all.length) return <Empty action={<a class="button primary" href="#/connect">{t('connect.title')}</a>}>{t('connections.empty')}</Empty>;
        const found = all
          .filter(item => `${item.name} ${item.address} ${item.check?.version}`.toLowerCase().includes(text.toLowerCase()))
          .filter(item => !state || stateOf(item).key === `state.${state}`)
          .sort(orders[order] ?? orders.name);
        return (
          <>
            <div class="filters">
              <Input label={t('search')} type="search" value={text} set={value => set({ text: value })} />
              <Select label={t('connection.state')} value={state} set={value => set({ state: value })} options={[['', t('all')], ...(['active', 'error', 'paused', 'revoked'] as const).map(key => [key, t(`state.${key}`)] as [string, string])]} />
              <Select label={t('order')} value={order} set={value => set({ order: value })} options={[['name', t('connect.name')], ['state', t('connection.state')], ['version', t('connection.version')], ['latency', t('connection.latency')]]} />
              <TestAll shown={found.filter(item => item.status !== 'revoked')} reload={loaded.reload} />
            </div>
            <p class="soft small" role="status">{t('connections.count', { n: found.length, total: all.length })}</p>
            {found.length > 0 && (
              <div class="scroll" tabIndex={0} role="region" aria-label={t('connections.title')}>
                <table class="fold">
                  <thead><tr><th scope="col">{t('connect.name')}</th><th scope="col">{t('connection.state')}</th><th scope="col">{t('connection.version')}</th><th scope="col">{t('connection.role')}</th><th scope="col" class="number">{t('connection.latency')}</th><th scope="col">{t('connection.checked')}</th><th scope="col">{t('token.used')}</th></tr></thead>
                  <tbody>{found.map(item => <Row key={item.id} connection={item} />)}</tbody>
                </table>
              </div>
            )}
          </>
        );
      }}</Shown>
    </Page>
  );
}
