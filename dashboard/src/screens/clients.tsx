// How one's AI client is connected: the exact line, link or file of each, and a light that turns green at its first call.
import { useRef } from 'preact/hooks';
import { api, type List } from '../lib/api';
import { clientsFor, slug, type Client, type Part } from '../lib/clients';
import { t } from '../lib/i18n';
import { useEvery, useLive } from '../lib/live';
import { place, setQuery } from '../lib/router';
import { forgetToken, fresh } from '../lib/state';
import { TERMS, termsBody } from '../lib/terms';
import type { Connection, Event, Token } from '../lib/types';
import { Act, Copy, Page, Shown, Wait, useLoad } from '../lib/ui';

const PLACEHOLDER = 'prt_pat_…';

function Piece({ part }: { part: Part }) {
  if (part.kind === 'say') return <p>{t(part.text, part.values)}</p>;
  if (part.kind === 'link') return <p><a class="button primary" href={part.href} rel="noreferrer" target={part.href.startsWith('https:') ? '_blank' : undefined}>{t(part.label)}</a></p>;
  return <div class="stack close"><p class="soft small">{t(part.label)}</p><Copy text={part.text} label={t(part.label)} secret={part.holdsToken} /></div>;
}

function Instructions({ client, hasToken, make }: { client: Client; hasToken: boolean; make: () => Promise<unknown> }) {
  return (
    <section class="card" aria-labelledby="client">
      <h2 id="client">{client.name || t('client.other.name')}</h2>
      {!hasToken && client.ways.some(way => way.parts.some(part => part.kind === 'copy' && part.holdsToken)) && (
        <div class="note"><p>{t('client.needs')}</p><p><Act class="primary" run={make}>{t('client.make')}</Act></p></div>
      )}
      {client.ways.map((way, i) => (
        <div class="stack" key={i}>
          {client.ways.length > 1 && <h3>{t(way.auth === 'login' ? 'client.way.login' : 'client.way.token')}{way.parts.some(part => part.kind === 'say' && part.text === 'client.file') ? ` (${t('client.way.file')})` : ''}</h3>}
          {way.parts.map((part, j) => <Piece key={j} part={part} />)}
        </div>
      ))}
    </section>
  );
}

// Any call since this page was opened: of a token (its last use), or in the log. Newer than what was there at first, not than a time of
// this computer, whose clock may be wrong.
function FirstCall({ id }: { id: number }) {
  const before = useRef<{ used: string; event: number } | null>(null);
  const look = useLoad(async signal => {
    const shown = fresh.value;
    const [tokens, events] = await Promise.all([
      api.get<List<Token>>(`/api/connections/${id}/tokens`, signal), api.get<List<Event>>(`/api/audit?connection=${id}&action=tool.&limit=1`, signal),
    ]);
    if (shown?.connection === id && !tokens.items.some(token => token.id === shown.id && token.state === 'active')) forgetToken(shown.id);
    const known = (before.current ??= { used: tokens.items.map(item => item.last_used_at ?? '').sort().at(-1) ?? '', event: events.items[0]?.id ?? 0 });
    const token = tokens.items.find(item => (item.last_used_at ?? '') > known.used);
    const event = events.items.find(item => item.id > known.event);
    return token || event ? { name: token?.name ?? '', tool: event?.action.replace('tool.', '') ?? '' } : null;
  }, id);
  useLive(look.reload);
  useEvery(3000, () => void (look.value || look.reload()));
  if (!look.value) return <div class="note"><Wait what={t('client.waiting')} /></div>;
  return (
    <div class="note good" role="status">
      <p><b>{t('client.connected')}</b> {look.value.tool && t('client.called', { tool: look.value.tool })}</p>
      <p><a href="#/activity">{t('client.see')}</a></p>
    </div>
  );
}

export default function Clients({ path }: { path: string[] }) {
  const id = Number(path[1]);
  const connection = useLoad(signal => api.get<Connection>(`/api/connections/${id}`, signal), id);
  const known = fresh.value?.connection === id ? fresh.value.token : '';
  return (
    <Page title={t('client.title')} lead={t('client.lead')} actions={<a class="button" href={`#/connections/${id}`}>{t('client.done')}</a>}>
      <Shown of={connection}>{shown => {
        const clients = clientsFor({ url: `${location.origin}/mcp`, name: slug(shown.name), title: shown.name, token: known || PLACEHOLDER });
        const client = clients.find(({ key }) => key === place.value.query.get('client'));
        const make = async () => {
          const { token, id: made } = await api.post<{ token: string; id: number }>(`/api/connections/${id}/tokens`, { name: client?.name || t('client.other.name'), ...termsBody(TERMS) });
          fresh.value = { connection: id, token, id: made };
        };
        return (
          <>
            {known && (
              <section class="card">
                <h2>{t('token.once')}</h2>
                <Copy text={known} label={t('client.token')} secret />
                <p class="soft small">{t('token.once.help')}</p>
              </section>
            )}
            <div class="tabs" role="group" aria-label={t('client.title')}>
              {clients.map(({ key, name }) => <button key={key} type="button" aria-pressed={client?.key === key} onClick={() => setQuery({ client: key })}>{name || t('client.other.name')}</button>)}
            </div>
            {client ? <Instructions client={client} hasToken={!!known} make={make} /> : <p class="soft">{t('client.choose')}</p>}
            <FirstCall id={id} />
          </>
        );
      }}</Shown>
    </Page>
  );
}
