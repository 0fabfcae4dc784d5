// The service's side of a connection, for kinds that have one: is it up, logging in there with a telephone, where it sends to.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from './api';
import { t } from './i18n';
import type { Connection, Provider, ServiceState } from './types';
import { Act, Badge, Copy, Shown, useLoad } from './ui';

const LOOK_MS = 3000, LOOKS = 60;
const kinds: Record<string, 'good' | 'warn' | 'bad'> = { open: 'good', connecting: 'warn', closed: 'bad' };

interface Place { url: string; secret: string; registered: boolean }

// The code to be scanned; then looks until the telephone has answered, for three minutes.
function Pairing({ id, found, again, reload }: { id: number; found: ServiceState; again: () => Promise<void>; reload: () => Promise<void> }) {
  useEffect(() => {
    let left = LOOKS;
    const timer = setInterval(async () => {
      const { state } = await api.get<ServiceState>(`/api/connections/${id}/state`).catch(() => found);
      if (state !== 'open' && --left > 0) return;
      clearInterval(timer);
      await reload();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [id, found]);
  return (
    <div class="note">
      <p lang="en">{found.text}</p>
      {found.qr_png && <p><img class="qr" src={`data:image/png;base64,${found.qr_png}`} width="240" height="240" alt={t('service.qr')} /></p>}
      {found.pairing_code && <Copy text={found.pairing_code} label={t('service.code')} />}
      <p class="soft" role="status">{t('service.waiting')}</p>
      <p><Act class="tiny" run={again}>{t('service.again')}</Act></p>
    </div>
  );
}

function Webhook({ id, registers }: { id: number; registers: boolean }) {
  const shown = useSignal<Place | null>(null);
  const ask = async (register: boolean) => (shown.value = await api.post<Place>(`/api/connections/${id}/webhook`, { register }));
  return (
    <>
      <p class="soft">{t('service.webhook.help')}</p>
      <div class="row">
        {registers && <Act run={() => ask(true)} done={t('service.webhook.done')}>{t('service.webhook.set')}</Act>}
        <Act run={() => ask(false)}>{t('service.webhook.show')}</Act>
      </div>
      {shown.value && <>
        <Copy text={shown.value.url} label={t('service.webhook.url')} />
        <Copy text={shown.value.secret} label={t('service.webhook.secret')} secret />
      </>}
    </>
  );
}

export function Service({ connection, provider }: { connection: Connection; provider: Provider }) {
  const path = `/api/connections/${connection.id}`;
  const loaded = useLoad(signal => api.get<ServiceState>(`${path}/state`, signal), connection.id);
  const pairing = useSignal<ServiceState | null>(null);
  const begin = async () => {
    pairing.value = await api.post<ServiceState>(`${path}/pair`);
    if (pairing.value.state === 'open') await done();
  };
  const done = async () => {
    pairing.value = null;
    await loaded.reload();
  };
  return (
    <section class="card">
      <h2>{t('service.title')}</h2>
      <Shown of={loaded}>{found => <>
        <div class="row"><Badge kind={kinds[found.state] ?? 'warn'}>{found.state === 'open' ? t('service.open') : found.state === 'connecting' ? t('service.connecting') : t('service.closed')}</Badge><span lang="en">{found.text}</span></div>
        <dl class="pairs">{Object.entries(found.details).filter(([, value]) => value !== '' && value !== null).map(([name, value]) => <><dt lang="en">{name}</dt><dd>{String(value)}</dd></>)}</dl>
        {found.state !== 'open' && !pairing.value && <div class="row"><Act class="primary" run={begin}>{t('service.pair')}</Act></div>}
      </>}</Shown>
      {pairing.value && <Pairing id={connection.id} found={pairing.value} again={begin} reload={done} />}
      {provider.can.includes('webhook') && <Webhook id={connection.id} registers={provider.can.includes('webhook_register')} />}
    </section>
  );
}
