// node tests/integration/run.mjs tests/dashboard/screenshots.mjs: the pictures of docs/ and README anew, of a server with two sites and
// a client at work.
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { ROOT, waitFor } from '../integration/lib/process.mjs';
import { Screen, administrator, closeBrowser, connect } from './browser.mjs';

let porteiro, ana, blog;

before(async () => {
  porteiro = await (await Porteiro.create()).serve();
  ana = await administrator(porteiro);
  blog = await connect(ana, fixtures.sites.new, 'Blog', { rights: 'read,draft,publish' });
  const shop = await connect(ana, fixtures.sites.old, 'Loja');
  for (const type of ['post', 'page', 'post', 'media']) await callTool(porteiro.url, blog.token, 'wp_find', { type });
  await callTool(porteiro.url, blog.token, 'wp_site');
  await callTool(porteiro.url, shop.token, 'wp_site');
  await callTool(porteiro.url, shop.token, 'wp_read', { id: '999999' });
  const made = await callTool(porteiro.url, blog.token, 'wp_create', { type: 'post', title: 'Opening hours', content: 'We are open from nine to five.\n\nOn Sundays we are closed.', status: 'publish' });
  const [id] = made.text.match(/\b\d+\b/);
  const { token } = await ana.ok('POST', `/api/connections/${blog.id}/tokens`, { name: 'Claude', rights: 'read,draft,publish', confirm: 'human' });
  await callTool(porteiro.url, token, 'wp_edit', { id, set: { title: 'Opening hours in December' }, edits: [{ find: 'nine to five', replace: 'nine to seven' }] });
  await waitFor('the calls to be counted', async () => (await ana.ok('GET', '/api/usage')).items.length > 3);
});
after(async () => {
  await closeBrowser();
  await porteiro?.stop();
});

const pictures = [['dashboard-home', '', 'en-US'], ['dashboard-home.pt-BR', '', 'pt-BR'], ['dashboard-client', 'connections/ID/clients?client=vscode', 'en-US'], ['dashboard-approvals', 'approvals', 'en-US'], ['dashboard-usage', 'usage', 'en-US']];
for (const [name, where, language] of pictures) {
  test(name, { timeout: 60_000 }, async () => {
    await ana.ok('PATCH', '/api/me', { language: language === 'pt-BR' ? 'pt-BR' : 'en' });
    const screen = await Screen.open(porteiro, ana, { language, height: 800 });
    await screen.go(where.replace('ID', blog.id));
    await screen.page.waitForLoadState('networkidle', { timeout: 2000 }).catch(() => {});
    await screen.page.screenshot({ path: path.join(ROOT, 'docs', `${name}.png`), animations: 'disabled' });
    await screen.close();
  });
}
