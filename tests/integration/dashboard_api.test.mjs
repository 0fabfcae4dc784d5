// What the dashboard asks the API for: changes and taking them back, how fast tools are, and the stream that says what is new.
import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { Person } from './lib/api.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { callTool, legacy } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { mustRun, waitFor } from './lib/process.mjs';

const PASSWORD = 'correct horse battery staple';

const execute = (porteiro, sql) => porteiro.database ? mustRun('psql', ['-qX', porteiro.database.url, '-c', sql]) : new DatabaseSync(path.join(porteiro.dir, 'porteiro.db')).exec(sql);

// An open stream, as a browser's EventSource reads it.
class Events {
  kinds = [];
  ended = false;
  static async open(person, headers = {}) {
    const self = new Events();
    self.abort = new AbortController();
    const answer = await fetch(`${person.porteiro.origin}/api/events`, { headers: { accept: 'text/event-stream', cookie: person.cookie, ...headers }, signal: self.abort.signal });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    self.done = (async () => {
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of answer.body) {
        text += decoder.decode(chunk);
        self.kinds = [...text.matchAll(/^event: (\w+)\ndata: \{\}\n\n/gm)].map(match => match[1]);
      }
      self.ended = true;
    })().catch(() => (self.ended = true));
    return self;
  }
  close() {
    this.abort.abort();
    return this.done;
  }
}

for (const database of ['sqlite', 'postgres']) {
  describe(`what the dashboard asks for (${database})`, () => {
    const site = fixtures.sites.new;
    let porteiro, ana, bia, connection;

    before(async () => {
      porteiro = await (await Porteiro.create({ database: database === 'sqlite' ? 'sqlite' : fixtures.postgres.port, env: { PORTEIRO_REGISTRATION: 'open', ...(database === 'postgres' && { PORTEIRO_WORKERS: '2' }) } })).serve();
      [ana, bia] = [new Person(porteiro), new Person(porteiro)];
      await ana.ok('POST', '/api/auth/register', { name: 'Ana', email: 'ana@example.test', phone: '+5511999990001', password: PASSWORD });
      await bia.ok('POST', '/api/auth/register', { name: 'Bia', email: 'bia@example.test', phone: '+5511999990002', password: PASSWORD });
      connection = await ana.ok('POST', '/api/connections', { provider: 'wordpress', name: 'blog', config: { url: site.url }, rights: 'read,draft,publish',
        secrets: { username: 'editor', app_password: site.users.editor.app_password } });
    });
    after(() => porteiro?.stop());

    const changes = () => `/api/connections/${connection.id}/changes`;
    const tool = (name, args) => callTool(porteiro.url, connection.token, name, args);
    const textOf = answer => JSON.stringify(answer);
    async function makePost(title) {
      const { isError, text } = await tool('wp_create', { type: 'post', title, content: 'One.' });
      assert.ok(!isError, text);
      return (await ana.ok('GET', `${changes()}?limit=1`)).items[0].what.match(/^create post (\d+)/)[1];
    }
    async function edit(id, title) {
      const { isError, text } = await tool('wp_edit', { type: 'post', id, set: { title } });
      assert.ok(!isError, text);
    }

    test('a change is shown with its differences, taken back once, and only by its owner', async () => {
      const id = await makePost('Before & x');
      await edit(id, 'After y');
      const { items } = await ana.ok('GET', changes());
      const [edited, created] = items;
      assert.match(edited.what, /^edit post \d+ "Before & .*": title$/);
      assert.match(created.what, /^create post/);
      assert.deepEqual([edited.state, edited.undo, edited.undone_by], ['done', true, null]);
      const shown = await ana.ok('GET', `${changes()}/${edited.number}`);
      assert.match(shown.difference, /Before & .*After y/s);
      for (const who of [bia, new Person(porteiro)]) {
        const status = who === bia ? 404 : 401;
        assert.equal((await who.call('GET', changes())).status, status);
        assert.equal((await who.call('GET', `${changes()}/${edited.number}`)).status, status);
        assert.equal((await who.call('POST', `${changes()}/${edited.number}/undo`)).status, status);
      }
      const undone = await ana.ok('POST', `${changes()}/${edited.number}/undo`);
      assert.ok(undone.text.length > 0);
      assert.match(textOf(await tool('wp_read', { type: 'post', id })), /Before/);
      const now = await ana.ok('GET', `${changes()}/${edited.number}`);
      assert.ok(now.undone_by > edited.number && !now.undo);
      const again = await ana.call('POST', `${changes()}/${edited.number}/undo`);
      assert.ok([403, 409].includes(again.status), again.text);
      assert.equal((await ana.call('GET', `${changes()}/999`)).status, 404);
      assert.equal((await ana.call('GET', `${changes()}/x`)).status, 404);
      const page = await ana.ok('GET', `${changes()}?limit=1`);
      assert.equal(page.items.length, 1);
      assert.equal((await ana.ok('GET', `${changes()}?limit=1&below=${page.next_below}`)).items[0].number, page.next_below - 1);
      const { items: events } = await ana.ok('GET', `/api/audit?connection=${connection.id}&action=tool.wp_edit`);
      assert.ok(events.some(event => event.token_id === null && event.data.outcome === 'ok'), 'it is in the log, without a token');
    });

    test('what moved on meanwhile is not taken back', async () => {
      const id = await makePost('Moving');
      await edit(id, 'Moved');
      const [{ number }] = (await ana.ok('GET', changes())).items;
      await edit(id, 'Moved on');
      assert.equal((await ana.call('POST', `${changes()}/${number}/undo`)).status, 409);
    });

    test('a token is replaced by a newer one; the old one goes on for as long as was said', async () => {
      const works = async token => (await legacy(porteiro.url, token, 'tools/list')).status === 200;
      const second = await ana.ok('POST', '/api/connections', { provider: 'wordpress', name: 'second', config: { url: fixtures.sites.old.url },
        secrets: { username: 'editor', app_password: fixtures.sites.old.users.editor.app_password } });
      const made = await ana.ok('POST', `/api/connections/${connection.id}/tokens`, { name: 'laptop', rights: 'read,publish', confirm: 'model', expires: '30d', sites: [{ connection_id: second.id, rights: 'read' }] });
      for (const who of [bia, new Person(porteiro)]) assert.ok([401, 404].includes((await who.call('POST', `/api/tokens/${made.id}/rotate`, {})).status));
      assert.equal((await ana.call('POST', `/api/tokens/${made.id}/rotate`, { overlap: '8d' })).status, 400);
      for (const overlap of ['never', 'none']) assert.equal((await ana.call('POST', `/api/tokens/${made.id}/rotate`, { overlap })).status, 400, 'and not "at once"');
      const newer = await ana.ok('POST', `/api/tokens/${made.id}/rotate`, { overlap: '24h' });
      assert.deepEqual([await works(made.token), await works(newer.token)], [true, true], 'both, for a day');
      const twice = await ana.call('POST', `/api/tokens/${made.id}/rotate`, { overlap: '1h' });
      assert.equal(twice.status, 409, twice.text);
      assert.match(twice.json.error.message, /replaced already/);
      assert.equal((await ana.call('POST', `/api/tokens/${made.id}/rotate`, {})).status, 409, 'not at once either');
      const list = (await ana.ok('GET', `/api/connections/${connection.id}/tokens`)).items;
      const [a, b] = [newer.id, made.id].map(id => list.find(item => item.id === id));
      assert.deepEqual([a.name, a.rights, a.confirm, a.sites, a.state], [b.name, b.rights, b.confirm, b.sites, b.state]);
      assert.equal(a.sites.length, 2);
      const days = text => (new Date(text) - Date.now()) / 86_400_000;
      assert.ok(Math.abs(days(a.expires_at) - 30) < 0.1 && Math.abs(days(b.expires_at) - 1) < 0.1, JSON.stringify([a, b]));
      const last = await ana.ok('POST', `/api/tokens/${newer.id}/rotate`, {});
      assert.deepEqual([await works(newer.token), await works(last.token)], [false, true], 'at once');
      assert.equal((await ana.call('POST', `/api/tokens/${newer.id}/rotate`, {})).status, 409);
      const primary = list.find(item => item.primary);
      const next = await ana.ok('POST', `/api/tokens/${primary.id}/rotate`, { overlap: '1h' });
      assert.equal((await ana.ok('GET', `/api/connections/${connection.id}`)).token_last4, next.last4);
      assert.deepEqual([await works(connection.token), await works(next.token)], [true, true]);
      connection.token = next.token;
      assert.ok((await ana.ok('GET', '/api/audit?action=tokens.rotate')).items.length === 3);
    });

    test('a connection is made, and its token shown, also where what was found at the site cannot be kept', async () => {
      const [no, yes] = porteiro.database
        ? ['ALTER TABLE mcp_connection_checks ADD CONSTRAINT kept CHECK (false) NOT VALID', 'ALTER TABLE mcp_connection_checks DROP CONSTRAINT kept']
        : ["CREATE TRIGGER kept BEFORE INSERT ON mcp_connection_checks BEGIN SELECT RAISE(ABORT, 'no'); END", 'DROP TRIGGER kept'];
      const secrets = { username: 'editor', app_password: site.users.editor.app_password };
      await execute(porteiro, no);
      try {
        const made = await ana.ok('POST', '/api/connections', { provider: 'wordpress', name: 'unlooked', config: { url: site.url }, secrets });
        assert.equal((await legacy(porteiro.url, made.token, 'tools/list')).status, 200);
        assert.equal((await ana.ok('PATCH', `/api/connections/${made.id}`, { config: { url: site.url }, secrets })).check, null);
        await ana.ok('DELETE', `/api/connections/${made.id}`);
      } finally {
        await execute(porteiro, yes);
      }
    });

    test('a browser that gave its password long ago is asked for it before it gets a token; a program is not', async () => {
      const person = new Person(porteiro);
      await person.login('ana@example.test', PASSWORD);
      const { id } = await person.ok('POST', `/api/connections/${connection.id}/tokens`, { name: 'just logged in' });
      const program = new Person(porteiro, { bearer: (await person.ok('POST', '/api/me/api-tokens', { name: 'program' })).token });
      const session = (await person.ok('GET', '/api/me/sessions')).items.find(item => item.current).id;
      await execute(porteiro, `UPDATE mcp_sessions SET proved_at = '2026-01-01 00:00:00.000' WHERE id = '${session}'`);
      const asks = [[`/api/connections/${connection.id}/tokens`, { name: 'later' }], [`/api/tokens/${id}/rotate`, {}]];
      for (const [path, body] of [...asks, [`/api/connections/${connection.id}/rotate-token`]]) {
        const answer = await person.call('POST', path, body);
        assert.deepEqual([answer.status, answer.json.error.code], [403, 'password_needed'], path);
      }
      for (const [path, body] of asks) await program.ok('POST', path, body);
      await person.ok('POST', '/api/auth/prove', { password: PASSWORD });
      await person.ok('POST', ...asks[0]);
    });

    test('what went wrong is told in the language of the person', async () => {
      const person = new Person(porteiro);
      await person.ok('POST', '/api/auth/register', { name: 'Zé', email: 'ze@example.test', phone: '+5511999990003', password: PASSWORD, language: 'pt-BR' });
      const wrong = await person.call('POST', '/api/me/password', { current: PASSWORD, password: 'curta' });
      assert.match(wrong.json.error.message, /A senha tem 5 caracteres/);
      assert.match((await ana.call('POST', '/api/me/password', { current: PASSWORD, password: 'short' })).json.error.message, /The password has 5/);
      const { token } = await person.ok('POST', '/api/me/api-tokens', { name: 'script' });
      assert.match((await new Person(porteiro, { bearer: token }).call('PATCH', '/api/me', { name: '' })).json.error.message, /The name needs/, 'a program gets English');
    });

    test('a connection says when it was used last', async () => {
      let used;
      await tool('wp_site', {});
      await waitFor('its last use', async () => (used = (await ana.ok('GET', '/api/connections')).items.find(item => item.id === connection.id).last_used_at));
      assert.ok(Math.abs(new Date(used) - Date.now()) < 120_000, used);
    });

    test('usage says how long tools took', async () => {
      await tool('wp_find', { type: 'post' });
      let rows;
      await waitFor('the counts', async () => (rows = (await ana.ok('GET', '/api/usage?days=2')).items.filter(item => item.action === 'tool.wp_find')).length > 0);
      assert.ok(rows[0].ms_total >= rows[0].ms_max && rows[0].ms_max > 0 && rows[0].ms_total < 600_000, JSON.stringify(rows));
    });

    test('the stream says what changed, to whom it belongs, until they log out', async () => {
      const hers = await Events.open(ana), his = await Events.open(bia);
      await tool('wp_site', {});
      await waitFor('a call', () => hers.kinds.includes('audit'));
      await ana.ok('POST', `/api/connections/${connection.id}/pause`);
      await waitFor('a pause', () => hers.kinds.includes('connection'));
      await ana.ok('POST', `/api/connections/${connection.id}/resume`);
      const { id } = await ana.ok('POST', `/api/connections/${connection.id}/tokens`, { name: 'x', rights: 'read' });
      await ana.ok('DELETE', `/api/tokens/${id}`);
      await waitFor('a token', () => hers.kinds.includes('token'));
      assert.deepEqual(his.kinds, [], "nothing of somebody else's");
      const other = new Person(porteiro);
      await other.login('ana@example.test', PASSWORD);
      const open = await Events.open(other);
      await other.ok('POST', '/api/auth/logout');
      await waitFor('the end', () => open.ended);
      assert.equal(hers.ended, false, 'the other login goes on');
      await Promise.all([hers.close(), his.close()]);
    });

    test('the stream is for who is logged in, asks for it, and not too often', async () => {
      assert.equal((await new Person(porteiro).call('GET', '/api/events', undefined, { headers: { accept: 'text/event-stream' } })).status, 401);
      assert.equal((await ana.call('GET', '/api/events')).status, 400);
      const workers = database === 'postgres' ? 2 : 1;
      const many = [];
      let refused = 0;
      for (let i = 0; i < 20 * workers + 5; i++) {
        const abort = new AbortController();
        const answer = await fetch(`${porteiro.origin}/api/events`, { headers: { accept: 'text/event-stream', cookie: bia.cookie }, signal: abort.signal });
        many.push(abort);
        refused += answer.status === 429;
      }
      assert.ok(refused > 0);
      for (const abort of many) abort.abort();
      await waitFor('room again', async () => {
        const abort = new AbortController();
        const answer = await fetch(`${porteiro.origin}/api/events`, { headers: { accept: 'text/event-stream', cookie: bia.cookie }, signal: abort.signal });
        abort.abort();
        return answer.status === 200;
      });
    });
  });
}
