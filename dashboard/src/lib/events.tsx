// One event of the audit log in a line.
import { named, t } from './i18n';
import { connectionName } from './state';
import type { Event } from './types';
import { Badge, Time } from './ui';

// "tool.wp_edit" is the tool's own name; the others have names of ours.
export const eventName = (action: string) => (action.startsWith('tool.') ? action.slice(5) : named('action', action));

export function Outcome({ event }: { event: Event }) {
  const outcome = event.data.outcome;
  if (typeof outcome !== 'string') return null;
  return outcome === 'ok' ? <Badge kind="good">{t('outcome.ok')}</Badge> : <Badge kind={outcome === 'waiting' ? 'warn' : 'bad'}>{named('outcome', outcome)}</Badge>;
}

export function EventLine({ event }: { event: Event }) {
  return (
    <span class="row close">
      <span class="soft small"><Time at={event.at} /></span>
      <span>{eventName(event.action)}</span>
      {event.connection_id && <span class="soft">{connectionName(event.connection_id)}</span>}
      <Outcome event={event} />
    </span>
  );
}
