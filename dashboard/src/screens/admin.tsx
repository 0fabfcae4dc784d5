// For administrators: people, invitations, what can be connected, and how the server is. Nobody's connections are shown here.
import { useSignal } from '@preact/signals';
import { api, type List } from '../lib/api';
import { t } from '../lib/i18n';
import { loadProviders, me } from '../lib/state';
import type { Invitation, OauthClient, Person, Provider, Setting } from '../lib/types';
import { Act, Badge, Copy, Dialog, Empty, Form, Input, Page, Shown, Time, confirm, useLoad } from '../lib/ui';

function People() {
  const list = useLoad(signal => api.get<List<Person>>('/api/users', signal));
  const change = (person: Person, body: object) => async () => {
    await api.patch(`/api/users/${person.id}`, body);
    await list.reload();
  };
  const remove = (person: Person) => confirm({
    title: t('delete.title', { email: person.email }), text: t('people.delete.text', { name: person.name }), label: t('people.delete'), typed: person.email,
    run: async () => (await api.delete(`/api/users/${person.id}`), list.reload()), done: t('people.deleted', { name: person.name }),
  });
  const label = (what: string, person: Person) => ({ 'aria-label': `${what}: ${person.name}` });
  return (
    <section class="card">
      <h2>{t('people.title')}</h2>
      <Shown of={list}>{({ items }) => (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('people.title')}>
          <table class="fold">
            <thead><tr><th scope="col">{t('account.name')}</th><th scope="col">{t('connection.state')}</th><th scope="col">{t('people.since')}</th><th scope="col"><span class="hidden">{t('actions')}</span></th></tr></thead>
            <tbody>
              {items.map(person => (
                <tr key={person.id}>
                  <th scope="row">{person.name}<br /><span class="soft small">{person.email}</span></th>
                  <td data-label={t('connection.state')}><span class="row close">{person.admin && <Badge>{t('people.admin')}</Badge>}{person.stopped && <Badge kind="warn">{t('people.stopped')}</Badge>}{person.second_factor && <Badge kind="good">{t('people.totp')}</Badge>}</span></td>
                  <td data-label={t('people.since')}><Time at={person.created_at} /></td>
                  <td>{person.id !== me.value?.id && (
                    <span class="row">
                      <Act class="tiny" run={change(person, { admin: !person.admin })} done={t('saved')} {...label(person.admin ? t('people.admin.off') : t('people.admin.on'), person)}>{person.admin ? t('people.admin.off') : t('people.admin.on')}</Act>
                      <Act class="tiny" run={change(person, { stopped: !person.stopped })} done={t('saved')} {...label(person.stopped ? t('people.resume') : t('people.stop'), person)}>{person.stopped ? t('people.resume') : t('people.stop')}</Act>
                      <button type="button" class="tiny danger" onClick={() => remove(person)} {...label(t('people.delete'), person)}>{t('people.delete')}</button>
                    </span>
                  )}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}</Shown>
    </section>
  );
}

function Invitations() {
  const list = useLoad(signal => api.get<List<Invitation>>('/api/invitations', signal));
  const email = useSignal(''), link = useSignal('');
  const send = async () => {
    link.value = (await api.post<{ link: string }>('/api/invitations', email.value ? { email: email.value } : {})).link;
    email.value = '';
    await list.reload();
  };
  const remove = (item: Invitation) => confirm({
    title: t('invitations.delete'), text: item.email ?? t('invitations.anyone'), label: t('invitations.delete'),
    run: async () => (await api.delete(`/api/invitations/${encodeURIComponent(item.id)}`), list.reload()), done: t('saved'),
  });
  return (
    <section class="card">
      <h2>{t('invitations.title')}</h2>
      <Form send={send} label={t('invitations.add')}>
        <Input label={t('account.email')} help={t('invitations.help')} type="email" value={email.value} set={value => (email.value = value)} maxLength={255} autocomplete="off" />
      </Form>
      <Shown of={list}>{({ items }) => items.length === 0 ? <Empty>{t('invitations.empty')}</Empty> : (
        <ul class="list">
          {items.map(item => (
            <li key={item.id} class="row spread">
              <span class="grow">{item.email ?? t('invitations.anyone')}<br /><span class="soft small">{t('approvals.until')} <Time at={item.expires_at} /></span></span>
              <button type="button" class="tiny danger" onClick={() => remove(item)} aria-label={`${t('invitations.delete')}: ${item.email ?? t('invitations.anyone')}`}>{t('invitations.delete')}</button>
            </li>
          ))}
        </ul>
      )}</Shown>
      {link.value && (
        <Dialog title={t('invitations.link')} close={() => (link.value = '')}>
          <Copy text={link.value} label={t('invitations.link')} />
          <p class="soft">{t('invitations.link.help')}</p>
          <div class="row"><button type="button" onClick={() => (link.value = '')}>{t('close')}</button></div>
        </Dialog>
      )}
    </section>
  );
}

function Providers() {
  const list = useLoad(loadProviders);
  const set = async (provider: Provider, enabled: boolean) => {
    await api.patch(`/api/providers/${encodeURIComponent(provider.key)}`, { enabled });
    await list.reload();
  };
  const off = (provider: Provider) => confirm({ title: t('providers.off.title', { name: provider.name }), text: t('providers.off.text', { name: provider.name }), label: t('providers.off'), run: () => set(provider, false), done: t('saved') });
  return (
    <section class="card">
      <h2>{t('providers.title')}</h2>
      <Shown of={list}>{items => (
        <ul class="list">
          {items.map(item => (
            <li key={item.key} class="row spread">
              <span class="grow"><b>{item.name}</b> <span class="soft small">{item.version}</span> <Badge kind={item.enabled ? 'good' : 'warn'}>{item.enabled ? t('on') : t('off')}</Badge></span>
              {item.enabled
                ? <button type="button" class="tiny danger" onClick={() => off(item)} aria-label={`${t('providers.off')}: ${item.name}`}>{t('providers.off')}</button>
                : <Act class="tiny" run={() => set(item, true)} done={t('saved')} aria-label={`${t('providers.on')}: ${item.name}`}>{t('providers.on')}</Act>}
            </li>
          ))}
        </ul>
      )}</Shown>
    </section>
  );
}

// Clients that cannot register themselves: made by hand, with a secret that is shown once.
function OauthClients() {
  const list = useLoad(signal => api.get<List<OauthClient>>('/api/oauth/clients', signal));
  const name = useSignal(''), redirect = useSignal('');
  const made = useSignal<{ client_id: string; client_secret: string | null } | null>(null);
  const send = async () => {
    made.value = await api.post('/api/oauth/clients', { name: name.value, redirect_uris: redirect.value.split(/\s+/).filter(Boolean) });
    name.value = redirect.value = '';
    await list.reload();
  };
  const remove = (client: OauthClient) => confirm({
    title: t('clients.delete.title', { name: client.name }), text: t('clients.delete.text'), label: t('people.delete'),
    run: async () => (await api.delete(`/api/oauth/clients/${encodeURIComponent(client.client_id)}`), list.reload()), done: t('people.deleted', { name: client.name }),
  });
  return (
    <section class="card">
      <h2>{t('clients.title')}</h2>
      <p class="soft">{t('clients.help')}</p>
      <Form send={send} label={t('clients.add')}>
        <Input label={t('clients.name')} required value={name.value} set={value => (name.value = value)} maxLength={64} autocomplete="off" />
        <Input label={t('clients.redirect')} required value={redirect.value} set={value => (redirect.value = value)} inputMode="url" maxLength={2000} autocomplete="off" />
      </Form>
      <Shown of={list}>{({ items }) => items.length === 0 ? <Empty>{t('clients.empty')}</Empty> : (
        <ul class="list">
          {items.map(item => (
            <li key={item.client_id} class="row spread">
              <span class="grow"><b>{item.name}</b><br /><span class="soft small mono">{item.client_id}</span></span>
              <button type="button" class="tiny danger" onClick={() => remove(item)} aria-label={t('clients.delete.title', { name: item.name })}>{t('people.delete')}</button>
            </li>
          ))}
        </ul>
      )}</Shown>
      {made.value && (
        <Dialog title={t('clients.once')} close={() => (made.value = null)}>
          <Copy text={made.value.client_id} label={t('clients.id')} />
          {made.value.client_secret && <Copy text={made.value.client_secret} label={t('clients.secret')} secret />}
          <div class="row"><button type="button" onClick={() => (made.value = null)}>{t('close')}</button></div>
        </Dialog>
      )}
    </section>
  );
}

function Health() {
  const ready = useLoad(async signal => {
    const answer = await fetch('/readyz', { signal });
    return { ok: answer.ok, json: (await answer.json()) as Record<string, unknown> };
  });
  return (
    <section class="card">
      <div class="row spread"><h2>{t('health.title')}</h2><Act class="tiny" run={ready.reload}>{t('connection.test')}</Act></div>
      <Shown of={ready}>{({ ok, json }) => (
        <>
          <p><Badge kind={ok ? 'good' : 'bad'}>{ok ? t('health.ok') : t('health.bad')}</Badge></p>
          <dl class="pairs">{Object.entries(json).map(([name, value]) => <><dt class="mono">{name}</dt><dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd></>)}</dl>
        </>
      )}</Shown>
    </section>
  );
}

// As it is in force; it is changed in the server's file or environment, not here.
function Settings() {
  const list = useLoad(signal => api.get<List<Setting>>('/api/settings', signal));
  return (
    <section class="card">
      <h2>{t('settings.title')}</h2>
      <p class="soft">{t('settings.help')}</p>
      <Shown of={list}>{({ items }) => (
        <details>
          <summary>{t('settings.show', { n: items.filter(item => !item.default).length, total: items.length })}</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label={t('settings.title')}>
            <table class="fold">
              <thead><tr><th scope="col">{t('account.name')}</th><th scope="col">{t('settings.value')}</th></tr></thead>
              <tbody>
                {[...items].sort((a, b) => Number(a.default) - Number(b.default)).map(item => (
                  <tr key={item.name}>
                    <th scope="row" class="mono">{item.name}<br /><span class="soft">{item.environment}</span></th>
                    <td data-label={t('settings.value')}><span class="mono">{item.value}</span> {item.unit} {item.default && <Badge>{t('settings.default')}</Badge>}<br /><span class="soft small" lang="en">{item.meaning}</span></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}</Shown>
    </section>
  );
}

export default function Admin() {
  return (
    <Page title={t('admin.title')} lead={t('admin.lead')}>
      <Health />
      <People />
      <Invitations />
      <Providers />
      <OauthClients />
      <Settings />
    </Page>
  );
}
