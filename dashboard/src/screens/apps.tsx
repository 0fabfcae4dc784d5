// The apps that came by a login (OAuth) instead of a token, and their end.
import { api, type List } from '../lib/api';
import { t } from '../lib/i18n';
import { useLive } from '../lib/live';
import { connectionName, loadConnections, rightsText } from '../lib/state';
import type { Grant } from '../lib/types';
import { Empty, Page, Shown, Time, confirm, useLoad } from '../lib/ui';

export default function Apps() {
  const list = useLoad(async signal => {
    const [grants] = await Promise.all([api.get<List<Grant>>('/api/oauth/grants', signal), loadConnections(signal)]);
    return grants.items;
  });
  useLive(list.reload);
  const end = (grant: Grant) => confirm({
    title: t('apps.end.title', { name: grant.client.name }), text: t('apps.end.text', { name: grant.client.name }), label: t('token.revoke'),
    run: async () => (await api.delete(`/api/oauth/grants/${encodeURIComponent(grant.id)}`), list.reload()), done: t('apps.ended', { name: grant.client.name }),
  });
  return (
    <Page title={t('apps.title')} lead={t('apps.lead')}>
      <Shown of={list}>{items => items.length === 0 ? <Empty action={<a href="#/connections">{t('connections.title')}</a>}>{t('apps.empty')}</Empty> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('apps.title')}>
          <table class="fold">
            <thead><tr><th scope="col">{t('apps.app')}</th><th scope="col">{t('connections.title')}</th><th scope="col">{t('terms.rights')}</th><th scope="col">{t('token.used')}</th><th scope="col">{t('token.ends')}</th><th scope="col"><span class="hidden">{t('actions')}</span></th></tr></thead>
            <tbody>
              {items.map(grant => (
                <tr key={grant.id}>
                  <th scope="row">{grant.client.name}<br /><span class="soft small">{grant.host}</span></th>
                  <td data-label={t('connections.title')}>{grant.connections.map(connectionName).join(', ')}</td>
                  <td data-label={t('terms.rights')}>{rightsText(grant.rights)}</td>
                  <td data-label={t('token.used')}><Time at={grant.last_used_at} none={t('never')} /></td>
                  <td data-label={t('token.ends')}><Time at={grant.expires_at} none={t('expires.never')} /></td>
                  <td><button type="button" class="tiny danger" onClick={() => end(grant)} aria-label={t('apps.end.title', { name: grant.client.name })}>{t('token.revoke')}</button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}</Shown>
    </Page>
  );
}
