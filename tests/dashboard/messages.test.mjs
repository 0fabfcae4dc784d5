// Conversations at the dashboard: what came, what went out and what became of it, templates, who wants nothing more, and the
// service's own state with its code to be scanned. What is shown is what the emulators did.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { startCloud } from '../fakes/cloud.mjs';
import { startEvolution } from '../fakes/evolution.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { addCloud, addEvolution, confirmed, deliver, tool } from '../integration/lib/whatsapp.mjs';
import { PASSWORD, Screen, administrator, closeBrowser, waitFor } from './browser.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BIA = '5511987654321', FAST = { 'per-second': 1000, 'recipient-pause': 0 };
let porteiro, ana, cloud, evolution, meta, evo, screen, page;

const hook = body => deliver(porteiro, meta.id, body, { headers: { 'X-Hub-Signature-256': cloud.signature(JSON.stringify(body)) } });

before(async () => {
  [cloud, evolution] = await Promise.all([startCloud(), startEvolution()]);
  porteiro = await (await Porteiro.create()).serve();
  ana = await administrator(porteiro);
  meta = await addCloud(porteiro, cloud, { name: 'Shop', rules: FAST });
  evo = await addEvolution(porteiro, evolution, { name: 'Telephone', rules: FAST });
  await hook(cloud.receive(BIA, 'Oi, <b>tudo</b> bem?'));
  screen = await Screen.open(porteiro, ana);
  page = screen.page;
});
after(async () => {
  await screen?.close();
  await closeBrowser();
  await Promise.all([cloud?.stop(), evolution?.stop()]);
  await porteiro?.stop();
});

test('a conversation is found in the inbox and read as it was written', async () => {
  await screen.go(`connections/${meta.id}`);
  await screen.link('Messages').click();
  await page.getByRole('heading', { name: 'Messages of Shop', level: 1 }).waitFor();
  await screen.button(`Bia (${BIA})`).click();
  await page.getByText('Oi, <b>tudo</b> bem?', { exact: true }).waitFor();
  await screen.field('Words in the text').fill('nowhere');
  await screen.button('Search', { exact: true }).click();
  await page.getByText('Nothing was found.').waitFor();
  await screen.button('All conversations').click();
  await screen.button(`Bia (${BIA})`).waitFor();
  await screen.button(`Bia (${BIA})`).click();
  await screen.field('Words in the text').waitFor();
  await page.goBack();
  await screen.button(`Bia (${BIA})`).waitFor(); // back is the list, not the screen before it
});

test('older messages go on where the first ones end, also when more came, and not among those of another search', async () => {
  const other = await Screen.open(porteiro, ana);
  try {
    let newest = 40, held;
    const message = id => ({ id: `m${id}`, at: new Date(id * 1000).toISOString(), outgoing: false, name: 'Bia', sender: BIA, kind: 'text', status: 'received', text: `No. ${id}.` });
    await other.page.route(`**/chats/${BIA}/messages*`, async route => {
      const asked = new URL(route.request().url()).searchParams;
      if (asked.has('search')) return route.fulfill({ json: { items: [{ ...message(1), text: 'Found.' }], more: false } });
      const from = Number(asked.get('before_id')?.slice(1) ?? newest + 1) - 1;
      if (held) await held;
      return route.fulfill({ json: { items: Array.from({ length: 20 }, (_, i) => from - i).filter(id => id > 0).map(message), more: from > 20 } });
    });
    const shown = async () => (await other.page.locator('main .said').allInnerTexts()).map(text => Number(text.match(/\d+/))).join();
    const run = (from, count) => Array.from({ length: count }, (_, i) => from - i).join();
    await other.go(`connections/${meta.id}/messages?chat=${BIA}`);
    await other.page.getByText('No. 21.').waitFor();
    await other.button('Show older').click();
    await waitFor('older ones', async () => (await shown()) === run(40, 40));
    newest = 43;
    await hook(cloud.receive(BIA, 'Mais uma'));
    await waitFor('the new ones above them', async () => (await shown()) === run(43, 43));
    newest = 80;
    await hook(cloud.receive(BIA, 'Muitas'));
    await waitFor('only those that nothing is missing between', async () => (await shown()) === run(80, 20));
    let release;
    held = new Promise(done => (release = done));
    await other.button('Show older').click();
    await other.field('Words in the text').fill('found');
    await other.button('Search', { exact: true }).click();
    await other.page.getByText('Found.').waitFor();
    const late = other.page.waitForResponse(response => response.url().includes('before_id'));
    release();
    await late;
    await other.page.waitForTimeout(300); // what would be drawn now is drawn
    assert.deepEqual(await other.page.locator('main .said').allInnerTexts(), ['Found.']);
  } finally {
    await other.close();
  }
});

test('a form with a wrong key says that the service answers, and does not take the key', async () => {
  await screen.go('connect');
  await screen.button('WhatsApp', { exact: true }).click();
  await screen.field('Server address').fill(evolution.url);
  await screen.field('Instance').fill(evolution.instance);
  await screen.field('API key').fill('wrong');
  await screen.button('Check and connect').click();
  const steps = page.getByRole('alert').getByRole('listitem');
  await steps.nth(1).getByText('The service refuses the access data').waitFor();
  assert.match(await steps.nth(0).innerText(), /^good[^]*Reachable[^]*ms/);
  assert.match(await steps.nth(1).innerText(), /^wrong[^]*Access data/);
  screen.complaints = screen.complaints.filter(text => !/status of 4\d\d|status of 502/.test(text)); // refused on purpose
  await screen.go(`connections/${meta.id}/messages`);
});

test('sent is not delivered: that is what the webhook says, and the open page shows it', async () => {
  const { text } = await tool(porteiro, meta.token, 'wa_send', { to: [BIA], text: 'Chegou?' });
  const id = /id=(\S+)/.exec(text)[1];
  await confirmed(porteiro, meta.token, 'wa_send', { to: ['5531987650000'], text: 'Oi' }); // outside the window
  await screen.button('Sent', { exact: true }).click();
  const row = page.getByRole('row', { name: BIA });
  await row.getByText('sent', { exact: true }).waitFor();
  await page.getByRole('row', { name: '5531987650000' }).getByText('failed', { exact: true }).waitFor();
  await page.waitForTimeout(1500); // what was audited above has been told
  await hook(cloud.status(id, 'delivered', BIA));
  await row.getByText('delivered', { exact: true }).waitFor();
});

test('templates; the list of those who want nothing', async () => {
  await screen.button('Templates', { exact: true }).click();
  await page.getByRole('row', { name: 'hello_world' }).getByText('APPROVED').waitFor();
  await screen.button('No messages', { exact: true }).click();
  await screen.field('Number', { exact: true }).fill('+55 11 95555-0000');
  await screen.button('Send them nothing more').click();
  await page.getByRole('row', { name: '5511955550000' }).waitFor();
  assert.match((await confirmed(porteiro, meta.token, 'wa_send', { to: ['5511955550000'], template: { name: 'hello_world', language: 'en_US' } })).text, /opted out/);
  await page.getByRole('row', { name: '5511955550000' }).getByRole('button', { name: 'Take off' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take off' }).click();
  await page.getByText('Nobody.').waitFor();
  assert.deepEqual((await porteiro.json(['message', 'optout', '--connection', String(meta.id)])).items, []);
});

test('the state at the service: a code to be scanned, until the telephone answers', async () => {
  evolution.state.state = 'close';
  await screen.go(`connections/${evo.id}`);
  await page.getByText('Not connected', { exact: true }).waitFor();
  await screen.button('Connect the telephone').click();
  assert.match(await page.getByAltText('QR code to be scanned with the telephone').getAttribute('src'), /^data:image\/png;base64,iVBOR/);
  await page.getByText('ABCD-1234').waitFor();
  await Promise.all([page.waitForRequest('**/pair'), screen.button('New code').click()]); // the one that is shown runs out
  await page.getByText('ABCD-1234').waitFor();
  evolution.state.state = 'open';
  await page.getByText('Connected', { exact: true }).first().waitFor();
  await screen.button('Tell the service where to send').click();
  const asked = page.getByRole('dialog', { name: 'Your password again' });
  await asked.or(page.getByText(`${porteiro.origin}/hooks/`)).first().waitFor();
  if (await asked.isVisible()) {
    await asked.getByLabel('Password').fill(PASSWORD);
    await asked.getByRole('button', { name: 'Continue' }).click();
  }
  await waitFor('the webhook', () => evolution.state.webhook?.url === `${porteiro.origin}/hooks/whatsapp/${evo.id}`);
});

test('all of it in both languages, narrow and wide, without an objection of axe', { timeout: 120_000 }, async () => {
  const wrong = [];
  for (const [language, width, theme] of [['en', 320, 'dark'], ['pt-BR', 1280, 'light']]) {
    await ana.ok('PATCH', '/api/me', { language });
    const other = await Screen.open(porteiro, ana, { language, width, theme });
    for (const where of ['', '?tab=sent', '?tab=templates', '?tab=people', `?chat=${BIA}`].map(tab => `connections/${meta.id}/messages${tab}`).concat(`connections/${evo.id}`)) {
      await other.go(where);
      if (!(await other.page.evaluate(() => 'axe' in window))) await other.page.evaluate(AXE);
      const { violations } = await other.page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
      wrong.push(...violations.map(({ id, nodes }) => `${where} ${language} ${width}: ${id}: ${nodes[0].html}`));
      if (await other.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) wrong.push(`${where} ${language} ${width}: wider than the window`);
    }
    wrong.push(...other.complaints);
    await other.close();
  }
  await ana.ok('PATCH', '/api/me', { language: 'en' });
  assert.deepEqual([...wrong, ...screen.complaints], []);
});

test('a number that approves: through a connection that sends, with the code that came there', async () => {
  const OWN = '5531987651234';
  await hook(cloud.receive(OWN, 'Oi')); // within the window, as the service asks
  await screen.go('account');
  await screen.field('Your own number').fill('+55 31 98765-1234');
  await screen.button('Send the code').click();
  await screen.field('Code').waitFor();
  const code = /\b(\d{6})\b/.exec(cloud.sent.filter(({ to }) => to === OWN).at(-1).body.text.body)[1];
  await screen.field('Code').fill(code === '000000' ? '000001' : '000000');
  await screen.button('Confirm', { exact: true }).click();
  await page.getByText('That is not the code, or it is too old').waitFor();
  await screen.field('Code').fill(code);
  await screen.button('Confirm', { exact: true }).click();
  await waitFor('the number to count', async () => (await ana.ok('GET', '/api/me/approver')).confirmed_at);
  await screen.button('Take the number away').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take the number away' }).click();
  await waitFor('the number to go', async () => !(await ana.ok('GET', '/api/me/approver')).phone);
});
