// The whole path of somebody without a terminal: from the set-up address to a tool call by a real MCP client at a real WordPress, in
// a browser, by clicks that are counted.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { connectSdk1 } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { PASSWORD, Screen, closeBrowser } from './browser.mjs';

const CLICKS_MAX = 12;

for (const [wp, language] of [['new', 'en-US'], ['old', 'pt-BR']]) {
  describe(`from the set-up address to the first call (WordPress ${wp}, ${language})`, () => {
    const site = fixtures.sites[wp];
    const english = language === 'en-US';
    const word = (en, pt) => (english ? en : pt);
    let porteiro, screen;

    before(async () => {
      porteiro = await (await Porteiro.create()).serve();
      screen = await Screen.open(porteiro, null, { language });
    });
    after(async () => {
      await screen?.close();
      await closeBrowser();
      await porteiro?.stop();
    });

    test(`in at most ${CLICKS_MAX} clicks, with the site's own authorize page`, { timeout: 120_000 }, async () => {
      const { page } = screen;
      const { link } = await porteiro.json(['setup-url']);
      await page.goto(link);
      await page.locator('[name=name]').fill('Ana');
      await page.locator('[name=email]').fill('ana@example.test');
      await page.locator('[name=phone]').fill('+55 11 91234-5678');
      await page.locator('[name=password]').fill(PASSWORD);
      await screen.click(page.locator('main form button').first());

      await page.waitForURL(`${porteiro.origin}/`);
      await screen.settled();
      assert.equal(await page.locator('html').getAttribute('lang'), word('en', 'pt-BR'));
      await screen.click(screen.link(word('Connect a site', 'Conectar um site')).first());
      await screen.field(word('Site address', 'Endereço do site')).fill(site.url);
      await screen.click(screen.button(word('Authorize in WordPress', 'Autorizar no WordPress')));

      await page.waitForURL(`${site.url}/wp-login.php**`);
      await page.locator('#user_login').fill('editor');
      await page.locator('#user_pass').fill(site.users.editor.password);
      await screen.click(page.locator('#wp-submit'));
      await page.waitForURL(`${site.url}/wp-admin/authorize-application.php**`);
      await screen.click(page.locator('#approve'));

      await page.waitForURL(`${porteiro.origin}/connect/finish**`);
      await screen.click(screen.button(word('Connect', 'Conectar'), { exact: true }));
      await screen.click(page.locator('main a[href*="#/connections/"]'));
      await screen.settled();
      if (!page.url().includes('/clients')) await screen.click(screen.link(word('Connect a client', 'Conectar um cliente')));
      await screen.click(screen.button('Claude Code'));
      await screen.click(screen.button(word('Make a token for this client', 'Criar um token para este cliente')));
      await page.locator('main code.secret', { hasText: /^claude mcp add .*prt_pat_\w/ }).waitFor(); // until it is made, the line stands there with a placeholder
      const copy = page.getByRole('button', { name: word('Copy: Run in a terminal', 'Copiar: Execute em um terminal') });
      await screen.click(copy.first());
      await page.getByText(word('Copied', 'Copiado'), { exact: true }).first().waitFor();
      const line = await page.evaluate(() => navigator.clipboard.readText());
      const [, url, token] = line.match(/^claude mcp add --transport http \S+ (\S+) --header "Authorization: Bearer (prt_pat_\w+)"$/);
      assert.equal(url, porteiro.url);
      await page.getByText(word('Waiting for the first call', 'Esperando a primeira chamada')).waitFor();

      const client = await connectSdk1(url, token);
      const answer = await client.callTool({ name: 'wp_site', arguments: {} });
      assert.ok(JSON.stringify(answer).includes('editor'), JSON.stringify(answer));
      await client.close();
      await page.locator('.note.good').getByText(word('Connected', 'Conectado')).waitFor();

      console.log(`${screen.clicks} clicks`);
      assert.ok(screen.clicks <= CLICKS_MAX, `${screen.clicks} clicks`);
      // what WordPress' own pages lack (a portrait from the internet) is not ours
      assert.deepEqual(screen.complaints.filter(text => text.includes(porteiro.origin) || text.startsWith('page:')), []);
      assert.equal((await porteiro.json(['connection', 'list'])).items.length, 1);
    });
  });
}
