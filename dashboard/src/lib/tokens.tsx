// The tokens of a connection: what each may do, when it was used last, a new one, a newer one in its place, and its end.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, type List } from './api';
import { named, t } from './i18n';
import { useLive } from './live';
import { connections, forgetToken, loadConnections, rightsText } from './state';
import { TERMS, TermsFields, termsBody } from './terms';
import type { Connection, Token } from './types';
import { Badge, Choice, Copy, Dialog, Empty, Form, Input, Select, Shown, Time, confirm, useLoad } from './ui';

const OPTIONS = ['research', 'structured'] as const;
type Fresh = { connection: number; token: string; id: number };

function Once({ token, connection, close }: { token: string; connection: Connection; close: () => void }) {
  return (
    <Dialog title={t('token.once')} close={close}>
      <Copy text={token} label={t('client.token')} secret />
      <p class="soft">{t('token.once.help')}</p>
      <div class="row"><a class="button primary" href={`#/connections/${connection.id}/clients`} onClick={close}>{t('connection.client')}</a><button type="button" onClick={close}>{t('close')}</button></div>
    </Dialog>
  );
}

function Add({ connection, close, made }: { connection: Connection; close: () => void; made: (token: Fresh) => void }) {
  const name = useSignal('');
  const terms = useSignal(TERMS);
  const custom = useSignal(false);
  const options = useSignal<string[]>([]);
  const sites = useSignal<number[]>([]);
  const others = (connections.value ?? []).filter(({ id, provider, status }) => id !== connection.id && provider === connection.provider && status !== 'revoked');
  useEffect(() => void loadConnections().catch(() => {}), []);
  const send = async () => {
    const { token, id } = await api.post<{ token: string; id: number }>(`/api/connections/${connection.id}/tokens`, {
      name: name.value, ...termsBody(terms.value), options: options.value.join(',') || 'none', sites: sites.value.map(id => ({ connection_id: id })),
    });
    made({ connection: connection.id, token, id });
  };
  return (
    <Dialog title={t('token.add')} close={close}>
      <Form send={send} label={t('token.make')} secondary={<button type="button" onClick={close}>{t('cancel')}</button>}>
        <Input label={t('token.name')} help={t('token.name.help')} value={name.value} set={value => (name.value = value)} required maxLength={100} />
        <TermsFields terms={terms.value} set={value => (terms.value = value)} custom={custom.value} setCustom={value => (custom.value = value)} />
        {others.length > 0 && (
          <details>
            <summary>{t('token.sites')}</summary>
            <fieldset>
              <legend>{t('token.sites.legend')}</legend>
              {others.map(({ id, name }) => <Choice key={id} checked={sites.value.includes(id)} set={on => (sites.value = on ? [...sites.value, id] : sites.value.filter(other => other !== id))} label={name} />)}
            </fieldset>
          </details>
        )}
        <details>
          <summary>{t('token.options')}</summary>
          <fieldset>
            <legend>{t('token.options')}</legend>
            {OPTIONS.map(option => <Choice key={option} checked={options.value.includes(option)} set={on => (options.value = OPTIONS.filter(name => (name === option ? on : options.value.includes(name))))} label={t(`option.${option}`)} help={t(`option.${option}.help`)} />)}
          </fieldset>
        </details>
      </Form>
    </Dialog>
  );
}

// A newer token in the place of one; the old one may go on for a while, so that its program can be given the new one.
function Renew({ token, close, made }: { token: Token; close: () => void; made: (token: Fresh) => void }) {
  const overlap = useSignal('24h');
  const send = async () => {
    const { token: text, id } = await api.post<{ token: string; id: number }>(`/api/tokens/${token.id}/rotate`, overlap.value ? { overlap: overlap.value } : {});
    made({ connection: token.connection_id, token: text, id });
  };
  return (
    <Dialog title={t('token.rotate.title', { name: token.name ?? `…${token.last4}` })} close={close}>
      <p>{t('token.rotate.text')}</p>
      <Form send={send} label={t('token.rotate')} secondary={<button type="button" onClick={close}>{t('cancel')}</button>}>
        <Select label={t('token.overlap')} value={overlap.value} set={value => (overlap.value = value)} options={([['', 'overlap.none'], ['1h', 'overlap.1h'], ['24h', 'overlap.24h'], ['7d', 'overlap.7d']] as const).map(([key, text]) => [key, t(text)])} />
      </Form>
    </Dialog>
  );
}

const stateKind = (state: string) => (state === 'active' ? 'good' : state === 'expired' ? 'warn' : '');

export function Tokens({ connection, made }: { connection: Connection; made: (token: Fresh) => void }) {
  const { id } = connection;
  const tokens = useLoad(signal => api.get<List<Token>>(`/api/connections/${id}/tokens`, signal), id);
  const adding = useSignal(false);
  const renewing = useSignal<Token | null>(null);
  const once = useSignal('');
  useLive(tokens.reload);
  const show = async (token: Fresh) => {
    adding.value = false;
    renewing.value = null;
    once.value = token.token;
    made(token);
    await tokens.reload();
  };
  const revoke = (token: Token) => confirm({
    title: t('token.revoke.title', { name: token.name ?? `…${token.last4}` }), text: t('token.revoke.text'), label: t('token.revoke'),
    run: async () => (await api.delete(`/api/tokens/${token.id}`), forgetToken(token.id), tokens.reload()), done: t('token.revoked'),
  });
  return (
    <section class="card">
      <div class="row spread"><h2>{t('token.title')}</h2>{connection.status !== 'revoked' && <button type="button" onClick={() => (adding.value = true)}>{t('token.add')}</button>}</div>
      <Shown of={tokens}>{({ items }) => items.length === 0 ? <Empty>{t('token.empty')}</Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('token.title')}>
          <table class="fold">
            <thead><tr><th scope="col">{t('token.name')}</th><th scope="col">{t('terms.rights')}</th><th scope="col">{t('token.used')}</th><th scope="col">{t('token.ends')}</th><th scope="col">{t('connection.state')}</th><th scope="col"><span class="hidden">{t('actions')}</span></th></tr></thead>
            <tbody>
              {items.map(token => (
                <tr key={token.id}>
                  <th scope="row">{token.name ?? t('token.unnamed')} {token.primary && <Badge>{t('token.primary')}</Badge>}<br /><span class="mono soft">…{token.last4}</span>{token.sites.length > 1 && <><br /><span class="soft small">{t('token.sites.of', { names: token.sites.join(', ') })}</span></>}</th>
                  <td data-label={t('terms.rights')}>{rightsText(token.rights)}{token.confirm && token.confirm !== 'none' && <><br /><span class="soft small">{named('confirm', token.confirm)}</span></>}</td>
                  <td data-label={t('token.used')}><Time at={token.last_used_at} none={t('never')} /></td>
                  <td data-label={t('token.ends')}><Time at={token.expires_at} none={t('expires.never')} /></td>
                  <td data-label={t('connection.state')}><Badge kind={stateKind(token.state)}>{named('token.state', token.state)}</Badge></td>
                  <td>{token.state === 'active' && (
                    <span class="row">
                      <button type="button" class="tiny" onClick={() => (renewing.value = token)} aria-label={t('token.rotate.title', { name: token.name ?? `…${token.last4}` })}>{t('token.rotate')}</button>
                      <button type="button" class="tiny danger" onClick={() => revoke(token)} aria-label={t('token.revoke.title', { name: token.name ?? `…${token.last4}` })}>{t('token.revoke')}</button>
                    </span>
                  )}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}</Shown>
      {adding.value && <Add connection={connection} close={() => (adding.value = false)} made={show} />}
      {renewing.value && <Renew token={renewing.value} close={() => (renewing.value = null)} made={show} />}
      {once.value && <Once token={once.value} connection={connection} close={() => (once.value = '')} />}
    </section>
  );
}
