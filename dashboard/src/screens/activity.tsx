// Who did what: filtered, as it happens, with what each change changed, and the way back.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, query } from '../lib/api';
import { Change } from '../lib/change';
import { Outcome, eventName } from '../lib/events';
import { t } from '../lib/i18n';
import { Jobs } from '../lib/jobs';
import { useLive } from '../lib/live';
import { place, setQuery } from '../lib/router';
import { connectionName, connections, loadConnections, loadTokensOf, tokenName } from '../lib/state';
import type { Event, EventPage } from '../lib/types';
import { Act, Dialog, Empty, Page, Problem, Select, Time, Wait, useLoad } from '../lib/ui';

const LIMIT = 50;
const kinds = ['', 'tool.', 'approvals.', 'connections.', 'tokens.', 'auth.', 'users.'] as const;
const spans: Record<string, number> = { hour: 3600, day: 86400, week: 7 * 86400, month: 30 * 86400 };

const changesOf = (event: Event) => (Array.isArray(event.data.changes) ? event.data.changes.filter(Number.isInteger) as number[] : []);

function Detail({ event, close }: { event: Event; close: () => void }) {
  const { outcome, ms, ...rest } = event.data;
  return (
    <Dialog title={eventName(event.action)} close={close}>
      <p class="row"><Outcome event={event} /> <Time at={event.at} /> {typeof ms === 'number' && <span class="soft">{t('ms', { n: ms })}</span>} {event.connection_id && <a href={`#/connections/${event.connection_id}`} onClick={close}>{connectionName(event.connection_id)}</a>}</p>
      {event.connection_id && changesOf(event).map(number => <Change key={number} connection={event.connection_id!} number={number} />)}
      <pre tabIndex={0} aria-label={t('activity.data')}>{JSON.stringify(rest, null, 2)}</pre>
      <div class="row"><button type="button" onClick={close}>{t('close')}</button></div>
    </Dialog>
  );
}

function Row({ event, open }: { event: Event; open: () => void }) {
  return (
    <tr>
      <td data-label={t('activity.when')}><Time at={event.at} /></td>
      <th scope="row"><button type="button" class="plain" onClick={open}>{eventName(event.action)}</button></th>
      <td data-label={t('activity.who')}>{tokenName(event.token_id)}</td>
      <td data-label={t('connection.title')}>{connectionName(event.connection_id)}</td>
      <td data-label={t('activity.outcome')}><Outcome event={event} /></td>
      <td data-label={t('activity.changes')}>{changesOf(event).length > 0 && t('activity.changed', { n: changesOf(event).length })}</td>
    </tr>
  );
}

export default function Activity() {
  const { query: where } = place.value;
  const connection = where.get('connection') ?? '', action = where.get('action') ?? '', span = where.get('span') ?? '';
  const set = (change: object) => setQuery({ connection, action, span, ...change });
  const since = spans[span] ? new Date(Date.now() - spans[span] * 1000).toISOString().replace(/\.\d+/, '') : '';
  const key = `${connection} ${action} ${span}`;
  const older = useSignal<EventPage | null>(null);
  const shown = useSignal<Event | null>(null);
  const first = useLoad(async signal => {
    const [page] = await Promise.all([api.get<EventPage>(`/api/audit${query({ connection, action, since, limit: LIMIT })}`, signal), loadConnections(signal)]);
    await loadTokensOf(page.items, signal);
    return page;
  }, key);
  useEffect(() => void (older.value = null), [key]);
  useLive(() => shown.value || void first.reload());
  const fresh = first.value?.items ?? [];
  // Older ones go on where the first page ends. When so much happened meanwhile that they have nothing in common, what lies between is
  // nowhere: then they are asked for again.
  const rest = older.value?.items.some(item => fresh.some(other => other.id === item.id)) ? older.value : null;
  const last = rest ?? first.value;
  const wanted = useRef(key);
  wanted.current = key;
  const more = async () => {
    const next = await api.get<EventPage>(`/api/audit${query({ connection, action, since, limit: LIMIT, before: last?.next_before })}`);
    await loadTokensOf(next.items);
    if (wanted.current !== key) return; // of a filter that is no longer chosen
    // With those of the first page: what is new pushes them out of it.
    older.value = { items: [...(rest?.items ?? fresh), ...next.items], next_before: next.next_before };
  };
  const items = [...fresh, ...(rest?.items ?? []).filter(item => !fresh.some(other => other.id === item.id))];
  return (
    <Page title={t('activity.title')} lead={t('activity.lead')} actions={<>
      <a class="button" href={`/api/audit/export${query({ connection, action, since, format: 'csv' })}`} download="audit.csv">CSV</a>
      <a class="button" href={`/api/audit/export${query({ connection, action, since, format: 'jsonl' })}`} download="audit.jsonl">JSON</a>
    </>}>
      {first.value && <Jobs />}
      <div class="filters">
        <Select label={t('connection.title')} value={connection} set={value => set({ connection: value })} options={[['', t('all')], ...(connections.value ?? []).map(({ id, name }) => [String(id), name] as [string, string])]} />
        <Select label={t('activity.kind')} value={action} set={value => set({ action: value })} options={kinds.map(kind => [kind, kind ? t(`activity.kind.${kind.slice(0, -1)}` as 'all') : t('all')])} />
        <Select label={t('usage.time')} value={span} set={value => set({ span: value })} options={[['', t('all')], ...Object.keys(spans).map(name => [name, t(`activity.span.${name}` as 'all')] as [string, string])]} />
      </div>
      <Problem error={first.error} />
      {!first.value && !first.error && <Wait />}
      {first.value && items.length === 0 && <Empty action={<a href="#/connections">{t('connections.title')}</a>}>{t('activity.empty')}</Empty>}
      {items.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('activity.title')} aria-busy={first.stale}>
          <table class="fold">
            <thead><tr><th scope="col">{t('activity.when')}</th><th scope="col">{t('activity.what')}</th><th scope="col">{t('activity.who')}</th><th scope="col">{t('connection.title')}</th><th scope="col">{t('activity.outcome')}</th><th scope="col">{t('activity.changes')}</th></tr></thead>
            <tbody>{items.map(event => <Row key={event.id} event={event} open={() => (shown.value = event)} />)}</tbody>
          </table>
        </div>
      )}
      {last?.next_before && !first.stale && <p><Act run={more}>{t('activity.more')}</Act></p>}
      {shown.value && <Detail event={shown.value} close={() => ((shown.value = null), void first.reload())} />}
    </Page>
  );
}
