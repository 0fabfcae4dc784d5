// The person's own account: who they are, how they get in, where they are in, and the switch that stops everything.
import { useSignal } from '@preact/signals';
import { api, type List } from '../lib/api';
import { ApprovalNumber } from '../lib/approver';
import { qr } from '../lib/qr';
import { t } from '../lib/i18n';
import { me } from '../lib/state';
import type { Me, Session } from '../lib/types';
import { Act, Badge, Copy, Dialog, Empty, Form, Input, Page, Select, Shown, Time, confirm, say, useLoad } from '../lib/ui';

function Profile() {
  const name = useSignal(me.value!.name), phone = useSignal(me.value!.phone);
  const send = async () => {
    me.value = await api.patch<Me>('/api/me', { name: name.value, phone: phone.value });
    say(t('saved'));
  };
  return (
    <section class="card">
      <h2>{t('account.profile')}</h2>
      <Form send={send} label={t('save')}>
        <Input label={t('account.name')} value={name.value} set={value => (name.value = value)} autocomplete="name" required maxLength={255} />
        <Input label={t('account.phone')} help={t('account.phone.help')} value={phone.value} set={value => (phone.value = value)} type="tel" autocomplete="tel" required maxLength={30} />
      </Form>
    </section>
  );
}

function Email() {
  const email = useSignal(me.value!.email);
  const send = async () => {
    me.value = await api.post<Me>('/api/me/email', { email: email.value });
    say(t('saved'));
  };
  return (
    <section class="card">
      <div class="row"><h2>{t('account.email')}</h2>{me.value!.email_confirmed && <Badge kind="good">{t('account.confirmed')}</Badge>}</div>
      <Form send={send} label={t('save')}>
        <Input label={t('account.email')} help={t('account.email.help')} type="email" autocomplete="email" required value={email.value} set={value => (email.value = value)} maxLength={255} />
      </Form>
    </section>
  );
}

function Password() {
  const current = useSignal(''), password = useSignal('');
  const send = async () => {
    await api.post('/api/me/password', { current: current.value, password: password.value });
    current.value = password.value = '';
    say(t('account.password.done'));
  };
  return (
    <section class="card">
      <h2>{t('password')}</h2>
      <Form send={send} label={t('account.password.change')}>
        <input type="text" autocomplete="username" value={me.value!.email} hidden readOnly />
        <Input label={t('account.password.now')} type="password" autocomplete="current-password" required value={current.value} set={value => (current.value = value)} />
        <Input label={t('account.password.new')} help={t('account.password.help')} type="password" autocomplete="new-password" required minLength={12} value={password.value} set={value => (password.value = value)} />
      </Form>
    </section>
  );
}

// ---- the second factor

export function QrCode({ text, label }: { text: string; label: string }) {
  const rows = qr(text);
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${rows.length} ${rows.length}`} shape-rendering="crispEdges"><path fill="#000" d={path} /></svg>;
}

function TurnOn({ close }: { close: () => void }) {
  const begun = useLoad(() => api.post<{ secret: string; uri: string }>('/api/me/second-factor'));
  const code = useSignal('');
  const codes = useSignal<string[]>([]);
  const send = async () => {
    codes.value = (await api.post<{ recovery_codes: string[] }>('/api/me/second-factor/confirm', { code: code.value })).recovery_codes;
    me.value = await api.get<Me>('/api/me');
  };
  if (codes.value.length) {
    return (
      <Dialog title={t('totp.codes')} close={close}>
        <p>{t('totp.codes.help')}</p>
        <Copy text={codes.value.join('\n')} label={t('totp.codes')} secret />
        <div class="row"><button type="button" class="primary" onClick={close}>{t('totp.kept')}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('totp.on')} close={close}>
      <Shown of={begun}>{({ secret, uri }) => (
        <>
          <p>{t('totp.scan')}</p>
          <QrCode text={uri} label={t('totp.qr')} />
          <Copy text={secret} label={t('totp.key')} secret />
          <Form send={send} label={t('totp.confirm')} secondary={<button type="button" onClick={close}>{t('cancel')}</button>}>
            <Input label={t('totp.code')} inputMode="numeric" autocomplete="one-time-code" required maxLength={10} value={code.value} set={value => (code.value = value)} />
          </Form>
        </>
      )}</Shown>
    </Dialog>
  );
}

function SecondFactor() {
  const open = useSignal(false);
  const isOn = me.value!.second_factor;
  const off = () => confirm({
    title: t('totp.off.title'), text: t('totp.off.text'), label: t('totp.off'),
    run: async () => (await api.delete('/api/me/second-factor'), (me.value = await api.get<Me>('/api/me'))), done: t('saved'),
  });
  return (
    <section class="card">
      <div class="row"><h2>{t('totp.title')}</h2><Badge kind={isOn ? 'good' : ''}>{isOn ? t('on') : t('off')}</Badge></div>
      <p class="soft">{t('totp.help')}</p>
      <p>{isOn ? <button type="button" class="danger" onClick={off}>{t('totp.off')}</button> : <button type="button" onClick={() => (open.value = true)}>{t('totp.on')}</button>}</p>
      {open.value && <TurnOn close={() => (open.value = false)} />}
    </section>
  );
}

// ---- logins and API tokens

function Sessions() {
  const list = useLoad(signal => api.get<List<Session>>('/api/me/sessions', signal));
  const end = (session: Session) => confirm({
    title: t('sessions.end.title'), text: session.agent ?? session.address ?? '', label: t('sessions.end'),
    run: async () => (await api.delete(`/api/me/sessions/${encodeURIComponent(session.id)}`), list.reload()), done: t('sessions.ended'),
  });
  const others = () => confirm({ title: t('sessions.others'), text: t('sessions.others.text'), label: t('sessions.others'), run: async () => (await api.delete('/api/me/sessions'), list.reload()), done: t('sessions.ended') });
  return (
    <section class="card">
      <div class="row spread"><h2>{t('sessions.title')}</h2>{(list.value?.items.length ?? 0) > 1 && <button type="button" class="danger" onClick={others}>{t('sessions.others')}</button>}</div>
      <Shown of={list}>{({ items }) => (
        <ul class="list">
          {items.map(item => (
            <li key={item.id} class="row spread">
              <span class="grow">{item.agent ?? t('sessions.unknown')}<br /><span class="soft small">{item.address} · <Time at={item.seen_at} /></span></span>
              {item.current ? <Badge kind="good">{t('sessions.this')}</Badge> : <button type="button" class="tiny danger" onClick={() => end(item)} aria-label={`${t('sessions.end')}: ${item.agent ?? ''} ${item.address ?? ''}`}>{t('sessions.end')}</button>}
            </li>
          ))}
        </ul>
      )}</Shown>
    </section>
  );
}

function ApiTokens() {
  const list = useLoad(signal => api.get<List<Session>>('/api/me/api-tokens', signal));
  const adding = useSignal(false);
  const made = useSignal('');
  const name = useSignal(''), expires = useSignal('90d');
  const send = async () => {
    const { token } = await api.post<{ token: string }>('/api/me/api-tokens', { name: name.value, expires: expires.value });
    adding.value = false;
    name.value = '';
    made.value = token;
    await list.reload();
  };
  const end = (item: Session) => confirm({
    title: t('token.revoke.title', { name: item.name }), text: t('token.revoke.text'), label: t('token.revoke'),
    run: async () => (await api.delete(`/api/me/api-tokens/${encodeURIComponent(item.id)}`), list.reload()), done: t('token.revoked'),
  });
  return (
    <section class="card">
      <div class="row spread"><h2>{t('apitokens.title')}</h2><button type="button" onClick={() => (adding.value = true)}>{t('apitokens.add')}</button></div>
      <Shown of={list}>{({ items }) => items.length === 0 ? <Empty>{t('apitokens.empty')}</Empty> : (
        <ul class="list">
          {items.map(item => (
            <li key={item.id} class="row spread">
              <span class="grow"><b>{item.name}</b><br /><span class="soft small">{t('token.used')}: <Time at={item.seen_at} none={t('never')} /> · {t('terms.expires')}: <Time at={item.expires_at} none={t('expires.never')} /></span></span>
              <button type="button" class="tiny danger" onClick={() => end(item)} aria-label={t('token.revoke.title', { name: item.name })}>{t('token.revoke')}</button>
            </li>
          ))}
        </ul>
      )}</Shown>
      {adding.value && (
        <Dialog title={t('apitokens.add')} close={() => (adding.value = false)}>
          <Form send={send} label={t('token.make')} secondary={<button type="button" onClick={() => (adding.value = false)}>{t('cancel')}</button>}>
            <Input label={t('token.name')} value={name.value} set={value => (name.value = value)} required maxLength={100} />
            <Select label={t('terms.expires')} value={expires.value} set={value => (expires.value = value)} options={(['30d', '90d', '365d', 'never'] as const).map(key => [key, t(`expires.${key}`)])} />
          </Form>
        </Dialog>
      )}
      {made.value && (
        <Dialog title={t('token.once')} close={() => (made.value = '')}>
          <Copy text={made.value} label={t('client.token')} secret />
          <p class="soft">{t('token.once.help')}</p>
          <div class="row"><button type="button" onClick={() => (made.value = '')}>{t('close')}</button></div>
        </Dialog>
      )}
    </section>
  );
}

function Danger() {
  const stop = () => confirm({ title: t('stop.title'), text: t('stop.text'), label: t('stop.label'), run: async () => (me.value = await api.post<Me>('/api/me/stop')), done: t('stop.done') });
  const remove = () => confirm({
    title: t('delete.title', { email: me.value!.email }), text: t('delete.text'), label: t('delete.label'), typed: me.value!.email,
    run: async () => (await api.delete('/api/me'), location.assign('/login')),
  });
  return (
    <section class="card">
      <h2>{t('connection.stop')}</h2>
      {!me.value!.stopped && <div class="row"><button type="button" class="danger" onClick={stop}>{t('stop.label')}</button><span class="soft">{t('stop.help')}</span></div>}
      <div class="row"><button type="button" class="danger" onClick={remove}>{t('delete.label')}</button><span class="soft">{t('delete.help')}</span></div>
    </section>
  );
}

export default function Account() {
  return (
    <Page title={t('account.title')} actions={<Act run={async () => (await api.post('/api/auth/logout'), location.assign('/login'))}>{t('logout')}</Act>}>
      <Danger />
      <Profile />
      <Email />
      <Password />
      <SecondFactor />
      <ApprovalNumber />
      <Sessions />
      <ApiTokens />
    </Page>
  );
}
