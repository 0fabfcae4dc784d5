// Each screen changes something, and the command line or the API then shows it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool, legacy } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { ROOT, sleep } from '../integration/lib/process.mjs';
import { countTokens } from '../integration/lib/tokens.mjs';
import { PASSWORD, Person, Screen, administrator, closeBrowser, connect, invite, waitFor } from './browser.mjs';
import { Flow } from '../oauth/flow.mjs';
import { decode } from './qr.mjs';

const site = fixtures.sites.new;
let porteiro, ana, screen, page, blog;

before(async () => {
  porteiro = await (await Porteiro.create()).serve();
  ana = await administrator(porteiro);
  blog = await connect(ana, site, 'Blog', { rights: 'read,draft,publish' });
  screen = await Screen.open(porteiro, ana);
  page = screen.page;
});
after(async () => {
  await screen?.close();
  await closeBrowser();
  await porteiro?.stop();
});

const connections = async () => (await porteiro.json(['connection', 'list'])).items;
const connectionNamed = async name => (await connections()).find(item => item.name === name);
const tokens = async () => (await porteiro.json(['token', 'list'])).items;
const works = async token => (await legacy(porteiro.url, token, 'tools/list')).status === 200;
const dialog = () => page.getByRole('dialog').last();
const inDialog = name => dialog().getByRole('button', { name, exact: true });
const said = text => screen.said(text);
// A code of RFC 6238 for now, or `ahead` periods later.
function codeOf(secret, ahead = 0) {
  const bits = [...secret.replace(/=+$/, '')].map(char => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0')).join('');
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map(byte => Number.parseInt(byte, 2)))).update(counter).digest();
  const at = mac.at(-1) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
// The password again, when it is asked for.
async function prove(then) {
  const asked = page.getByRole('dialog', { name: 'Your password again' });
  await asked.or(then()).first().waitFor();
  if (!(await asked.isVisible())) return;
  await asked.getByLabel('Password').fill(PASSWORD);
  await asked.getByRole('button', { name: 'Continue' }).click();
}

test('every answer that the screens read is described so by the API', async () => {
  const spec = await (await fetch(`${porteiro.origin}/api/openapi.json`)).json();
  const answer = path => spec.paths[path].get.responses['200'].content['application/json'].schema;
  const item = path => answer(path).properties.items.items;
  const described = {
    Me: answer('/api/me'), Approver: answer('/api/me/approver'), Connection: item('/api/connections'), Check: item('/api/connections').properties.check, Provider: item('/api/providers'), Field: item('/api/providers').properties.fields.items,
    Token: item('/api/tokens'), Approval: item('/api/approvals'), Event: item('/api/audit'), EventPage: answer('/api/audit'), Usage: item('/api/usage'), Finding: spec.paths['/api/connections/{id}/doctor'].post.responses['200'].content['application/json'].schema.properties.checks.items, Session: item('/api/me/sessions'), Person: item('/api/users'),
    Invitation: item('/api/invitations'), Grant: item('/api/oauth/grants'), OauthClient: item('/api/oauth/clients'), Setting: item('/api/settings'), ServiceState: answer('/api/connections/{id}/state'), Chat: item('/api/connections/{id}/chats'), Message: item('/api/connections/{id}/chats/{chat}/messages'), Sent: item('/api/connections/{id}/sends'),
    Job: item('/api/jobs'), Template: item('/api/connections/{id}/templates'), Optout: item('/api/connections/{id}/optouts'), Made: spec.paths['/api/connections'].post.responses['201'].content['application/json'].schema,
  };
  const source = fs.readFileSync(path.join(ROOT, 'dashboard/src/lib/types.ts'), 'utf8');
  const interfaces = [...source.matchAll(/^export interface (\w+) \{ (.*) \}$/gm)];
  assert.equal(interfaces.length, Object.keys(described).length);
  const kinds = { string: 'string', number: 'integer', boolean: 'boolean', null: 'null' };
  for (const [, name, members] of interfaces) {
    for (const [, member, type] of members.replace(/\{[^}]*\}/g, 'object').matchAll(/(\w+): ([^;]+)/g)) {
      const schema = described[name].properties[member];
      assert.ok(schema, `${name}.${member}`);
      const types = type.split(' | ').map(word => kinds[word]).filter(Boolean);
      for (const kind of types) if (schema.type) assert.ok([schema.type].flat().includes(kind) || types.includes('null'), `${name}.${member}: ${schema.type} is not ${type}`);
    }
  }
});

describe('the wizard', () => {
  test('tells what is wrong with its fix, and connects what works', async () => {
    await screen.go('connect');
    await screen.field('Site address').fill(site.url);
    await page.getByText('Enter the access data here').click();
    await screen.field('WordPress user name').fill('editor');
    await screen.field('Application password').fill('aaaa bbbb cccc dddd eeee ffff');
    await screen.field('Name', { exact: true }).fill('By hand');
    await page.getByText('Only look').click();
    await screen.button('Check and connect').click();
    await page.getByRole('alert').getByText('The user name or the password was refused').waitFor();
    // Each step of the look: done with its time, failed with its fix.
    const steps = page.getByRole('alert').getByRole('listitem');
    assert.match(await steps.nth(0).innerText(), /^good[^]*Reachable[^]*\d ms/);
    assert.match(await steps.nth(1).innerText(), /^good[^]*Its API[^]*\d ms/);
    assert.match(await steps.nth(2).innerText(), /^wrong[^]*Access data[^]*The user name or the password was refused/);
    await screen.field('Site address').fill('http://127.0.0.1:9');
    await screen.button('Check and connect').click();
    await steps.nth(2).getByText('not reached').waitFor();
    assert.match(await steps.nth(0).innerText(), /^wrong[^]*Reachable/);
    assert.match(await steps.nth(1).innerText(), /^not reached[^]*Its API/);
    await screen.field('Site address').fill(site.url);
    assert.equal(await connectionNamed('By hand'), undefined);
    await screen.field('Application password').fill(site.users.editor.app_password);
    await screen.button('Check and connect').click();
    const token = await page.locator('.copy code.secret').first().textContent();
    assert.ok(await works(token));
    const made = await connectionNamed('By hand');
    const [row] = (await tokens()).filter(item => item.connection_id === made.id);
    assert.deepEqual(row.rights, ['read']);
    for (const client of ['Claude', 'Claude Code', 'ChatGPT', 'Cursor', 'VS Code', 'Codex', 'Gemini CLI', 'Windsurf', 'n8n', 'LM Studio', 'stdio', 'Others']) {
      await screen.button(client, { exact: true }).click();
      await page.getByRole('heading', { name: client, exact: true }).waitFor();
      assert.ok((await page.locator('main').innerText()).includes(porteiro.url) || (await page.locator('main a.primary').count()) > 0, client);
      for (const href of await page.locator('main a').evaluateAll(links => links.map(link => link.href))) assert.ok(!href.includes('prt_pat_'), href);
    }
    // Where the browser does not let it be copied, it is marked.
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }));
    await screen.button('Copy: Token').first().click();
    await screen.button('Marked: press Ctrl+C: Token').waitFor();
    assert.equal(await page.evaluate(() => getSelection().toString()), token);
    await page.reload();
    await screen.settled();
    assert.ok(!(await page.content()).includes(token), 'shown once');
  });
});

describe('a connection', () => {
  test('is renamed, paused and goes on', async () => {
    await screen.go(`connections/${blog.id}`);
    await screen.button('Rename').click();
    await dialog().getByLabel('Name').fill('Blog of Ana');
    await inDialog('Save').click();
    await page.getByRole('heading', { name: 'Blog of Ana', level: 1 }).waitFor();
    assert.ok(await connectionNamed('Blog of Ana'));
    await page.route('**/pause', route => route.fulfill({ status: 429, json: { error: { code: 'limit', message: 'What the server says of this limit.' } } }), { times: 1 });
    await screen.button('Pause').click();
    await said('What the server says of this limit.');
    await screen.button('Pause').click();
    await said('is paused');
    assert.equal((await connectionNamed('Blog of Ana')).status, 'paused');
    assert.equal(await works(blog.token), false);
    await screen.button('Go on').click();
    await said('goes on');
    assert.equal(await works(blog.token), true);
  });

  test('is tested, and takes new access data only when they work', async () => {
    await screen.button('Test').click();
    await said('It works');
    await screen.button('New access data').click();
    assert.equal(await dialog().getByLabel('Application password').inputValue(), '');
    await dialog().getByLabel('WordPress user name').fill('author');
    await dialog().getByLabel('Application password').fill('wrong');
    await inDialog('Check and connect').click();
    await dialog().getByRole('alert').waitFor();
    await dialog().getByLabel('Application password').fill(site.users.author.app_password);
    await inDialog('Check and connect').click();
    await said('Checked and kept');
    assert.equal((await porteiro.json(['connection', 'show', String(blog.id)])).check.user, 'author');
    await page.locator('dd', { hasText: 'author' }).first().waitFor();
  });

  test('is examined from end to end, each step with its time; what is wrong with its fix; and earlier looks', async () => {
    const doctor = page.locator('section', { has: page.getByRole('heading', { name: 'Check-up' }) });
    const row = name => doctor.locator('tbody tr', { has: page.getByRole('rowheader', { name, exact: true }) });
    await screen.button('Examine').click();
    await doctor.getByText('Everything works.').waitFor();
    for (const step of ['Reachable', 'Its API', 'Access data']) assert.match(await row(step).innerText(), /good[^]*works[^]*\d ms/, step);
    assert.match(await row('Acts there as').innerText(), /author/);
    await porteiro.json(['connection', 'pause', String(blog.id)]);
    await screen.button('Examine').click();
    await doctor.getByText('Something does not work').waitFor();
    assert.match(await row('State here').innerText(), /Paused[^]*Let it go on/);
    await porteiro.json(['connection', 'resume', String(blog.id)]);
    await doctor.getByText('Earlier looks').click();
    await waitFor('the looks', async () => (await doctor.locator('ul.list li').count()) >= 3);
    const looks = await ana.ok('GET', `/api/audit?connection=${blog.id}&action=connections.check`);
    assert.ok(looks.items.length >= 3 && looks.items[0].data.ok === true && looks.items[0].data.ms >= 0, JSON.stringify(looks.items[0]));
  });

  test('has tokens: made with chosen rights, renewed, ended', async () => {
    await screen.button('New token').click();
    await dialog().getByLabel('Name').fill('laptop');
    await dialog().getByText('Choose each').click();
    await dialog().getByRole('checkbox', { name: 'publish' }).check();
    await dialog().getByRole('combobox', { name: 'Before something' }).selectOption('human');
    await dialog().getByText('For several connections').click();
    await dialog().getByRole('checkbox', { name: 'By hand' }).check();
    await dialog().getByText('Further tools and forms').first().click();
    await dialog().getByRole('checkbox', { name: 'Deep research' }).check();
    await inDialog('Make the token').click();
    const token = await dialog().locator('code.secret').textContent();
    await inDialog('Close').click();
    assert.ok(await works(token));
    const row = (await tokens()).find(item => item.name === 'laptop');
    assert.deepEqual(row.rights, ['read', 'draft', 'publish']);
    assert.equal(row.confirm, 'human');
    assert.deepEqual([row.options, row.sites.length], [['research'], 2]);

    await screen.button('Renew the token primary?').click();
    await inDialog('Renew').click();
    const renewed = await page.locator('dialog code.secret').textContent();
    await inDialog('Close').click();
    assert.deepEqual([await works(renewed), await works(blog.token)], [true, true], 'both, for a day');
    blog.token = renewed;
    await screen.button('Renew the token laptop?').click();
    await dialog().getByRole('combobox').selectOption({ label: 'not at all' });
    const db = new DatabaseSync(path.join(porteiro.dir, 'porteiro.db')); // as if the password had been given long ago: it is asked for, and the rest goes on by itself
    db.exec("UPDATE mcp_sessions SET proved_at = '2026-01-01 00:00:00.000'");
    db.close();
    await inDialog('Renew').click();
    const asked = page.getByRole('dialog', { name: 'Your password again' });
    await asked.getByLabel('Password').fill(PASSWORD);
    await asked.getByRole('button', { name: 'Continue' }).click();
    const laptop = await page.locator('dialog code.secret').textContent();
    await inDialog('Close').click();
    assert.deepEqual([await works(laptop), await works(token)], [true, false]);

    await page.locator('tr', { hasText: `…${laptop.slice(-4)}` }).getByRole('button', { name: 'End the token laptop?' }).click(); // not the one before it, which the list may still show
    await inDialog('End').click();
    await said('The token has ended');
    assert.equal(await works(laptop), false);
    await screen.go(`connections/${blog.id}/clients`);
    const offered = page.getByText('The token, shown this once');
    assert.equal(await offered.count(), 0, 'what has ended is not offered');
    await page.getByRole('button', { name: 'Cursor' }).click();
    await screen.button('Make a token').click();
    await offered.waitFor();
    const made = (await tokens()).reduce((last, one) => (one.id > last.id ? one : last));
    await porteiro.json(['token', 'revoke', String(made.id)]);
    await offered.waitFor({ state: 'detached' }); // also when it was ended elsewhere
  });

  test('ends and goes only when its name was typed', async () => {
    const old = await connect(ana, site, 'Old one (x+y)');
    await screen.go(`connections/${old.id}`);
    await screen.button('End for good').click();
    await dialog().getByLabel('Type Old one').fill('something else');
    await inDialog('End for good').click();
    assert.equal((await connectionNamed('Old one (x+y)')).status, 'active');
    await dialog().getByLabel('Type Old one').fill('Old one (x+y)');
    await inDialog('End for good').click();
    await page.locator('main').getByText('Ended').first().waitFor();
    assert.equal((await connectionNamed('Old one (x+y)')).status, 'revoked');
    await screen.button('Delete').click();
    await dialog().getByLabel('Type Old one').fill('Old one (x+y)');
    await inDialog('Delete').click();
    await page.waitForURL('**/#/connections');
    assert.equal(await connectionNamed('Old one (x+y)'), undefined);
  });

  test('of a fleet are found, and tested one after the other', async () => {
    await screen.go('connections');
    await screen.field('Search').fill('by hand');
    await page.getByText('1 of 2 shown').waitFor();
    await screen.field('Search').fill('no such thing');
    await page.getByText('0 of 2 shown').waitFor();
    assert.equal(await screen.button('Test all').count(), 0, 'nothing to be tested');
    await screen.field('Search').fill('');
    const checked = async () => Date.parse((await porteiro.json(['connection', 'show', String(blog.id)])).check.checked_at);
    const before = await checked();
    await screen.button('Test all').click();
    await said('All of them work');
    assert.ok((await checked()) > before);
    await page.route('**/test', route => route.fulfill({ status: 429, json: { error: { code: 'limit', message: 'Later.' } } }), { times: 1 });
    await screen.button('Test all').click();
    await said(/^1 could not be tested\.$/);
  });
});

describe('approvals', () => {
  test('what a model wants waits, and is done or not as its owner says', async () => {
    const { token } = await ana.ok('POST', `/api/connections/${blog.id}/tokens`, { name: 'careful', rights: 'read,draft,publish', confirm: 'human' });
    const ask = title => callTool(porteiro.url, token, 'wp_create', { type: 'post', title, content: 'Hello', status: 'publish' });
    await screen.go('approvals');
    assert.match((await ask('Wanted')).text, /approve/);
    await page.getByText('Wanted').first().waitFor();
    await page.getByRole('navigation').getByText('waiting').waitFor({ state: 'attached' });
    await page.locator('main').getByRole('button', { name: /^Approve/ }).click();
    await said('Approved');
    assert.equal((await ask('Wanted')).isError, false);

    // What is there now and what would be, of a change to what is public; also when WordPress is only told a field.
    const [id] = (await callTool(porteiro.url, token, 'wp_find', { type: 'post', q: 'Wanted', status: 'publish' })).text.match(/\b\d{1,6}\b/);
    const edit = () => callTool(porteiro.url, token, 'wp_edit', { id, set: { title: 'Another name', excerpt: 'In short' } });
    assert.match((await edit()).text, /approve/);
    const diff = page.locator('main .diff').first();
    await diff.getByText('"Wanted" -> "Another name"').waitFor();
    await diff.getByText('"" -> "In short"').waitFor();
    await page.getByText('change what is public, or make it so', { exact: true }).waitFor();
    const [row] = (await ana.ok('GET', '/api/approvals')).items.filter(item => item.state === 'pending');
    assert.match(row.difference, /Wanted/);
    const db = fs.readdirSync(porteiro.dir).filter(name => /\.db(-wal)?$/.test(name)).map(name => fs.readFileSync(path.join(porteiro.dir, name), 'latin1')).join('');
    assert.ok(!db.includes('"Wanted" -> "Another name"'), 'sealed in the database');
    await page.locator('main').getByRole('button', { name: /^Approve/ }).click();
    await said('Approved');
    assert.equal((await edit()).isError, false);

    // What cannot be taken back is said in a sentence of its own, in the language of who reads it.
    const gone = () => callTool(porteiro.url, deletes, 'wp_delete', { ids: [id], permanent: true });
    const deletes = (await ana.ok('POST', `/api/connections/${blog.id}/tokens`, { name: 'deletes', rights: 'read,draft,publish,delete', confirm: 'human' })).token;
    assert.match((await gone()).text, /approve/);
    await page.getByText(/^delete for good 1 of type post of Blog of Ana, with comments and revisions: /).waitFor();
    await screen.button('Português').click();
    await page.getByText(/^excluir de vez 1 do tipo post de Blog of Ana, com comentários e revisões: /).waitFor();
    await screen.button('English').click();
    await page.getByText(/^delete for good 1/).waitFor();
    await page.locator('main').getByRole('button', { name: /^Refuse/ }).click();
    await said('Refused');

    assert.match((await ask('Unwanted')).text, /approve/);
    await page.getByText('Unwanted').first().waitFor();
    await page.locator('main').getByRole('button', { name: /^Refuse/ }).click();
    await said('Refused');
    assert.match((await ask('Unwanted')).text, /refused/);
  });

  test('what is decided stays in its place: a double click does not meet the one behind it', async () => {
    const { token } = await ana.ok('POST', `/api/connections/${blog.id}/tokens`, { name: 'queues', rights: 'read,draft,publish', confirm: 'human' });
    const ask = title => callTool(porteiro.url, token, 'wp_create', { type: 'post', title, content: 'Hello', status: 'publish' });
    const buttons = page.locator('main').getByRole('button', { name: /^Approve/ });
    await screen.go('usage');
    await screen.go('approvals'); // opened anew
    await ask('First');
    await ask('Second');
    await buttons.nth(1).waitFor();
    const { x, y, width, height } = await buttons.first().boundingBox();
    await page.mouse.click(x + width / 2, y + height / 2);
    await said('Approved');
    await buttons.nth(1).waitFor({ state: 'detached' });
    await page.mouse.click(x + width / 2, y + height / 2);
    await ask('Third');
    await buttons.nth(1).waitFor();
    const items = (await ana.ok('GET', '/api/approvals')).items.filter(({ what }) => /"(First|Second|Third)"/.test(what));
    assert.deepEqual(items.map(({ state }) => state), ['approved', 'pending', 'pending']);
  });
});

describe('work on many items', () => {
  test('is shown while it goes on, with how far it is, and ends when its owner says so', { timeout: 120_000 }, async () => {
    const slow = await startFakeSite(site);
    try {
      const ids = [];
      for (let i = 0; i < 5; i++) ids.push(Number((await callTool(porteiro.url, blog.token, 'wp_create', { type: 'post', title: `Many ${i}`, content: 'x' })).text.match(/\b\d+\b/)[0]));
      const many = await connect(ana, slow, 'Many', { rights: 'read,draft,publish' });
      const args = { ids, set: { comment_status: 'closed' } };
      const code = /confirm_code "([^"]+)"/.exec((await callTool(porteiro.url, many.token, 'wp_bulk', args)).text)[1];
      const held = [];
      let passed = 0;
      slow.answer = (request, response, pass) => (request.method === 'POST' && ++passed > 2 && !slow.over ? new Promise(resolve => held.push(() => resolve(pass()))) : pass());
      await screen.go('activity');
      const running = callTool(porteiro.url, many.token, 'wp_bulk', { ...args, confirm_code: code });
      const work = page.locator('section', { has: page.getByRole('heading', { name: 'Work under way' }) });
      await work.getByText('2 of 5', { exact: true }).waitFor();
      assert.deepEqual(await work.getByRole('progressbar').evaluate(({ value, max }) => [value, max]), [2, 5]);
      await screen.go('');
      await screen.link('One piece of work is under way.').click();
      await work.getByRole('button', { name: 'Stop: Many items changed, Many' }).click();
      await waitFor('the stop', async () => {
        const [{ stopping, ended_at }] = (await ana.ok('GET', '/api/jobs')).items;
        return stopping || ended_at;
      });
      slow.over = true;
      for (const go of held) go();
      await work.getByRole('progressbar').waitFor({ state: 'detached' });
      const [job] = (await ana.ok('GET', '/api/jobs')).items;
      assert.deepEqual([job.status, job.kind, job.connection_id, job.total, job.stopping], ['cancelled', 'bulk', many.id, 5, false]);
      assert.ok(job.done < 5, `${job.done}`);
      assert.match((await running).text, /stopped/);
      await work.getByText('1 ended within a day').click();
      await work.getByText('stopped', { exact: true }).waitFor();
      const stranger = await invite(porteiro, ana, { name: 'Eva', email: 'eva@example.test', phone: '+5511999990009' });
      assert.deepEqual((await stranger.ok('GET', '/api/jobs')).items, []);
      assert.equal((await stranger.call('POST', `/api/jobs/${job.id}/stop`)).status, 404);
      await ana.ok('DELETE', `/api/connections/${many.id}`);
    } finally {
      await slow.stop();
    }
  });
});

describe('activity and usage', () => {
  test('what is done appears by itself, is filtered and exported', async () => {
    await screen.go('activity?action=tool.');
    const rows = page.locator('main tbody tr');
    const before = await rows.count();
    await callTool(porteiro.url, blog.token, 'wp_site');
    await waitFor('the call to appear', async () => (await rows.count()) > before);
    await rows.first().getByRole('button').click();
    await dialog().getByText('outcome').or(dialog().locator('pre')).first().waitFor();
    await inDialog('Close').click();
    const [download] = await Promise.all([page.waitForEvent('download'), screen.link('CSV').click()]);
    const csv = await (await fetch(new URL(download.url()), { headers: ana.headers() })).text();
    assert.ok(csv.includes('tool.wp_site') && !csv.includes('auth.login'));
    assert.match(await rows.first().innerText(), /primary|…/, 'who');
    await screen.field('Kind').selectOption('auth.');
    await waitFor('the filter', async () => page.url().includes('action=auth.'));
    // A connection that was made while the page was open is called by its name.
    await screen.go('activity?action=tool.');
    const later = await connect(ana, site, 'Made later');
    await callTool(porteiro.url, later.token, 'wp_site');
    await rows.filter({ hasText: 'Made later' }).first().waitFor();
    await screen.go('activity?action=tool.wp_create');
    await page.locator('.badge.warn', { hasText: 'waits for approval' }).first().waitFor();
  });

  test('what happened during a pause is not missing in the middle', async () => {
    const other = await Screen.open(porteiro, ana);
    try {
      let newest = 120;
      const event = id => ({ id, at: new Date(id * 1000).toISOString(), action: 'tool.wp_site', connection_id: null, token_id: null, data: { outcome: 'ok' } });
      await other.page.route('**/api/audit?*', route => {
        const before = Number(new URL(route.request().url()).searchParams.get('before')) || newest + 1;
        const ids = Array.from({ length: 50 }, (_, i) => before - 1 - i).filter(id => id > 0);
        return route.fulfill({ json: { items: ids.map(event), next_before: ids.at(-1) > 1 ? ids.at(-1) : null } });
      });
      const ids = () => other.page.locator('main tbody time').evaluateAll(times => times.map(({ dateTime }) => Date.parse(dateTime) / 1000));
      const run = (from, count) => Array.from({ length: count }, (_, i) => from - i).join();
      await other.go('activity');
      await other.button('Show older').click();
      await waitFor('older ones', async () => (await ids()).join() === run(120, 100));
      await other.page.locator('main tbody button').first().click();
      newest += 60; // while one is looked at
      await other.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
      await waitFor('the newest', async () => (await ids()).join() === run(180, 50));
      await other.button('Show older').click();
      await waitFor('older ones', async () => (await ids()).join() === run(180, 100));
    } finally {
      await other.close();
    }
  });

  test('on a slow line, and while something is done all the time, what is done appears all the same', async () => {
    const other = await Screen.open(porteiro, ana);
    let over = false, busy;
    try {
      await other.page.route('**/api/audit?*', async route => {
        await sleep(1500);
        await route.continue().catch(() => {}); // given up by the page
      });
      await other.go('activity?action=tool.');
      const rows = other.page.locator('main tbody tr');
      const [before] = await rows.allInnerTexts();
      busy = (async () => {
        for (; !over; await sleep(250)) await callTool(porteiro.url, blog.token, 'wp_site');
      })();
      const { id } = await ana.ok('GET', '/api/audit?action=tool.&limit=1').then(({ items: [item] }) => item);
      await waitFor('a newer row', async () => (await rows.first().innerText()) !== before, 12_000);
      assert.ok((await ana.ok('GET', '/api/audit?action=tool.&limit=1')).items[0].id > id, 'it was done all the time');
    } finally {
      over = true;
      await busy;
      await other.close();
    }
  });

  test('a stream of hints that was answered with an error comes back', async () => {
    const other = await Screen.open(porteiro, ana);
    try {
      await other.page.route('**/api/events', route => route.fulfill({ status: 502, body: 'no server' }), { times: 1 });
      const answered = status => other.page.waitForResponse(response => response.url().endsWith('/api/events') && response.status() === status);
      const both = Promise.all([answered(502), answered(200)]);
      await other.go('activity?action=tool.');
      await both;
    } finally {
      await other.close();
    }
  });

  test('a change shows its difference, and is taken back', async () => {
    const made = await callTool(porteiro.url, blog.token, 'wp_create', { type: 'post', title: 'Before', content: 'One line.' });
    const [id] = made.text.match(/\b\d+\b/);
    const edited = await callTool(porteiro.url, blog.token, 'wp_edit', { id, set: { title: 'After <b>x</b>' } });
    assert.equal(edited.isError, false, edited.text);
    await screen.go('activity?action=tool.wp_edit');
    await page.locator('main tbody th button').first().click();
    await dialog().locator('.diff').getByText('After <b>x</b>').first().waitFor();
    await screen.button('Take it back').click();
    await page.getByRole('dialog', { name: /Take change \d+ back/ }).getByRole('button', { name: 'Take it back' }).click();
    await said('It was taken back');
    await page.getByText(/Taken back by change/).waitFor();
    assert.match((await callTool(porteiro.url, blog.token, 'wp_read', { id })).text, /Before/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  });

  test('usage shows what the API counts', async () => {
    // Reads are on record a second or more after their answer, in their order: behind this last one there is no other.
    await callTool(porteiro.url, blog.token, 'wp_history', {});
    await waitFor('the last read to be on record', async () => (await ana.ok('GET', '/api/audit?action=tool.wp_history')).items.length > 0);
    const { items } = await ana.ok('GET', '/api/usage?days=30');
    const calls = items.filter(item => item.action.startsWith('tool.')).reduce((sum, item) => sum + item.count, 0);
    await screen.go('usage');
    await page.locator('.big', { hasText: String(calls) }).first().waitFor();
    await page.getByText('Mean duration by day').first().waitFor();
    const read = items.filter(item => item.action.startsWith('tool.')).reduce((sum, item) => sum + item.bytes_total, 0);
    assert.ok(read > 0);
    await page.locator('div.card', { hasText: 'Tokens read' }).locator('.big', { hasText: new Intl.NumberFormat('en').format(Math.round(read / 2.5)) }).waitFor();
    await page.getByText('Tokens read by day').first().waitFor();
    // What 95 of 100 took at most: of several rows together no less than the least of them, no more than the longest call.
    const timed = items.filter(item => item.action.startsWith('tool.') && item.ms_p95 !== null);
    const within = Number((await page.locator('div.card', { hasText: '95 of 100 within' }).locator('.big').innerText()).replace(/\D/g, ''));
    assert.ok(within >= Math.min(...timed.map(item => item.ms_p95)) && within <= Math.max(...timed.map(item => item.ms_max)), `${within}`);
    await page.getByText('What 95 of 100 calls took at most, by day').first().waitFor();
    const one = timed.filter(item => item.action === 'tool.wp_site' && item.outcome === 'ok');
    if (one.length === 1 && items.filter(item => item.action === 'tool.wp_site').length === 1) await page.getByRole('row', { name: 'wp_site' }).getByText(`${new Intl.NumberFormat('en').format(one[0].ms_p95)} ms`).waitFor();
    const byToken = (await ana.ok('GET', '/api/usage?days=30&by=token')).items;
    assert.equal(byToken.reduce((sum, item) => sum + item.count, 0), calls);
    await page.getByRole('region', { name: 'Token', exact: true }).getByText('careful').waitFor();
    await page.getByText('The figures as a table').first().click();
    await page.locator('details[open] tbody tr').first().getByText(String(calls)).first().waitFor();
    // Long figures beside the axis are there in whole.
    await page.route('**/api/usage?*', async route => {
      const response = await route.fetch(), { items } = await response.json();
      await route.fulfill({ response, json: { items: items.map(item => ({ ...item, ms_total: item.ms_total && item.count * 99_000 })) } });
    });
    await screen.go('usage?days=7');
    await page.locator('svg.chart text').getByText('100,000 ms').first().waitFor();
    const cut = await page.locator('svg.chart text').evaluateAll(texts => texts.filter(text => text.getBBox().x < 0).map(text => text.textContent));
    assert.deepEqual(cut, []);
    await page.unroute('**/api/usage?*');
  });

  test('a model takes about one token for 2.5 bytes of what it reads', async () => {
    const texts = [];
    for (const [tool, args] of [['wp_site', {}], ['wp_find', { type: 'post' }], ['wp_find', { type: 'page', limit: 50 }], ['wp_find', { type: 'media' }], ['wp_read', { id: '1' }], ['wp_history', {}]]) texts.push((await callTool(porteiro.url, blog.token, tool, args)).text);
    const [bytes, tokens] = texts.reduce(([bytes, tokens], text) => [bytes + Buffer.byteLength(text), tokens + countTokens(text)], [0, 0]);
    console.log(`${bytes} bytes, ${tokens} tokens: ${(bytes / tokens).toFixed(2)}`);
    assert.ok(Math.abs(bytes / tokens / 2.5 - 1) < 0.25, `${bytes / tokens}`);
  });
});

describe('connected apps', () => {
  test('what came by a login is listed, and ends', async () => {
    const flow = new Flow(porteiro);
    const client = await flow.dynamic(undefined, { client_name: 'A <b>fine</b> app' });
    const { access_token } = await flow.login(await flow.person(), client, { choice: { tick: { [`connection_${blog.id}`]: true } } });
    assert.ok(await works(access_token));
    await screen.go('apps');
    await page.getByText('A <b>fine</b> app').first().waitFor();
    await screen.button('End the access of A <b>fine</b> app?').click();
    await inDialog('End').click();
    await said('has ended');
    await waitFor('the app to be refused', async () => !(await works(access_token)));
    assert.equal((await ana.ok('GET', '/api/oauth/grants')).items.length, 0);
  });

  test('keeps its name and its last use when its access token is gone', async () => {
    const flow = new Flow(porteiro);
    const client = await flow.dynamic(undefined, { client_name: 'Forgotten app' });
    const only = await connect(ana, site, 'By login only');
    const { access_token } = await flow.login(await flow.person(), client, { choice: { tick: { [`connection_${blog.id}`]: false, [`connection_${only.id}`]: true } } });
    await callTool(porteiro.url, access_token, 'wp_site');
    await waitFor('its call to be on record', async () => (await ana.ok('GET', `/api/audit?connection=${only.id}&action=tool.`)).items.length > 0);
    const db = new DatabaseSync(path.join(porteiro.dir, 'porteiro.db')); // as if it had ended two hours ago
    db.exec('DELETE FROM mcp_tokens WHERE id IN (SELECT token_id FROM mcp_oauth_tokens)');
    db.close();
    assert.ok((await ana.ok('GET', '/api/connections')).items.find(({ id }) => id === only.id).last_used_at);
    await screen.go(`activity?action=tool.&connection=${only.id}`);
    await page.locator('main tbody tr', { hasText: 'Forgotten app' }).first().waitFor();
    await screen.go(`usage?connection=${only.id}`);
    await page.getByRole('row', { name: 'Forgotten app (By login only)' }).waitFor();
    const [grant] = (await ana.ok('GET', '/api/oauth/grants')).items;
    await ana.ok('DELETE', `/api/oauth/grants/${grant.id}`);
  });

  test('a client is made by hand, and goes', async () => {
    await screen.go('admin');
    await screen.field('Name of the client').fill('Old client');
    await screen.field('Addresses people are sent back to').fill('https://old.example/callback');
    await screen.button('Make a client').click();
    await prove(() => page.locator('dialog code.secret'));
    const secret = await page.locator('dialog code.secret').textContent();
    assert.ok(secret.length > 20);
    await inDialog('Close').click();
    const [made] = (await ana.ok('GET', '/api/oauth/clients')).items;
    assert.deepEqual([made.name, made.redirect_uris], ['Old client', ['https://old.example/callback']]);
    await screen.button('Delete the client Old client?').click();
    await inDialog('Delete').click();
    await said('Old client was deleted');
    assert.equal((await ana.ok('GET', '/api/oauth/clients')).items.length, 0);
    const recorded = (await ana.ok('GET', '/api/audit?action=oauth.')).items;
    assert.deepEqual([recorded.length > 4, recorded.filter(({ data }) => data.left_out_bytes || !data.app)], [true, []], 'what is recorded of apps');
  });
});

describe('account', () => {
  test('name, language and theme', async () => {
    await screen.go('account');
    await screen.field('Name', { exact: true }).fill('Ana Maria');
    await page.locator('section', { has: page.getByRole('heading', { name: 'You' }) }).getByRole('button', { name: 'Save' }).click();
    await waitFor('the name to be kept', async () => (await ana.ok('GET', '/api/me')).name === 'Ana Maria');
    await screen.button('Português').click();
    await page.getByRole('heading', { name: 'Conta', level: 1 }).waitFor();
    await waitFor('the language to be kept', async () => (await ana.ok('GET', '/api/me')).language.startsWith('pt'));
    const refused = await ana.call('POST', `/api/connections/${blog.id}/tokens`, { name: 'x', expires: 'soon' });
    assert.match(refused.json.error.message, /^'soon' não é um prazo/, 'what the server says, too');
    await screen.button('English').click();
    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await screen.button('Theme: system').click();
    await screen.button('Theme: light').click();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await screen.button('Theme: dark').click();
  });

  test('an API token, made after the password was asked for, works and ends', async () => {
    await screen.button('New API token').click();
    await dialog().getByLabel('Name').fill('script');
    await inDialog('Make the token').click();
    await prove(() => page.locator('dialog code.secret'));
    const bearer = await page.locator('dialog code.secret').textContent();
    await inDialog('Close').click();
    const script = new Person(porteiro, { bearer });
    assert.equal((await script.ok('GET', '/api/me')).name, 'Ana Maria');
    await screen.button('End the token script?').click();
    await inDialog('End').click();
    await said('The token has ended');
    assert.equal((await script.call('GET', '/api/me')).status, 401);
  });

  test('the second factor: the QR code says the key, a code of it turns it on, and off again', async () => {
    await screen.button('Turn on').click();
    await prove(() => page.locator('dialog svg.qr'));
    const secret = await page.locator('dialog code.secret').textContent();
    const path = await page.locator('dialog svg.qr path').getAttribute('d');
    const size = Number((await page.locator('dialog svg.qr').getAttribute('viewBox')).split(' ')[2]);
    const uri = new URL(decode(path, size));
    assert.equal(uri.protocol, 'otpauth:');
    assert.equal(uri.searchParams.get('secret'), secret);
    await dialog().getByLabel('Code of the app').fill(codeOf(secret));
    await inDialog('Confirm').click();
    await dialog().getByText('Recovery codes').waitFor();
    const codes = (await dialog().locator('code.secret').textContent()).split('\n');
    await inDialog('I have kept them').click();
    assert.equal((await ana.ok('GET', '/api/me')).second_factor, true);
    await new Person(porteiro).login('ana@example.test', PASSWORD, codes[0]);
    await screen.button('Turn off').click();
    await inDialog('Turn off').click();
    await waitFor('it to be off', async () => !(await ana.ok('GET', '/api/me')).second_factor);
  });

  test('other logins end, and a new password', async () => {
    const phone = new Person(porteiro);
    await phone.login('ana@example.test', PASSWORD);
    await page.reload();
    await screen.settled();
    await screen.button('End all others').click();
    await inDialog('End all others').click();
    await said('Ended');
    assert.equal((await phone.call('GET', '/api/me')).status, 401);
    await screen.field('Present password').fill('not the password');
    await screen.field('New password').fill(`${PASSWORD} 2`);
    await screen.button('Change the password').click();
    await page.getByRole('alert').getByText('The password is not right').waitFor();
    assert.equal(await screen.field('New password').inputValue(), `${PASSWORD} 2`, 'what was entered stays');
    await screen.field('Present password').fill(PASSWORD);
    await screen.field('New password').fill('ana@example.test!');
    await screen.button('Change the password').click();
    await page.getByRole('alert').getByText('The password holds the name of the e-mail address').waitFor();
    await screen.field('New password').fill(`${PASSWORD} 2`);
    await screen.button('Change the password').click();
    await said('Changed');
    await new Person(porteiro).login('ana@example.test', `${PASSWORD} 2`);
    await ana.ok('POST', '/api/me/password', { current: `${PASSWORD} 2`, password: PASSWORD });
  });

  test('everything stops, and goes on', async () => {
    await screen.button('Stop everything').click();
    await inDialog('Stop everything').click();
    await page.getByText('Everything is stopped').first().waitFor();
    assert.equal(await works(blog.token), false);
    await screen.button('Let everything go on').click();
    await said('Your tokens work again');
    assert.equal(await works(blog.token), true);
  });
});

describe('administration', () => {
  test('invites, makes an administrator, stops, deletes; turns a provider off and on', async () => {
    const bia = await invite(porteiro, ana, { name: 'Bia', email: 'bia@example.test', phone: '+5511999990002' });
    const users = async () => (await porteiro.json(['user', 'list'])).items;
    await screen.go('admin');
    await page.locator('.badge').getByText('ready', { exact: true }).waitFor();
    await page.getByText(/differ from what is usual/).click();
    await page.locator('th', { hasText: 'PORTEIRO_PUBLIC_URL' }).waitFor();
    assert.ok((await page.locator('tr', { hasText: 'PORTEIRO_PUBLIC_URL' }).innerText()).includes(porteiro.origin));
    await screen.field('E-mail').fill('carla@example.test');
    await screen.button('Invite', { exact: true }).click();
    const link = await dialog().locator('code').textContent();
    await inDialog('Close').click();
    const carla = new Person(porteiro);
    await carla.ok('POST', '/api/auth/register', { name: 'Carla', email: 'carla@example.test', phone: '+5511999990003', password: PASSWORD, invitation: new URL(link).searchParams.get('token') });

    await screen.button('Make administrator: Bia').click();
    await prove(() => page.locator('.toasts').getByText('Saved').first());
    await screen.button('No administrator any more: Bia').waitFor();
    assert.equal((await bia.ok('GET', '/api/me')).admin, true);
    await screen.button('Stop: Bia').click();
    await screen.button('Let go on: Bia').waitFor();
    assert.equal((await bia.ok('GET', '/api/me')).stopped_by_admin, true);
    await screen.button('Delete: Bia').click();
    await dialog().getByLabel('Type bia@example.test').fill('bia@example.test');
    await inDialog('Delete').click();
    await said('Bia was deleted');
    assert.ok(!(await users()).some(user => user.email === 'bia@example.test'));

    await screen.button('Turn off: WordPress').click();
    await inDialog('Turn off').click();
    await waitFor('the provider to be off', async () => !(await works(blog.token)));
    await screen.button('Turn on: WordPress').click();
    await screen.button('Turn off: WordPress').waitFor();
    assert.equal(await works(blog.token), true);
  });

  test('is only for administrators', async () => {
    const dora = await invite(porteiro, ana, { name: 'Dora', email: 'dora@example.test', phone: '+5511999990004' });
    const hers = await Screen.open(porteiro, dora);
    await hers.go('');
    assert.equal(await hers.link('Administration').count(), 0);
    assert.equal(await hers.page.getByText('Blog of Ana').count(), 0);
    // Made one, and no more, while her page is open.
    const { id } = await dora.ok('GET', '/api/me');
    await ana.ok('PATCH', `/api/users/${id}`, { admin: true });
    await hers.link('Administration').click();
    await hers.page.getByRole('heading', { name: 'People' }).waitFor();
    await ana.ok('PATCH', `/api/users/${id}`, { admin: false });
    await hers.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await hers.go('account');
    await hers.button('Delete my account').click();
    await hers.page.getByLabel('Type dora@example.test').fill('dora@example.test');
    await hers.page.getByRole('dialog').getByRole('button', { name: 'Delete my account' }).click();
    await hers.page.waitForURL('**/login**');
    assert.ok(!(await porteiro.json(['user', 'list'])).items.some(user => user.email === 'dora@example.test'));
    await hers.close();
  });
});

test('the browser had nothing to complain about', () => {
  // What was refused on purpose above is told by the browser, too.
  // And a hint may come while a connection is deleted: its screen asks for it once more before it is left.
  const expected = /status of (401|403|422|400|429)|status of 404 .*\/api\/connections\/\d+/;
  assert.deepEqual(screen.complaints.filter(text => !expected.test(text)), []);
});
