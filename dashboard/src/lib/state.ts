// What more than one screen needs, and how things are called everywhere.
import { signal } from '@preact/signals';
import { api, query, type List } from './api';
import { language, setLanguage, t, type Key } from './i18n';
import type { Approval, Connection, EventPage, Field, Grant, Me, Provider, Token, Usage } from './types';

export const me = signal<Me | null>(null);
export const connections = signal<Connection[] | null>(null);
export const waiting = signal(0); // approvals

// Somebody else may have changed it, or this person at another place.
export const loadMe = async () => {
  const now = await api.get<Me>('/api/me');
  if (now.language !== me.value?.language) await setLanguage(now.language);
  me.value = now;
};

export const loadConnections = async (signal?: AbortSignal) => (connections.value = (await api.get<List<Connection>>('/api/connections', signal)).items);
export const loadWaiting = async () => {
  const { items } = await api.get<List<Approval>>('/api/approvals');
  waiting.value = items.filter(item => item.state === 'pending').length;
  return items;
};
export const loadProviders = async () => (await api.get<List<Provider>>('/api/providers')).items;

export const tokens = signal<Token[] | null>(null);
export const loadTokens = async (signal?: AbortSignal) => (tokens.value = (await api.get<List<Token>>('/api/tokens', signal)).items);

// Access tokens of apps are gone an hour or two after their end; whose they were is in the log.
const ofApps = signal(new Map<number, string>());
const lookedFor = new Set<number>();

export async function loadTokensOf(items: { token_id: number | null }[], signal?: AbortSignal) {
  const known = new Set((await loadTokens(signal)).map(({ id }) => id));
  const gone = items.flatMap(({ token_id: id }) => (id && !known.has(id) && !lookedFor.has(id) ? [id] : []));
  if (!gone.length) return;
  const grants = await api.get<List<Grant>>('/api/oauth/grants', signal);
  const names = new Map(grants.items.map(({ client }) => [client.id, client.name]));
  const missing = new Set(gone), found = new Map(ofApps.value);
  let before: number | null = null;
  do { // each app has one an hour: three of them fill a page in two weeks
    const page: EventPage = await api.get(`/api/audit${query({ action: 'oauth.token', limit: 1000, before })}`, signal);
    for (const { token_id: id, data } of page.items) {
      const name = names.get(String(data.app)) ?? String(data.host ?? '');
      if (name) found.set(id!, name);
      missing.delete(id!);
    }
    before = page.next_before;
  } while (before && missing.size);
  ofApps.value = found;
  gone.forEach(id => lookedFor.add(id));
}

// Who did it: a client by its token, or nobody's token: the person.
export function tokenName(id: number | null) {
  if (!id) return t('activity.you');
  const token = tokens.value?.find(item => item.id === id);
  return token?.name ?? ofApps.value.get(id) ?? (token?.last4 ? `…${token.last4}` : `#${id}`);
}

export const connectionName = (id: number | null) => connections.value?.find(connection => connection.id === id)?.name ?? (id ? `#${id}` : '');

// A token is shown once; the page of a client may still fill it in until this page is left.
export const fresh = signal<{ connection: number; token: string; id: number } | null>(null);
export const forgetToken = (id: number) => fresh.value?.id === id && (fresh.value = null);
export const forgetTokensOf = (connection: number) => fresh.value?.connection === connection && (fresh.value = null);

export const RIGHTS = ['read', 'draft', 'publish', 'delete', 'fetch', 'admin'] as const;
export const rightsText = (rights: string[]) => rights.map(right => t(`right.${right}` as Key)).join(', ');

export const fieldLabel = (field: Field) => (language.value === 'pt-BR' ? field.label_pt : field.label);
export const fieldHelp = (field: Field) => (language.value === 'pt-BR' ? field.help_pt : field.help);

// How a connection is: a word, its colour.
export function stateOf(connection: Connection): { key: Key; kind: 'good' | 'warn' | 'bad' | '' } {
  if (connection.status === 'paused' || connection.status === 'inactive') return { key: 'state.paused', kind: 'warn' };
  if (connection.status === 'revoked') return { key: 'state.revoked', kind: '' };
  if (connection.status === 'error' || connection.check?.ok === false) return { key: 'state.error', kind: 'bad' };
  return { key: 'state.active', kind: 'good' };
}

// A call that somebody has to agree to first has not failed.
export const isBad = ({ outcome }: Usage) => outcome !== 'ok' && outcome !== '' && outcome !== 'waiting';
