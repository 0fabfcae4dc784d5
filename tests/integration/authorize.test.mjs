// Connecting by a click at the site: porteiro's own address, WordPress' authorize page with its real form, and back. The browser
// is played by fetch with a cookie jar.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person } from './lib/api.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Browser as Page } from './lib/pages.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { openSqlite } from './lib/sqlite.mjs';
import { rest } from './lib/wordpress.mjs';

const PASSWORD = 'correct horse battery staple';

// A browser at the site: keeps cookies, follows nothing by itself.
class Browser {
  jar = new Map();
  async go(url, form) {
    const answer = await fetch(url, { redirect: 'manual', method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form), headers: { cookie: [...this.jar].map(pair => pair.join('=')).join('; ') } });
    for (const cookie of answer.headers.getSetCookie()) this.jar.set(...cookie.split(';')[0].split(/=(.*)/).slice(0, 2));
    return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() };
  }
}

const fieldsOf = html => Object.fromEntries([...html.matchAll(/<input[^>]*>/g)].map(([input]) => [input.match(/name=["']([^"']*)/)?.[1], (input.match(/value=["']([^"']*)/)?.[1] ?? '').replaceAll('&amp;', '&').replaceAll('&#038;', '&')]).filter(([name]) => name));

for (const wp of ['new', 'old']) {
  describe(`authorize (WordPress ${wp})`, () => {
    const site = fixtures.sites[wp];
    let porteiro, ana, bia;

    before(async () => {
      porteiro = await (await Porteiro.create({ env: { PORTEIRO_REGISTRATION: 'open' } })).serve();
      [ana, bia] = [new Person(porteiro), new Person(porteiro)];
      await ana.ok('POST', '/api/auth/register', { name: 'Ana', email: 'ana@example.test', phone: '+5511999990001', password: PASSWORD });
      await bia.ok('POST', '/api/auth/register', { name: 'Bia', email: 'bia@example.test', phone: '+5511999990002', password: PASSWORD });
    });
    after(() => porteiro?.stop());

    const begin = (person, more = {}) => person.ok('POST', '/api/connections/authorize', { provider: 'wordpress', name: 'blog', config: { url: site.url }, rights: 'read,draft,publish', ...more });

    // At the site: log in, open the page, click one of its buttons. Where the browser is sent to.
    async function click(url, button) {
      const browser = new Browser();
      await browser.go(`${site.url}/wp-login.php`);
      await browser.go(`${site.url}/wp-login.php`, { log: 'editor', pwd: site.users.editor.password, testcookie: '1' });
      const page = await browser.go(url);
      assert.equal(page.status, 200, page.text.slice(0, 500));
      const form = page.text.match(/<form action="[^"]*authorize-application\.php[\s\S]*?<\/form>/)[0];
      const { approve, reject, ...fields } = fieldsOf(form);
      const answer = await browser.go(`${site.url}/wp-admin/authorize-application.php`, { ...fields, [button]: '1' });
      assert.equal(answer.status, 302, answer.text.slice(0, 500));
      return answer.location;
    }
    const comeBack = async (person, location) => {
      const { pathname, search } = new URL(location);
      return person.call('GET', pathname + search);
    };

    test('approved: a connection whose password nobody saw', async () => {
      const before = (await rest(site, `/wp/v2/users/${site.users.editor.id}/application-passwords`)).length;
      const { url } = await begin(ana);
      assert.ok(url.startsWith(`${site.url}/wp-admin/authorize-application.php?app_name=porteiro%3A%20blog%20`), url);
      const location = await click(url, 'approve');
      const password = new URL(location).searchParams.get('password');
      assert.ok(password.length >= 24);
      const back = await comeBack(ana, location);
      assert.equal(back.status, 303);
      assert.equal(back.headers.get('cache-control'), 'no-store');
      assert.equal(back.headers.get('referrer-policy'), 'no-referrer');
      const sentOn = back.headers.get('location');
      assert.ok(sentOn.startsWith('/connect/finish?token=') && !sentOn.includes(password));
      assert.equal((await comeBack(ana, location)).headers.get('location'), '/connect/finish?error=denied', 'good once');
      const token = new URLSearchParams(sentOn.split('?')[1]).get('token');
      assert.equal((await bia.call('POST', '/api/connections/finish', { token })).status, 403, 'for her only');
      const files = fs.readdirSync(porteiro.dir).map(name => path.join(porteiro.dir, name)).filter(file => fs.statSync(file).isFile());
      for (const file of [...files, porteiro.log]) assert.ok(!fs.readFileSync(file, 'latin1').includes(password), file);
      const made = await ana.ok('POST', '/api/connections/finish', { token });
      assert.equal(made.user, 'editor');
      assert.equal((await ana.call('POST', '/api/connections/finish', { token })).status, 403);
      const answer = await callTool(porteiro.url, made.token, 'wp_site');
      assert.ok(JSON.stringify(answer).includes('editor'));
      const passwords = await rest(site, `/wp/v2/users/${site.users.editor.id}/application-passwords`);
      assert.equal(passwords.length, before + 1);
      assert.ok(passwords.some(item => /^porteiro: blog \(\d{4}-\d\d-\d\d \d\d:\d\d\)$/.test(item.name)), JSON.stringify(passwords));
      for (const file of [...files, porteiro.log]) assert.ok(!fs.readFileSync(file, 'latin1').includes(password), file);
    });

    test('the browser ends at a page that shows the token, once, to the one who began', async () => {
      const { url } = await begin(ana, { name: 'by page' });
      const location = new URL(await click(url, 'approve'));
      const hers = new Page(porteiro.origin), his = new Page(porteiro.origin);
      hers.jar.set('porteiro', ana.cookie.split('=')[1]);
      his.jar.set('porteiro', bia.cookie.split('=')[1]);
      const back = await hers.request('GET', location.pathname + location.search);
      const finish = back.headers.get('location');
      const stranger = await new Page(porteiro.origin).open(finish);
      assert.deepEqual(stranger.trail, [`/login?next=${encodeURIComponent(finish)}`]);
      assert.equal((await his.open(finish)).status, 403);
      // Opening the address makes nothing, however often; only the form does, sent by her from this browser.
      const count = (await ana.ok('GET', '/api/connections')).items.length;
      const asked = await hers.open(finish);
      assert.equal(asked.status, 200, asked.text);
      assert.ok(asked.text.includes(site.url) && asked.text.includes('by page') && !asked.text.includes('prt_pat_'), asked.text);
      await hers.open(finish);
      const kept = new URLSearchParams(finish.split('?')[1]).get('token');
      const form = (token, headers) => hers.request('POST', '/connect/finish', { body: new URLSearchParams({ token }).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'null', 'sec-fetch-site': 'same-origin', ...headers } });
      assert.ok(!(await form(kept)).html.includes('prt_pat_'), 'without what binds a form to her session');
      assert.ok(!(await form(kept, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).html.includes('prt_pat_'), 'from a page of somebody else');
      assert.equal((await his.open(finish)).status, 403);
      assert.equal((await ana.ok('GET', '/api/connections')).items.length, count);
      const done = await hers.submit(asked, {});
      assert.equal(done.status, 200, done.text);
      const token = done.text.match(/prt_pat_\w+/)[0];
      assert.match(done.text, new RegExp(`${porteiro.origin}/mcp`));
      assert.ok(done.tags.some(tag => /^\/#\/connections\/\d+\/clients$/.test(tag.href)));
      assert.ok(!done.text.includes(location.searchParams.get('password')));
      assert.ok((await callTool(porteiro.url, token, 'wp_site')).text.includes('editor'));
      // Sent again, as by a second press of the button: what is connected is not said not to be.
      const twice = await hers.submit(asked, {});
      assert.equal(twice.status, 403);
      assert.match(twice.text, /Is it connected\?[^]*sent already/);
      assert.ok(twice.tags.some(tag => tag.href === '/#/connections'), twice.html);
      const again = await hers.open(finish);
      assert.equal(again.status, 403);
      assert.ok(!again.html.includes('prt_pat_'));
      assert.match(again.text, /Is it connected\?/, 'as by going back');
      const refused = await hers.open('/connect/finish?error=denied');
      assert.equal(refused.status, 403);
      assert.match(refused.text, /Nothing was connected/);
    });

    test('a name that is taken is told before anybody is sent there', async () => {
      for (const [name, status] of [['blog', 409], [' blog ', 409], ['x'.repeat(121), 400]]) {
        const answer = await ana.call('POST', '/api/connections/authorize', { provider: 'wordpress', name, config: { url: site.url } });
        assert.equal(answer.status, status, answer.text);
      }
      await begin(bia);
    });

    test('refused: nothing is connected', async () => {
      const count = (await ana.ok('GET', '/api/connections')).items.length;
      const back = await comeBack(ana, await click((await begin(ana, { name: 'other' })).url, 'reject'));
      assert.equal(back.headers.get('location'), '/connect/finish?error=denied');
      assert.equal((await ana.ok('GET', '/api/connections')).items.length, count);
    });

    test('what was not finished in its time does not stay', async () => {
      const file = openSqlite(path.join(porteiro.dir, 'porteiro.db'));
      try {
        await comeBack(ana, await click((await begin(ana, { name: 'abandoned' })).url, 'approve'));
        assert.equal(file.prepare("SELECT count(*) AS n FROM mcp_proofs WHERE kind = 'authorized'").get().n, 1);
        file.exec("UPDATE mcp_proofs SET expires_at = '2026-01-01 00:00:00.000' WHERE kind IN ('authorize', 'authorized')");
        await begin(ana, { name: 'another' });
        const left = file.prepare("SELECT kind FROM mcp_proofs WHERE kind IN ('authorize', 'authorized')").all();
        assert.deepEqual(left.map(({ kind }) => kind), ['authorize']);
      } finally {
        file.close();
      }
    });

    test("somebody else's browser, none at all, and made-up states", async () => {
      const { url } = await begin(ana, { name: 'third' });
      const location = new URL(new URL(url).searchParams.get('success_url'));
      for (const [name, value] of Object.entries({ site_url: site.url, user_login: 'editor', password: 'x'.repeat(24) })) location.searchParams.set(name, value);
      assert.equal((await comeBack(bia, location.href)).headers.get('location'), '/connect/finish?error=denied');
      assert.equal((await comeBack(new Person(porteiro), location.href)).headers.get('location'), '/connect/finish?error=unauthenticated');
      location.searchParams.set('state', 'prt_lnk_made_up');
      assert.equal((await comeBack(ana, location.href)).headers.get('location'), '/connect/finish?error=denied');
    });

    test('what is no WordPress is told before anybody is sent there', async () => {
      const answer = await ana.call('POST', '/api/connections/authorize', { provider: 'wordpress', name: 'x', config: { url: `${porteiro.origin}/` } });
      assert.equal(answer.status, 422, answer.text);
    });
  });
}
