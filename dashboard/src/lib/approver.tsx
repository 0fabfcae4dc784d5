// The person's own number, from which a yes approves an action. Offered where a connection can send such a question.
import { useSignal } from '@preact/signals';
import { api } from './api';
import { t } from './i18n';
import { loadConnections, loadProviders } from './state';
import type { Approver, Connection } from './types';
import { Badge, Form, Input, Select, Shown, confirm, say, useLoad, type Loaded } from './ui';

interface Here { approver: Approver; ways: Connection[] }

async function load(signal: AbortSignal): Promise<Here> {
  const [approver, providers, connections] = await Promise.all([api.get<Approver>('/api/me/approver', signal), loadProviders(), loadConnections(signal)]);
  const able = providers.filter(({ can }) => can.includes('notify')).map(({ key }) => key);
  return { approver, ways: connections.filter(({ provider, status }) => able.includes(provider) && status === 'active') };
}

function Ask({ ways, reload }: { ways: Connection[]; reload: () => unknown }) {
  const way = useSignal(String(ways[0]!.id)), phone = useSignal('');
  const send = async () => {
    await api.post('/api/me/approver', { connection_id: Number(way.value), phone: phone.value });
    await reload();
  };
  return (
    <Form send={send} label={t('approver.send')}>
      <Select label={t('approver.way')} value={way.value} set={value => (way.value = value)} options={ways.map(({ id, name }) => [String(id), name])} />
      <Input label={t('approver.phone')} help={t('approver.phone.help')} type="tel" autocomplete="tel" required maxLength={30} value={phone.value} set={value => (phone.value = value)} />
    </Form>
  );
}

function Confirm({ reload }: { reload: () => unknown }) {
  const code = useSignal('');
  const send = async () => {
    await api.post('/api/me/approver/confirm', { code: code.value });
    await reload();
    say(t('saved'));
  };
  return (
    <Form send={send} label={t('approver.confirm')}>
      <Input label={t('approver.code')} help={t('approver.code.help')} inputMode="numeric" autocomplete="one-time-code" required maxLength={10} value={code.value} set={value => (code.value = value)} />
    </Form>
  );
}

function Card({ here: { approver, ways }, loaded }: { here: Here; loaded: Loaded<Here> }) {
  if (!ways.length && !approver.phone) return null;
  const end = () => confirm({
    title: t('approver.end'), text: t('approver.end.text', { phone: approver.phone ?? '' }), label: t('approver.end'),
    run: async () => (await api.delete('/api/me/approver'), loaded.reload()), done: t('saved'),
  });
  return (
    <section class="card">
      <div class="row"><h2>{t('approver.title')}</h2>{approver.phone && <Badge kind={approver.confirmed_at ? 'good' : ''}>{approver.confirmed_at ? t('on') : t('approver.waits')}</Badge>}</div>
      <p class="soft">{t('approver.help')}</p>
      {approver.phone && <div class="row spread"><b>+{approver.phone}</b><button type="button" class="danger" onClick={end}>{t('approver.end')}</button></div>}
      {approver.phone && !approver.confirmed_at && <Confirm reload={loaded.reload} />}
      {!approver.phone && <Ask ways={ways} reload={loaded.reload} />}
    </section>
  );
}

export function ApprovalNumber() {
  const loaded = useLoad(load);
  return <Shown of={loaded}>{here => <Card here={here} loaded={loaded} />}</Shown>;
}
