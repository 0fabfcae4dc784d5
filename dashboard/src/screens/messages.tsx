// What was said through a connection: conversations, what went out and what became of it, templates, who wants nothing more.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { api, query, type List } from '../lib/api';
import { t, type Key } from '../lib/i18n';
import { useLive } from '../lib/live';
import { go, place, setQuery } from '../lib/router';
import { loadProviders } from '../lib/state';
import type { Chat, Connection, Message, Optout, Sent, Template } from '../lib/types';
import { Act, Badge, Empty, Form, Input, Page, Problem, Shown, Time, Wait, confirm, say, useLoad } from '../lib/ui';

interface PageOf<T> { items: T[]; more: boolean }
const kindOf: Record<string, '' | 'good' | 'warn' | 'bad'> = { sent: '', delivered: 'good', read: 'good', failed: 'bad', unknown: 'warn', waiting: 'warn', sending: 'warn' };
const words = ['sent', 'delivered', 'read', 'failed', 'unknown', 'waiting', 'sending', 'received'];
const Word = ({ of }: { of: string }) => <Badge kind={kindOf[of] ?? ''}>{words.includes(of) ? t(`message.${of}` as Key) : of}</Badge>;

interface Mark { before: string | null; before_id: string }

// Pages that go on behind the last item shown: its time, and its id for those of the same time.
function usePages<T>(path: string, markOf: (item: T) => Mark, more: Record<string, string> = {}) {
  const key = `${path} ${JSON.stringify(more)}`;
  const older = useSignal<PageOf<T> | null>(null);
  const first = useLoad(signal => api.get<PageOf<T>>(`${path}${query(more)}`, signal), key);
  useEffect(() => void (older.value = null), [key]);
  useLive(first.reload);
  const wanted = useRef(key);
  wanted.current = key;
  const fresh = first.value?.items ?? [];
  const has = (items: T[], item: T, same: (a: Mark, b: Mark) => boolean) => items.some(other => same(markOf(other), markOf(item)));
  const isSame = (a: Mark, b: Mark) => a.before_id === b.before_id, isAtSamePlace = (a: Mark, b: Mark) => isSame(a, b) && a.before === b.before;
  // As in Activity: they join the first page by something that is in both and has not moved; when nothing is, what lies between is missing.
  const rest = older.value?.items.some(item => has(fresh, item, isAtSamePlace)) ? older.value : null;
  const items = [...fresh, ...(rest?.items ?? []).filter(item => !has(fresh, item, isSame))];
  const next = async () => {
    const page = await api.get<PageOf<T>>(`${path}${query({ ...more, ...markOf(items[items.length - 1]) })}`);
    if (wanted.current !== key) return; // of words that are no longer searched for
    older.value = { items: [...items, ...page.items.filter(item => !has(items, item, isSame))], more: page.more };
  };
  const hasMore = (rest ?? first.value)?.more ?? false;
  return { first, items, more: hasMore && !first.stale && <p><Act run={next}>{t('activity.more')}</Act></p> };
}

type Pages<T> = ReturnType<typeof usePages<T>>;

// Pages of something: what went wrong, that it is under way, that there is nothing, or what is there.
function Listed<T>({ pages: { first, items, more }, empty, children }: { pages: Pages<T>; empty: string; children: (items: T[]) => ComponentChildren }) {
  return (
    <>
      <Problem error={first.error} />
      {!first.value && !first.error && <Wait />}
      {first.value && items.length === 0 && <Empty>{empty}</Empty>}
      {items.length > 0 && children(items)}
      {more}
    </>
  );
}

type Column<T> = [head: Key, cell: (item: T) => ComponentChildren];

function Table<T>({ label, columns, items, keyOf }: { label: Key; columns: Column<T>[]; items: T[]; keyOf: (item: T) => string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t(label)}>
      <table class="fold">
        <thead><tr>{columns.map(([head]) => <th key={head} scope="col">{t(head)}</th>)}</tr></thead>
        <tbody>{items.map(item => (
          <tr key={keyOf(item)}>{columns.map(([head, cell], i) => (i === 0 ? <th key={head} scope="row">{cell(item)}</th> : <td key={head} data-label={t(head)}>{cell(item)}</td>))}</tr>
        ))}</tbody>
      </table>
    </div>
  );
}

const isOpen = (chat: Chat) => chat.open_until !== null && Date.parse(chat.open_until) > Date.now();

function Inbox({ path }: { path: string }) {
  const pages = usePages<Chat>(`${path}/chats`, ({ chat, last_at }) => ({ before: last_at, before_id: chat }));
  const columns: Column<Chat>[] = [
    ['message.with', ({ chat, name }) => <button type="button" class="plain" onClick={() => go(`${path.replace('/api', '')}/messages${query({ chat })}`)}>{name ? `${name} (${chat})` : chat}</button>],
    ['message.last', chat => <Time at={chat.last_at} />],
    ['message.unread', ({ unread }) => unread > 0 && <Badge kind="warn">{unread}</Badge>],
    ['message.window', chat => (isOpen(chat) ? <Time at={chat.open_until} /> : <span class="soft">{t('message.window.closed')}</span>)],
  ];
  return <Listed pages={pages} empty={t('messages.inbox.empty')}>{items => <Table label="messages.inbox" columns={columns} items={items} keyOf={({ chat }) => chat} />}</Listed>;
}

function Conversation({ path, chat }: { path: string; chat: string }) {
  const search = useSignal(''), wanted = useSignal('');
  const pages = usePages<Message>(`${path}/chats/${encodeURIComponent(chat)}/messages`, ({ id, at }) => ({ before: at, before_id: id }), { search: wanted.value });
  return (
    <section class="card">
      <div class="row"><h2>{chat}</h2><button type="button" class="tiny" onClick={() => setQuery({})}>{t('messages.back')}</button></div>
      <p class="soft">{t('messages.outside')}</p>
      <Form send={async () => (wanted.value = search.value)} label={t('messages.search')}>
        <Input label={t('messages.search.label')} value={search.value} set={value => (search.value = value)} maxLength={200} />
      </Form>
      <Listed pages={pages} empty={t('messages.none')}>{items => (
        <ol class="plain-list stack">{items.map(message => (
          <li key={message.id} class="note">
            <p class="row"><b>{message.outgoing ? t('message.us') : message.name ?? message.sender}</b> <Time at={message.at} /> {message.outgoing && <Word of={message.status} />} {message.kind !== 'text' && <Badge>{message.kind}</Badge>}</p>
            {message.text && <p class="said">{message.text}</p>}
          </li>
        ))}</ol>
      )}</Listed>
    </section>
  );
}

function Log({ path }: { path: string }) {
  const pages = usePages<Sent>(`${path}/sends`, ({ id, created_at }) => ({ before: created_at, before_id: id }));
  const columns: Column<Sent>[] = [
    ['message.to', ({ to }) => to],
    ['activity.when', sent => <Time at={sent.created_at} />],
    ['message.kind', ({ kind }) => kind],
    ['message.state', ({ state, delivery, delivery_at }) => <><Word of={state === 'sent' ? delivery ?? 'sent' : state} /> {delivery_at && <Time at={delivery_at} />}</>],
    ['message.problem', ({ problem }) => <span lang="en">{problem}</span>],
  ];
  return (
    <>
      <p class="soft">{t('messages.sent.help')}</p>
      <Listed pages={pages} empty={t('messages.sent.empty')}>{items => <Table label="messages.sent" columns={columns} items={items} keyOf={({ id }) => id} />}</Listed>
    </>
  );
}

const templateColumns: Column<Template>[] = [
  ['message.template', ({ name }) => name],
  ['language', ({ language }) => language],
  ['message.state', ({ status, category }) => <><Badge kind={status === 'APPROVED' ? 'good' : status === 'REJECTED' ? 'bad' : ''}>{status}</Badge> {category}</>],
  ['message.text', ({ body }) => body],
];

function Templates({ path }: { path: string }) {
  const loaded = useLoad(signal => api.get<List<Template>>(`${path}/templates`, signal), path);
  return (
    <>
      <p class="soft">{t('messages.templates.help')}</p>
      <Shown of={loaded}>{({ items }) => (items.length === 0 ? <Empty>{t('messages.templates.empty')}</Empty>
        : <Table label="messages.templates" columns={templateColumns} items={items} keyOf={({ name, language }) => `${name} ${language}`} />)}</Shown>
    </>
  );
}

function Optouts({ path }: { path: string }) {
  const loaded = useLoad(signal => api.get<List<Optout>>(`${path}/optouts`, signal), path);
  const person = useSignal('');
  const add = async () => {
    await api.post(`${path}/optouts`, { person: person.value });
    person.value = '';
    await loaded.reload();
  };
  const remove = (who: string) => confirm({ title: t('messages.optout.remove.title', { who }), text: t('messages.optout.remove.text'), label: t('messages.optout.remove'), run: async () => (await api.delete(`${path}/optouts/${encodeURIComponent(who)}`), loaded.reload()) });
  const erase = (who: string) => confirm({ title: t('messages.erase.title', { who }), text: t('messages.erase.text'), label: t('messages.erase'), run: async () => void say(t('messages.erased', { n: (await api.delete<{ messages: number }>(`${path}/people/${encodeURIComponent(who)}`)).messages })) });
  const whom = useSignal('');
  const columns: Column<Optout>[] = [
    ['message.person', item => item.person],
    ['message.reason', ({ reason }) => reason],
    ['activity.when', item => <Time at={item.created_at} />],
    ['actions', item => <button type="button" class="tiny" onClick={() => remove(item.person)}>{t('messages.optout.remove')}</button>],
  ];
  return (
    <>
      <section class="card">
        <h2>{t('messages.optouts')}</h2>
        <p class="soft">{t('messages.optouts.help')}</p>
        <Shown of={loaded}>{({ items }) => (items.length === 0 ? <Empty>{t('messages.optouts.empty')}</Empty>
          : <Table label="messages.optouts" columns={columns} items={items} keyOf={item => item.person} />)}</Shown>
        <Form send={add} label={t('messages.optout.add')}>
          <Input label={t('message.number')} help={t('message.number.help')} value={person.value} set={value => (person.value = value)} required maxLength={60} />
        </Form>
      </section>
      <section class="card">
        <h2>{t('messages.person')}</h2>
        <p class="soft">{t('messages.person.help')}</p>
        <Input label={t('message.person')} help={t('message.number.help')} value={whom.value} set={value => (whom.value = value)} maxLength={60} />
        <div class="row">
          {whom.value.trim() && <a class="button" href={`${path}/people/${encodeURIComponent(whom.value.trim())}`} download="person.json">{t('messages.export')}</a>}
          <button type="button" class="danger" disabled={!whom.value.trim()} onClick={() => erase(whom.value.trim())}>{t('messages.erase')}</button>
        </div>
      </section>
    </>
  );
}

const tabs: [string, Key][] = [['', 'messages.inbox'], ['sent', 'messages.sent'], ['templates', 'messages.templates'], ['people', 'messages.optouts']];

async function load(id: number, signal: AbortSignal) {
  const [connection, providers] = await Promise.all([api.get<Connection>(`/api/connections/${id}`, signal), loadProviders()]);
  return { connection, can: providers.find(({ key }) => key === connection.provider)?.can ?? [] };
}

export default function Messages({ path: at }: { path: string[] }) {
  const id = Number(at[1]), path = `/api/connections/${id}`;
  const loaded = useLoad(signal => load(id, signal), id);
  const tab = place.value.query.get('tab') ?? '', chat = place.value.query.get('chat');
  const { value } = loaded;
  if (!value) return <Page title={t('messages.title')}><Shown of={loaded}>{() => null}</Shown></Page>;
  if (!value.can.includes('conversations')) return <Page title={t('messages.title')}><Empty action={<a href={`#/connections/${id}`}>{value.connection.name}</a>}>{t('messages.cannot')}</Empty></Page>;
  const offered = tabs.filter(([key]) => key !== 'templates' || value.can.includes('templates'));
  return (
    <Page title={t('messages.of', { name: value.connection.name })} actions={<a class="button" href={`#/connections/${id}`}>{t('connection.title')}</a>}>
      <div class="tabs" role="group" aria-label={t('messages.title')}>
        {offered.map(([key, title]) => <button key={key} type="button" aria-pressed={tab === key} onClick={() => setQuery({ tab: key })}>{t(title)}</button>)}
      </div>
      {tab === 'sent' ? <Log path={path} /> : tab === 'templates' ? <Templates path={path} /> : tab === 'people' ? <Optouts path={path} /> : chat ? <Conversation path={path} chat={chat} key={chat} /> : <Inbox path={path} />}
    </Page>
  );
}
