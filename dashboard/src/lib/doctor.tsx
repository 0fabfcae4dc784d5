// A connection looked at from end to end, each finding with what to do; and what earlier looks found.
import { useSignal } from '@preact/signals';
import { api, query, type List } from './api';
import { named, t } from './i18n';
import type { Event, Finding } from './types';
import { Act, Badge, Problem, Shown, Time, useLoad } from './ui';

const kinds = { ok: 'good', skip: '', warn: 'warn', fail: 'bad' } as const;

// Our own sentence for what was found, else the server's.
function Row({ finding }: { finding: Finding }) {
  const { check, result, code, value, text, fix, ms } = finding;
  const own = named(`doctor.${check}`, code, '', { value: value ?? '' });
  const failed = named('check', code, '');
  const remedy = named(`doctor.fix.${check}`, code, '');
  return (
    <tr>
      <th scope="row">{named('doctor', check)}</th>
      <td><Badge kind={kinds[result as keyof typeof kinds] ?? ''}>{named('doctor.result', result)}</Badge></td>
      <td data-label={t('doctor.found')}>{own || (result === 'fail' && failed) || (code === 'works' ? t('doctor.works') : code === 'not_reached' ? t('step.skip') : text)}{(remedy || fix) && <><br /><b>{remedy || fix}</b></>}{failed && result === 'fail' && <details><summary>{t('error.details')}</summary><p class="small">{text}</p></details>}</td>
      <td data-label={t('connection.latency')} class="number">{ms !== null && t('ms', { n: ms })}</td>
    </tr>
  );
}

function History({ id }: { id: number }) {
  const looks = useLoad(signal => api.get<List<Event>>(`/api/audit${query({ connection: id, action: 'connections.check', limit: 20 })}`, signal), id);
  return (
    <Shown of={looks}>{({ items }) => items.length === 0 ? <p class="soft">{t('never')}</p> : (
      <ul class="list">
        {items.map(({ id: key, at, data: { ok, error, ms } }) => (
          <li key={key} class="row close">
            <span class="soft small"><Time at={at} /></span>
            <Badge kind={ok ? 'good' : 'bad'}>{ok ? t('state.active') : t('state.error')}</Badge>
            {ok === true && typeof ms === 'number' && <span class="soft">{t('ms', { n: ms })}</span>}
            {typeof error === 'string' && error && <span>{named('check', error)}</span>}
          </li>
        ))}
      </ul>
    )}</Shown>
  );
}

export function Doctor({ id, examined }: { id: number; examined: () => Promise<void> }) {
  const found = useSignal<{ ok: boolean; checks: Finding[] } | null>(null);
  const error = useSignal<unknown>(null);
  const open = useSignal(0); // how often the earlier looks were asked for anew
  const run = async () => {
    error.value = null;
    try {
      found.value = await api.post(`/api/connections/${id}/doctor`);
      await examined();
      if (open.value) open.value++;
    } catch (problem) {
      error.value = problem;
    }
  };
  return (
    <section class="card">
      <div class="row spread"><h2>{t('doctor.title')}</h2><Act run={run}>{t('doctor.run')}</Act></div>
      <p class="soft">{t('doctor.help')}</p>
      <Problem error={error.value} />
      {found.value && (
        <>
          <p role="status">{found.value.ok ? t('doctor.good') : t('doctor.bad')}</p>
          <div class="scroll" tabIndex={0} role="region" aria-label={t('doctor.title')}>
            <table class="fold">
              <thead><tr><th scope="col">{t('doctor.what')}</th><th scope="col">{t('activity.outcome')}</th><th scope="col">{t('doctor.found')}</th><th scope="col" class="number">{t('connection.latency')}</th></tr></thead>
              <tbody>{found.value.checks.map(finding => <Row key={finding.check} finding={finding} />)}</tbody>
            </table>
          </div>
        </>
      )}
      <details onToggle={event => (open.value = event.currentTarget.open ? 1 : 0)}>
        <summary>{t('doctor.history')}</summary>
        {open.value > 0 && <History key={open.value} id={id} />}
      </details>
    </section>
  );
}
