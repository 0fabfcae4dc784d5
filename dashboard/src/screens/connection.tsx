// One connection: how it is, its tokens, and everything that stops it.
import { useSignal } from '@preact/signals';
import { api } from '../lib/api';
import { named, t } from '../lib/i18n';
import { useLive } from '../lib/live';
import { go } from '../lib/router';
import { forgetTokensOf, fresh, loadProviders, stateOf } from '../lib/state';
import type { Connection, Provider } from '../lib/types';
import { Act, Badge, Dialog, Form, Input, Page, Shown, Time, confirm, say, useLoad } from '../lib/ui';
import { FieldInputs, asked, bodyOf, type Values } from '../lib/fields';
import { Doctor } from '../lib/doctor';
import { Service } from '../lib/service';
import { Tokens } from '../lib/tokens';

interface Tested { ok: boolean; info: { latency_ms: number; error: string | null; message: string | null; warning: string | null } }

function Facts({ connection }: { connection: Connection }) {
  const { key, kind } = stateOf(connection);
  const { check } = connection;
  return (
    <section class="card">
      <div class="row"><Badge kind={kind}>{t(key)}</Badge>{connection.address && <span>{connection.address}</span>}</div>
      {check && !check.ok && check.error && (
        <div class="note bad">
          <p>{named('check', check.error, check.message ?? check.error)}</p>
          {check.message && <details><summary>{t('error.details')}</summary><p class="small">{check.message}</p></details>}
        </div>
      )}
      <dl class="pairs">
        <dt>{t('connection.site')}</dt><dd>{check?.site}</dd>
        <dt>{t('connection.version')}</dt><dd>{check?.version}</dd>
        <dt>{t('connection.user')}</dt><dd>{check?.user}{check?.role && ` (${check.role})`}</dd>
        <dt>{t('connection.latency')}</dt><dd>{check?.ok && t('ms', { n: check.latency_ms })}</dd>
        <dt>{t('connection.checked')}</dt><dd><Time at={check?.checked_at} none={t('never')} /></dd>
        <dt>{t('token.used')}</dt><dd><Time at={connection.last_used_at} none={t('never')} /></dd>
        <dt>{t('connection.since')}</dt><dd><Time at={connection.created_at} /></dd>
      </dl>
    </section>
  );
}

function Rename({ connection, close, reload }: { connection: Connection; close: () => void; reload: () => Promise<void> }) {
  const name = useSignal(connection.name);
  const send = async () => {
    await api.patch(`/api/connections/${connection.id}`, { name: name.value });
    close();
    await reload();
  };
  return (
    <Dialog title={t('connection.rename')} close={close}>
      <Form send={send} label={t('save')} secondary={<button type="button" onClick={close}>{t('cancel')}</button>}>
        <Input label={t('connect.name')} value={name.value} set={value => (name.value = value)} required maxLength={100} />
      </Form>
    </Dialog>
  );
}

// What is secret is never shown, only entered again.
function Secret({ connection, provider, close, reload }: { connection: Connection; provider: Provider; close: () => void; reload: () => Promise<void> }) {
  const values = useSignal<Values>(Object.fromEntries(provider.fields.filter(field => !field.secret).map(field => [field.name, String(connection.config[field.name] ?? '')])));
  const send = async () => {
    await api.patch(`/api/connections/${connection.id}`, bodyOf(provider.fields, values.value, connection.config));
    close();
    say(t('connection.secret.done'));
    await reload();
  };
  return (
    <Dialog title={t('connection.secret')} close={close}>
      <p class="soft">{t('connection.secret.help')}</p>
      <Form send={send} prefix="check" working={t('connect.checking')} label={t('connect.check')} secondary={<button type="button" onClick={close}>{t('cancel')}</button>}>
        <FieldInputs fields={asked(provider.fields, values.value)} values={values} />
      </Form>
    </Dialog>
  );
}

function Stop({ connection, reload }: { connection: Connection; reload: () => Promise<void> }) {
  const { id, name, status } = connection;
  const path = `/api/connections/${id}`;
  const isRevoked = status === 'revoked';
  return (
    <section class="card">
      <h2>{t('connection.stop')}</h2>
      {!isRevoked && (status === 'paused'
        ? <div class="row"><Act run={async () => (await api.post(`${path}/resume`), reload())} done={t('connection.resumed', { name })}>{t('connection.resume')}</Act><span class="soft">{t('connection.resume.help')}</span></div>
        : <div class="row"><Act run={async () => (await api.post(`${path}/pause`), reload())} done={t('connection.paused', { name })}>{t('connection.pause')}</Act><span class="soft">{t('connection.pause.help')}</span></div>)}
      {!isRevoked && (
        <div class="row">
          <button type="button" class="danger" onClick={() => confirm({ title: t('connection.revoke.title', { name }), text: t('connection.revoke.text', { name }), label: t('connection.revoke'), typed: name, run: async () => (await api.post(`${path}/revoke`), forgetTokensOf(id), reload()) })}>{t('connection.revoke')}</button>
          <span class="soft">{t('connection.revoke.help')}</span>
        </div>
      )}
      <div class="row">
        <button type="button" class="danger" onClick={() => confirm({ title: t('connection.delete.title', { name }), text: t('connection.delete.text', { name }), label: t('connection.delete'), typed: name, run: async () => (await api.delete(path), forgetTokensOf(id), go('/connections')), done: t('connection.deleted', { name }) })}>{t('connection.delete')}</button>
        <span class="soft">{t('connection.delete.help')}</span>
      </div>
    </section>
  );
}

async function load(id: number, signal: AbortSignal) {
  const [connection, providers] = await Promise.all([api.get<Connection>(`/api/connections/${id}`, signal), loadProviders()]);
  return { connection, provider: providers.find(({ key }) => key === connection.provider) };
}

export default function ConnectionScreen({ path }: { path: string[] }) {
  const id = Number(path[1]);
  const loaded = useLoad(signal => load(id, signal), id);
  const open = useSignal<'' | 'rename' | 'secret'>('');
  useLive(loaded.reload);
  const test = async () => {
    const { ok, info } = await api.post<Tested>(`/api/connections/${id}/test`);
    await loaded.reload();
    say(ok ? `${t('connection.works', { n: info.latency_ms })} ${info.warning ?? ''}` : named('check', info.error, info.message ?? ''));
  };
  const close = () => (open.value = '');
  const { value } = loaded;
  if (!value) return <Page title={t('connection.title')}><Shown of={loaded}>{() => null}</Shown></Page>;
  const { connection, provider } = value;
  return (
    <Page title={connection.name} actions={<>
      <Act run={test}>{t('connection.test')}</Act>
      <button type="button" onClick={() => (open.value = 'rename')}>{t('connection.rename')}</button>
      {provider && connection.status !== 'revoked' && <button type="button" onClick={() => (open.value = 'secret')}>{t('connection.secret')}</button>}
      {provider?.can.includes('conversations') && <a class="button" href={`#/connections/${id}/messages`}>{t('messages.title')}</a>}
      {connection.status !== 'revoked' && <a class="button primary" href={`#/connections/${id}/clients`}>{t('connection.client')}</a>}
    </>}>
      <Facts connection={connection} />
      <Doctor id={id} examined={loaded.reload} />
      {provider?.can.includes('state') && connection.status === 'active' && <Service connection={connection} provider={provider} />}
      <Tokens connection={connection} made={token => (fresh.value = token)} />
      <Stop connection={connection} reload={loaded.reload} />
      {open.value === 'rename' && <Rename connection={connection} close={close} reload={loaded.reload} />}
      {open.value === 'secret' && provider && <Secret connection={connection} provider={provider} close={close} reload={loaded.reload} />}
    </Page>
  );
}

