// Every screen in both languages, both themes, wide and narrow: nothing for axe-core to object to, nothing for the browser to complain
// about, nothing wider than the window, nothing left in the other language. Then by keyboard alone, and with hostile texts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { ROOT } from '../integration/lib/process.mjs';
import { Flow } from '../oauth/flow.mjs';
import { Screen, administrator, closeBrowser, connect, invite, waitFor } from './browser.mjs';
import { HOSTILE } from './hostile.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const site = fixtures.sites.new;
let porteiro, ana, blog, paused, consent;

before(async () => {
  porteiro = await (await Porteiro.create()).serve();
  ana = await administrator(porteiro);
  blog = await connect(ana, site, 'Blog', { rights: 'read,draft,publish' });
  paused = await connect(ana, site, 'Shop');
  await ana.ok('POST', `/api/connections/${paused.id}/pause`);
  await invite(porteiro, ana, { name: 'Bia', email: 'bia@example.test', phone: '+5511999990002' });
  await ana.ok('POST', '/api/invitations', { email: 'carla@example.test' });
  await ana.ok('POST', '/api/me/api-tokens', { name: 'script' });
  const { token } = await ana.ok('POST', `/api/connections/${blog.id}/tokens`, { name: 'careful', rights: 'read,draft,publish', confirm: 'human' });
  await callTool(porteiro.url, token, 'wp_create', { type: 'post', title: 'Waits', content: 'Hello', status: 'publish' });
  await callTool(porteiro.url, blog.token, 'wp_create', { type: 'post', title: 'A draft', content: 'Hello' });
  await callTool(porteiro.url, blog.token, 'wp_read', { id: '99999999' });
  const flow = new Flow(porteiro);
  await flow.login(await flow.person(), await flow.dynamic(), { choice: { tick: { [`connection_${blog.id}`]: true } } });
  consent = flow.address(await flow.dynamic());
});
after(async () => {
  await closeBrowser();
  await porteiro?.stop();
});

const screens = () => ['', 'connect', 'connections', `connections/${blog.id}`, `connections/${blog.id}/clients?client=claude-code`,
  'approvals', 'activity', 'usage', 'apps', 'account', 'admin', 'nowhere'];

async function objections(page) {
  // Function, not a script element: the policy forbids those.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).slice(0, 3).join(' ')}`);
}
const overflow = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe('every screen, in both languages and themes, at 320 and 1280 pixels', async () => {
  const [en, pt] = await Promise.all(['en', 'pt'].map(name => import(path.join(ROOT, 'dashboard/src/i18n', `${name}.ts`)).then(module => module.default)));
  // Sentences of the other language that could not stand there by chance.
  const foreign = (own, other) => Object.keys(en).filter(key => own[key] !== other[key]).map(key => other[key]).filter(text => text.length > 9 && text.includes(' ') && !/[{|]/.test(text) && !Object.values(own).some(text2 => text2.includes(text)));

  for (const language of ['en', 'pt-BR']) for (const theme of ['light', 'dark']) for (const width of [320, 1280]) {
    test(`${language}, ${theme}, ${width}`, { timeout: 180_000 }, async () => {
      await ana.ok('PATCH', '/api/me', { language });
      const screen = await Screen.open(porteiro, ana, { width, theme, language });
      const others = language === 'en' ? foreign(en, pt) : foreign(pt, en);
      const wrong = [];
      for (const where of screens()) {
        await screen.go(where);
        const text = await screen.page.locator('body').innerText();
        wrong.push(...(await objections(screen.page)).map(found => `${where}: ${found}`));
        wrong.push(...others.filter(other => text.includes(other)).map(found => `${where}: not translated: ${found}`));
        if (await overflow(screen.page)) wrong.push(`${where}: wider than the window`);
        assert.equal(await screen.page.locator('html').getAttribute('lang'), language);
        assert.ok((await screen.page.title()).endsWith('· porteiro'), where);
      }
      assert.deepEqual([...wrong, ...screen.complaints], []);
      await screen.close();
    });
  }

  for (const language of ['en', 'pt-BR']) {
    test(`pages without scripts: logging in, a forgotten password, consent, nothing there (${language})`, { timeout: 90_000 }, async () => {
      await ana.ok('PATCH', '/api/me', { language });
      const wrong = [];
      for (const theme of ['light', 'dark']) for (const width of [320, 1280]) {
        for (const [person, ...paths] of [[null, '/login', '/reset', '/nothing-there'], [ana, consent]]) {
          // axe-core is a script, which these pages forbid
          const screen = await Screen.open(porteiro, person, { width, theme, language, bypassCSP: true });
          const { page } = screen;
          for (const path of paths) {
            await page.goto(porteiro.origin + path);
            assert.equal(await page.locator('html').getAttribute('lang'), language, path);
            wrong.push(...(await objections(page)).map(found => `${path}: ${theme} ${width}: ${found}`));
            if (await overflow(page)) wrong.push(`${path}: wider than the window`);
          }
          wrong.push(...screen.complaints.filter(text => !/status of 404/.test(text)));
          await screen.close();
        }
      }
      assert.deepEqual(wrong, []);
    });
  }

  test('dialogs, too', { timeout: 60_000 }, async () => {
    await ana.ok('PATCH', '/api/me', { language: 'en' });
    for (const width of [320, 1280]) {
      const screen = await Screen.open(porteiro, ana, { width });
      for (const [where, button] of [[`connections/${blog.id}`, 'New token'], [`connections/${blog.id}`, 'New access data'], [`connections/${blog.id}`, 'End for good'], ['account', 'Turn on'], ['account', 'Delete my account']]) {
        await screen.go(where);
        await screen.button(button, { exact: true }).click();
        await screen.page.getByRole('dialog').waitFor();
        assert.deepEqual(await objections(screen.page), [], `${where}: ${button}`);
        assert.equal(await overflow(screen.page), 0);
        await screen.page.keyboard.press('Escape');
        await screen.page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      assert.deepEqual(screen.complaints, []);
      await screen.close();
    }
  });
});

describe('by keyboard alone', () => {
  for (const width of [320, 1280]) {
    test(`at ${width} pixels: every stop is seen; a connection is renamed`, { timeout: 90_000 }, async () => {
      await ana.ok('PATCH', '/api/me', { language: 'en' });
      const screen = await Screen.open(porteiro, ana, { width });
      const { page } = screen;
      const focus = () => page.evaluate(() => {
        const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
        return { text: (element.getAttribute('aria-label') ?? element.innerText ?? '').trim(), tag: element.tagName, seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth, ring: style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0 };
      });
      // Tab until it is there; every stop on the way is visible and marked.
      const tabTo = async (text, limit = 80) => {
        for (let i = 0; i < limit; i++) {
          await page.keyboard.press('Tab');
          const at = await focus();
          if (at.tag === 'BODY') continue;
          assert.ok(at.seen, `${at.tag} "${at.text}" cannot be seen`);
          assert.ok(at.ring, `${at.tag} "${at.text}" is not marked`);
          if (at.text.startsWith(text)) return;
        }
        assert.fail(`no way to "${text}"`);
      };
      await screen.go('');
      await page.keyboard.press('Tab');
      assert.equal((await focus()).text, 'Skip to the content');
      await page.keyboard.press('Enter');
      assert.equal((await focus()).tag, 'H1');
      await page.reload();
      await screen.settled();
      if (width === 320) {
        await tabTo('Menu');
        await page.keyboard.press('Enter');
      }
      await tabTo('Connections');
      await page.keyboard.press('Enter');
      await screen.settled();
      await waitFor('the heading to have the focus', async () => (await focus()).text === 'Connections' && (await focus()).tag === 'H1');
      const name = `By keyboard ${width}`;
      await tabTo(width === 320 ? 'Blog' : 'By keyboard 320');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: width === 320 ? 'Blog' : 'By keyboard 320' }).waitFor();
      await tabTo('Rename');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)));
      await page.keyboard.press('Escape');
      await waitFor('the focus to be back where it came from', async () => (await focus()).text === 'Rename');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByLabel('Name').focus();
      await page.keyboard.press('Control+A');
      await page.keyboard.type(name);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name }).waitFor();
      assert.ok((await porteiro.json(['connection', 'list'])).items.some(item => item.name === name));
      assert.deepEqual(screen.complaints, []);
      await screen.close();
    });
  }
});

describe('hostile texts', () => {
  test(`stay texts: ${HOSTILE.length} of them, in every field that shows what others wrote`, { timeout: 120_000 }, async () => {
    const db = openSqlite(fs.readdirSync(porteiro.dir).filter(name => name.endsWith('.db')).map(name => path.join(porteiro.dir, name))[0]);
    const at = i => HOSTILE[i % HOSTILE.length];
    let next = 0, count = 0;
    const take = () => (count++, at(next++));
    // as long as every name may be, in bytes
    const short = text => Buffer.from(text).subarray(0, 100).toString().replace(/\ufffd+$/, '');
    const shown = { home: [], connections: [], connection: [], approvals: [], account: [], admin: [], usage: [] };
    const remember = (where, text) => (shown[where].push(text), text);

    const user = db.prepare('SELECT id FROM mcp_users WHERE email = ?').get('ana@example.test').id;
    const approvalColumns = db.prepare('SELECT * FROM mcp_confirmations LIMIT 1').get();
    const insertRow = (table, row) => db.prepare(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row).map(() => '?').join(', ')})`).run(...Object.values(row));
    for (let i = 0; i < 50; i++) {
      const { id, ...row } = approvalColumns;
      insertRow('mcp_confirmations', { ...row, id: `hostile${i}`, digest: `hostile${i}`, ...('proof' in row && { proof: null }), tool: remember('approvals', take()), what: remember('approvals', take()), state: 'pending', user_id: user });
    }
    for (let i = 0; i < 30; i++) await ana.ok('POST', `/api/connections/${blog.id}/tokens`, { name: remember('connection', short(take())) });
    for (let i = 0; i < 15; i++) await ana.ok('POST', '/api/me/api-tokens', { name: remember('account', short(take())) });
    db.prepare('UPDATE mcp_service_connections SET name = ? WHERE id = ?').run(remember('connections', short(take())), blog.id);
    db.prepare('UPDATE mcp_service_connections SET name = ? WHERE id = ?').run(remember('connections', short(take())), paused.id);
    for (const column of ['site_name', 'site_version', 'site_user', 'site_role']) db.prepare(`UPDATE mcp_connection_checks SET ${column} = ? WHERE connection_id = ?`).run(remember('connection', take()), blog.id);
    db.prepare('UPDATE mcp_connection_checks SET ok = ?, error_code = ?, error_text = ? WHERE connection_id = ?').run(0, '<b>code</b>', remember('connection', take()), blog.id);
    db.prepare('UPDATE mcp_users SET name = ? WHERE email = ?').run(remember('admin', short(take())), 'bia@example.test');
    db.prepare("UPDATE mcp_service_providers SET name = ? WHERE key = 'wordpress'").run(remember('admin', short(take())));
    for (let i = 0; i < 20; i++) await callTool(porteiro.url, blog.token, 'wp_find', { type: 'post', q: take() });
    db.close();
    assert.ok(count >= HOSTILE.length, `${count}`);
    await waitFor('the calls to be in the log', async () => (await ana.ok('GET', '/api/audit?action=tool.wp_find')).items.length >= 20);

    const screen = await Screen.open(porteiro, ana, { width: 320 });
    const { page } = screen;
    const harmless = async where => {
      const found = await page.evaluate(() => ({ hit: window.__hit ?? null, foreign: document.querySelectorAll('main :is(script, iframe, object, embed, style, link, base, img, math, marquee, b[onclick], [onerror], [onload], [onclick], [style])').length, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth }));
      assert.deepEqual(found, { hit: null, foreign: 0, wide: 0 }, where);
    };
    const squeeze = text => text.replace(/\s+/g, ' ').trim();
    for (const [where, hash] of Object.entries({ home: '', connections: 'connections', connection: `connections/${blog.id}`, approvals: 'approvals', account: 'account', admin: 'admin', usage: 'usage' })) {
      await screen.go(hash);
      await harmless(where);
      const text = squeeze(await page.locator('main').evaluate(main => main.textContent));
      for (const one of shown[where]) assert.ok(text.includes(squeeze(one)), `${where}: ${JSON.stringify(one)} is not shown as it is`);
    }
    await screen.go('activity?action=tool.');
    for (let i = 0; i < 5; i++) {
      await page.locator('tbody th button').nth(i).click();
      await page.getByRole('dialog').waitFor();
      await harmless('activity');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    for (const text of ['#/connections/<script>', '#/%E0%A4%A', '#/__proto__', '#/constructor', `#/connections/${blog.id}/clients?client=<img src=x onerror=window.__hit=1>`, '#/activity?action="><svg onload=window.__hit=1>', '#/usage?days=-1']) {
      await page.evaluate(hash => { location.hash = hash; }, text);
      await page.waitForTimeout(100);
      await harmless(text);
    }
    const refused = /status of (400|404)/; // of addresses that name nothing
    assert.deepEqual(screen.complaints.filter(text => !refused.test(text)), []);
    await screen.close();
  });
});
