// Work on many items that goes on by itself: how far it is, and its end.
import { api, type List } from './api';
import { named, t } from './i18n';
import { useEvery, useLive } from './live';
import { connectionName } from './state';
import type { Job } from './types';
import { Act, Badge, Time, useLoad } from './ui';

const LOOK_MS = 2000;
const goesOn = (job: Job) => !job.ended_at;
const kinds: Record<string, 'good' | 'warn' | 'bad'> = { completed: 'good', failed: 'bad' };

function Line({ job, reload }: { job: Job; reload: () => Promise<void> }) {
  const { id, kind, status, done, total, stopping } = job;
  const name = `${named('job', kind)}, ${connectionName(job.connection_id)}`;
  const stop = async () => {
    await api.post(`/api/jobs/${encodeURIComponent(id)}/stop`);
    await reload();
  };
  return (
    <li class="row close">
      <span class="soft small"><Time at={job.created_at} /></span>
      <span>{name}</span>
      {goesOn(job) ? <progress max={total ?? undefined} value={total ? done : undefined} aria-label={name} /> : <Badge kind={kinds[status] ?? 'warn'}>{named('job.status', status)}</Badge>}
      <span>{total ? t('job.of', { done, total }) : t('job.done', { n: done })}</span>
      {goesOn(job) && (stopping ? <span class="soft">{t('job.stopping')}</span> : <Act class="tiny danger" run={stop} aria-label={t('job.stop.title', { name })}>{t('job.stop')}</Act>)}
    </li>
  );
}

export function Jobs() {
  const jobs = useLoad(async signal => (await api.get<List<Job>>('/api/jobs', signal)).items);
  useLive(jobs.reload);
  useEvery(LOOK_MS, () => jobs.value?.some(goesOn) && void jobs.reload());
  if (!jobs.value?.length) return null;
  const open = jobs.value.filter(goesOn), ended = jobs.value.filter(job => !goesOn(job));
  return (
    <section class="card">
      <h2>{t('jobs.title')}</h2>
      {open.length > 0 && <ul class="list">{open.map(job => <Line key={job.id} job={job} reload={jobs.reload} />)}</ul>}
      {ended.length > 0 && (
        <details>
          <summary>{t('jobs.ended', { n: ended.length })}</summary>
          <ul class="list">{ended.map(job => <Line key={job.id} job={job} reload={jobs.reload} />)}</ul>
        </details>
      )}
    </section>
  );
}
