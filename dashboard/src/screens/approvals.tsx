// What a model wants to do and may not before its owner agrees.
import { useRef } from 'preact/hooks';
import { api } from '../lib/api';
import { Diff, replaced } from '../lib/diff';
import { named, t } from '../lib/i18n';
import { useLive } from '../lib/live';
import { connectionName, loadConnections, loadWaiting } from '../lib/state';
import type { Approval } from '../lib/types';
import { Act, Badge, Empty, Page, Shown, Time, useLoad } from '../lib/ui';

// "wp_edit: a sentence, with {arguments}": the sentence, and the arguments: by name, or as they are when they are too long to be there in
// whole.
function partsOf(what: string): { sentence: string; values?: Record<string, unknown>; rest?: string } {
  const at = what.indexOf(', with {');
  if (at < 0) return { sentence: what };
  const sentence = what.slice(0, at), rest = what.slice(at + 7);
  try {
    return { sentence, values: JSON.parse(rest) as Record<string, unknown> };
  } catch {
    return { sentence, rest };
  }
}

// Every {find, replace} in the arguments is a change of a text; the rest is shown by name.
function Arguments({ values }: { values: Record<string, unknown> }) {
  const edits: string[] = [];
  const rest: [string, unknown][] = [];
  for (const [name, value] of Object.entries(values)) {
    const list = Array.isArray(value) ? value : [value];
    const changes = list.filter((item): item is { find: string; replace: string } => typeof item?.find === 'string' && typeof item?.replace === 'string');
    if (changes.length && changes.length === list.length) edits.push(...changes.map(({ find, replace }) => replaced(find, replace)));
    else rest.push([name, value]);
  }
  return (
    <>
      {rest.length > 0 && <dl class="pairs">{rest.map(([name, value]) => <><dt class="mono">{name}</dt><dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd></>)}</dl>}
      {edits.map((text, i) => <Diff key={i} text={text} label={t('approvals.diff')} />)}
    </>
  );
}

const kindOf = (state: string) => (state === 'approved' || state === 'used' ? 'good' : state === 'refused' ? 'bad' : 'warn');

function Item({ item, waited, reload }: { item: Approval; waited: boolean; reload: () => Promise<void> }) {
  const { sentence: said, values, rest } = partsOf(item.what);
  const sentence = item.action ?? said;
  const decide = (verb: string) => async () => {
    await api.post(`/api/approvals/${encodeURIComponent(item.id)}/${verb}`);
    await reload();
  };
  const isPending = item.state === 'pending';
  return (
    <li class="card">
      <div class="row spread">
        <h2>{item.tool} <span class="soft">{connectionName(item.connection_id)}</span></h2>
        <Badge kind={kindOf(item.state)}>{named('approvals.state', item.state)}</Badge>
      </div>
      <p class="said">{sentence}</p>
      {item.difference && <><h3>{t('approvals.diff')}</h3><Diff text={item.difference} label={t('approvals.diff')} /></>}
      {values && (item.difference ? <details><summary>{t('approvals.arguments')}</summary><Arguments values={values} /></details> : <Arguments values={values} />)}
      {rest && <p class="said mono">{rest}</p>}
      <p class="soft small">{t('approvals.asked')} <Time at={item.created_at} />{isPending && <>, {t('approvals.until')} <Time at={item.expires_at} /></>}</p>
      {waited && (
        <div class={isPending ? 'row' : 'row gone'}>
          <Act class="primary" run={decide('approve')} done={t('approvals.approved')} aria-label={`${t('approvals.approve')}: ${sentence}`}>{t('approvals.approve')}</Act>
          <Act class="danger" run={decide('refuse')} done={t('approvals.refused')} aria-label={`${t('approvals.refuse')}: ${sentence}`}>{t('approvals.refuse')}</Act>
        </div>
      )}
    </li>
  );
}

// What waited when it was first shown here stays in its place, also when it is decided: the second click of a double click must not meet
// the button of the one behind it.
export default function Approvals() {
  const waited = useRef(new Map<string, boolean>());
  const list = useLoad(async () => {
    const [items] = await Promise.all([loadWaiting(), loadConnections()]);
    for (const { id, state } of items) if (!waited.current.has(id)) waited.current.set(id, state === 'pending');
    return items;
  });
  useLive(list.reload);
  const placeOf = ({ id }: Approval) => (waited.current.get(id) ? 0 : 1);
  return (
    <Page title={t('approvals.title')} lead={t('approvals.lead')}>
      <Shown of={list}>{items => items.length === 0 ? <Empty action={<a href="#/connections">{t('connections.title')}</a>}>{t('approvals.empty')}</Empty> : (
        <ul class="list">{[...items].sort((a, b) => placeOf(a) - placeOf(b)).map(item => <Item key={item.id} item={item} waited={placeOf(item) === 0} reload={list.reload} />)}</ul>
      )}</Shown>
    </Page>
  );
}
