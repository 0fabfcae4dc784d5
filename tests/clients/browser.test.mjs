// Logging in from a client by a real browser (Debian's Chromium): MCP Inspector's own OAuth login, from its command line to a call. The
// person logs in and agrees by hand in the browser, and the browser itself goes back to the Inspector. Then what a page of somebody else
// can make of the page that asks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PASSWORD, Screen, closeBrowser } from '../dashboard/browser.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { temporaryDirectory, waitFor } from '../integration/lib/process.mjs';
import { Flow, REDIRECT } from '../oauth/flow.mjs';

describe('logging in by a real browser', () => {
  let porteiro, flow, screen, home;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    await porteiro.addConnection(fixtures.sites.new);
    flow = new Flow(porteiro);
    home = temporaryDirectory('inspector');
    screen = await Screen.open(porteiro);
  });
  after(async () => {
    await screen?.close();
    await closeBrowser();
    await porteiro?.stop();
  });

  // Its command line: {said(), ended}. `true` is what it may open a browser with, for ours is driven from here.
  async function inspect(...args) {
    const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'node_modules/.bin/mcp-inspector'), '--cli', porteiro.url, '--callback-url', callback, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: home, BROWSER: 'true', MCP_INSPECTOR_SECRET_STORE: 'file', MCP_AUTO_OPEN_ENABLED: 'true', PATH: `${home}:${path.dirname(process.execPath)}:/bin` },
    });
    let out = '', said = '';
    child.stdout.on('data', chunk => (out += chunk));
    child.stderr.on('data', chunk => (said += chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const ended = once(child, 'close').then(([code]) => (clearTimeout(timer), { code, out, said }));
    return { said: () => said + out, ended };
  }

  test('MCP Inspector: from the address of the server to a call, nothing pasted', { timeout: 150_000 }, async t => {
    const inspector = await inspect('--method', 'tools/list');
    const address = await waitFor('the Inspector to say where to go', () => inspector.said().match(/https?:\/\/[^\s"]*code_challenge=[^\s"]*/)?.[0], 60_000, 100);
    const { page } = screen;
    await page.goto(address);
    await screen.field('E-mail or phone').fill('ana@example.test');
    await screen.field('Password').fill(PASSWORD);
    await screen.click(screen.button('Log in'));
    await page.waitForURL(/\/oauth\/authorize/);
    const shown = await page.locator('main').innerText();
    t.diagnostic(`consent page: ${shown.replace(/\s+/g, ' ').slice(0, 300)}`);
    assert.match(shown, /Inspector/i, 'the app is named');
    assert.match(shown, /127\.0\.0\.1/, 'and where the browser goes next');
    assert.match(shown, /on the computer you are using/i, 'with a warning: it waits on the person\'s own computer');
    await screen.click(screen.button('Let it in'));
    await page.waitForURL(/\/oauth\/callback\?/).catch(async error => assert.fail(`${error.message}: ${await page.locator('body').innerText()} ${screen.complaints}`));
    const { code, out, said } = await inspector.ended;
    assert.equal(code, 0, `${said} ${page.url()} ${await page.locator('body').innerText()}`);
    assert.ok(JSON.parse(out).tools.length >= 8, out);
    // But for the icon of the Inspector's own page, which is gone by then.
    assert.deepEqual(screen.complaints.filter(text => !text.includes('/favicon.ico')), [], 'the browser objected to nothing, the way back to the Inspector included');

    // Its next start has its tokens: nobody is asked.
    const again = await (await inspect('--method', 'tools/call', '--tool-name', 'wp_find', '--tool-arg', 'type=post')).ended;
    assert.equal(again.code, 0, again.said);
    assert.match(again.out, /Hello world/i);
  });

  test('an app that was let in before gets its code right behind the login, without the page', { timeout: 60_000 }, async () => {
    // Nobody is at its address here; that the browser goes there is what counts. Browsers hold it against the policy of the login page.
    const fresh = await Screen.open(porteiro), asked = [];
    fresh.page.on('request', request => asked.push(request.url()));
    try {
      const { client_id } = await porteiro.json(['oauth-client', 'add', '--name', 'House app', '--redirect', REDIRECT, '--public']);
      await flow.login(await flow.person(), client_id);
      await fresh.page.goto(`${porteiro.origin}${flow.address(client_id)}`);
      await fresh.field('E-mail or phone').fill('ana@example.test');
      await fresh.field('Password').fill(PASSWORD);
      await fresh.click(fresh.button('Log in'));
      await waitFor('the browser to go back to the app', () => asked.some(url => url.startsWith(`${REDIRECT}?code=`)), 20_000, 100).catch(error => assert.fail(`${error.message}: at ${fresh.page.url()}, ${fresh.complaints}`));
    } finally {
      await fresh.close();
    }
  });

  test('the page that asks cannot be framed, nor its form sent by another page', { timeout: 60_000 }, async () => {
    const { page } = screen; // logged in by now
    const address = `${porteiro.origin}${flow.address(await flow.dynamic())}`;
    await page.goto(address);
    const form = await page.evaluate(() => [...new FormData(document.querySelector('form')).entries()]);
    const evil = http.createServer((request, response) => {
      const fields = form.map(([name, value]) => `<input type=hidden name="${name}" value="${value.replaceAll('"', '&quot;')}">`).join('');
      response.setHeader('content-type', 'text/html').end(request.url === '/frame' ? `<iframe src="${address.replaceAll('&', '&amp;')}"></iframe>`
        : `<form method=post action="${porteiro.origin}/oauth/authorize">${fields}<button name=decision value=allow>Win</button></form>`);
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
    try {
      const elsewhere = `http://localhost:${evil.address().port}`; // another site than 127.0.0.1
      await page.goto(`${elsewhere}/frame`);
      await waitFor('the browser to refuse the frame', () => screen.complaints.some(text => /frame-ancestors|X-Frame-Options/i.test(text)), 20_000, 100);
      await page.goto(elsewhere);
      await page.getByRole('button', { name: 'Win' }).click();
      await page.waitForLoadState();
      assert.ok(page.url().startsWith(porteiro.origin), `no code went anywhere: ${page.url()}`);
      assert.doesNotMatch(page.url(), /[?&]code=/);
    } finally {
      evil.closeAllConnections();
      evil.close();
    }
  });
});
