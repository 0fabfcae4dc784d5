// Where the browser comes back from the service's own page: proves the password that came and makes the connection.
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { api, ApiError } from '../lib/api';
import { t } from '../lib/i18n';
import { go, place } from '../lib/router';
import { fresh } from '../lib/state';
import type { Made } from '../lib/types';
import { Page, Problem, Wait } from '../lib/ui';

export default function Finish() {
  const error = useSignal<unknown>(null);
  useEffect(() => {
    const { query } = place.value;
    const token = query.get('token');
    history.replaceState(null, '', '#/finish'); // good once, so nothing to go back to
    if (!token) return void (error.value = new ApiError(0, query.get('error') ?? 'denied', ''));
    api.post<Made>('/api/connections/finish', { token }).then(
      made => {
        fresh.value = { connection: made.id, token: made.token, id: made.token_id };
        go(`/connections/${made.id}/clients`);
      },
      problem => (error.value = problem),
    );
  }, []);
  return (
    <Page title={t('finish.title')}>
      {error.value ? <><Problem error={error.value} prefix="finish" /><p><a class="button primary" href="#/connect">{t('finish.again')}</a></p></> : <Wait what={t('connect.checking')} />}
    </Page>
  );
}
