// One change at a connected service: what is different, and taking it back.
import { api } from './api';
import { Diff } from './diff';
import { t } from './i18n';
import { Shown, confirm, useLoad } from './ui';

interface ShownChange { number: number; what: string; difference: string; undone_by: number | null; undo: boolean }

export function Change({ connection, number }: { connection: number; number: number }) {
  const path = `/api/connections/${connection}/changes/${number}`;
  const change = useLoad(signal => api.get<ShownChange>(path, signal), path);
  const undo = (what: string) => confirm({
    title: t('change.undo.title', { n: number }), text: what, label: t('change.undo'),
    run: async () => (await api.post(`${path}/undo`), change.reload()), done: t('change.undone'),
  });
  return (
    <section class="stack" aria-label={t('change.title', { n: number })}>
      <h3>{t('change.title', { n: number })}</h3>
      <Shown of={change}>{({ what, difference, undone_by, undo: can }) => (
        <>
          <p>{what}</p>
          {difference && <Diff text={difference} label={t('approvals.diff')} />}
          {undone_by ? <p class="soft">{t('change.undone.by', { n: undone_by })}</p> : can && <p><button type="button" class="danger" onClick={() => undo(what)}>{t('change.undo')}</button></p>}
        </>
      )}</Shown>
    </section>
  );
}
