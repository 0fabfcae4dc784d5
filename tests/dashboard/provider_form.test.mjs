// A connection to a service whose form has choices, fields that belong to a choice, and several secrets: made and changed in the
// browser, in both languages, with what /api/providers says of the fields and nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ACCOUNT, NUMBER, SECRET, TOKEN, startCloud } from '../fakes/cloud.mjs';
import { KEY, startEvolution } from '../fakes/evolution.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { tool } from '../integration/lib/whatsapp.mjs';
import { PASSWORD, Screen, administrator, closeBrowser, waitFor } from './browser.mjs';

let porteiro, ana, cloud, evolution, fields, screen, page;

before(async () => {
  [cloud, evolution] = await Promise.all([startCloud(), startEvolution()]);
  porteiro = await (await Porteiro.create()).serve();
  ana = await administrator(porteiro);
  ({ fields } = (await ana.ok('GET', '/api/providers')).items.find(({ key }) => key === 'whatsapp'));
  screen = await Screen.open(porteiro, ana);
  page = screen.page;
});
after(async () => {
  await screen?.close();
  await closeBrowser();
  await Promise.all([cloud?.stop(), evolution?.stop()]);
  await porteiro?.stop();
});

// Down to the connection's own name: [label, kind, required, help].
async function shown() {
  const all = await page.locator('form .field').evaluateAll(found => found.map(one => {
    const input = one.querySelector('input, select');
    return [one.querySelector('label').textContent, input.type, input.required, one.querySelector('small')?.textContent ?? null];
  }));
  return all.slice(0, all.findIndex(([label]) => label === 'Name' || label === 'Nome'));
}
const kinds = { url: 'text', text: 'text', secret: 'password', choice: 'select-one' };
const expected = (backend, suffix = '') => fields
  .filter(({ only_with }) => !only_with || only_with === `backend=${backend}`)
  .map(field => [field[`label${suffix}`], kinds[field.kind], field.kind !== 'choice' && field.required, field[`help${suffix}`]]);
const made = async name => (await ana.ok('GET', '/api/connections')).items.find(item => item.name === name);
const connected = async () => {
  await screen.button('Check and connect').click();
  return page.locator('.copy code.secret').first().textContent();
};

test('what is chosen says which fields there are, in the order and the words of the table', async () => {
  await screen.go('connect');
  await screen.field('Site address').waitFor(); // what a click connects is open at once
  await screen.button('WhatsApp', { exact: true }).click();
  await screen.field('Instance').waitFor();
  assert.deepEqual(await shown(), expected('evolution'));
  await screen.field('Service').selectOption('cloud');
  await screen.field('App secret').waitFor();
  assert.deepEqual(await shown(), expected('cloud'));
  assert.ok(expected('cloud').filter(([, kind]) => kind === 'password').length > 1, 'several secrets');
});

test('what was typed for the other choice is not sent; what is wrong is said; what works is connected', async () => {
  await screen.field('Service').selectOption('evolution');
  await screen.field('Instance').fill('loja');
  await screen.field('API key').fill('typed, and then left');
  await screen.field('Service').selectOption('cloud');
  await screen.field('Server address').fill(cloud.url);
  await screen.field('Phone number ID').fill(NUMBER);
  await screen.field('WhatsApp Business account ID').fill(ACCOUNT);
  await screen.field('Access token').fill('EAAold');
  await screen.field('App secret').fill(SECRET);
  await screen.field('Name', { exact: true }).fill('Meta');
  await screen.button('Check and connect').click();
  await page.getByRole('alert').waitFor();
  assert.equal(await made('Meta'), undefined);
  await screen.field('Access token').fill(TOKEN);
  const token = await connected();
  const { config } = await made('Meta');
  assert.equal(config.backend, 'cloud');
  assert.equal(config.instance, undefined);
  assert.ok(![TOKEN, SECRET, 'typed, and then left'].some(secret => JSON.stringify(config).includes(secret)));
  assert.match((await tool(porteiro, token, 'wa_status')).text, /cloud: open/);
});

test('the first word of a choice is sent though nobody chose', async () => {
  await screen.go('connect');
  await screen.button('WhatsApp', { exact: true }).click();
  await screen.field('Server address').fill(evolution.url);
  await screen.field('Instance').fill('loja');
  await screen.field('API key').fill(KEY);
  await screen.field('Quiet hours').fill('22:00-08:00 -03:00');
  await screen.field('Name', { exact: true }).fill('Evo');
  const token = await connected();
  assert.equal((await made('Evo')).config.backend, 'evolution');
  assert.match((await tool(porteiro, token, 'wa_status')).text, /evolution: open/);
});

test('new access data: other fields with another choice, and what is emptied is empty', async () => {
  const { id } = await made('Evo');
  const dialog = page.getByRole('dialog').last();
  await screen.go(`connections/${id}`);
  await screen.button('New access data').click();
  assert.equal(await dialog.getByLabel('Quiet hours').inputValue(), '22:00-08:00 -03:00');
  assert.equal(await dialog.getByLabel('API key').inputValue(), '');
  await dialog.getByLabel('API key').fill(KEY);
  await dialog.getByLabel('Quiet hours').fill('');
  await dialog.getByRole('button', { name: 'Check and connect' }).click();
  const asked = page.getByRole('dialog', { name: 'Your password again' });
  await asked.or(page.locator('.toasts').getByText('Checked and kept')).first().waitFor();
  if (await asked.isVisible()) {
    await asked.getByLabel('Password').fill(PASSWORD);
    await asked.getByRole('button', { name: 'Continue' }).click();
  }
  await page.locator('.toasts').getByText('Checked and kept').first().waitFor();
  assert.ok(!(await made('Evo')).config.quiet_hours);

  await screen.button('New access data').click();
  await dialog.getByLabel('Service').selectOption('cloud');
  await dialog.getByLabel('Server address').fill(cloud.url);
  await dialog.getByLabel('Phone number ID').fill(NUMBER);
  await dialog.getByLabel('WhatsApp Business account ID').fill(ACCOUNT);
  await dialog.getByLabel('Access token').fill(TOKEN);
  await dialog.getByLabel('App secret').fill(SECRET);
  await dialog.getByRole('button', { name: 'Check and connect' }).click();
  await waitFor('the other service', async () => (await made('Evo')).config.backend === 'cloud');
  assert.equal((await made('Evo')).config.instance, undefined);
});

test('in Portuguese, too', async () => {
  await ana.ok('PATCH', '/api/me', { language: 'pt-BR' });
  const hers = await Screen.open(porteiro, ana, { language: 'pt-BR' });
  page = hers.page;
  await hers.go('connect');
  await hers.button('WhatsApp', { exact: true }).click();
  await hers.field('Instância').waitFor();
  assert.deepEqual(await shown(), expected('evolution', '_pt'));
  await hers.close();
  assert.deepEqual([...screen.complaints, ...hers.complaints].filter(text => !/ 4\d\d /.test(text)), []);
});
