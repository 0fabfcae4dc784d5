// kill -9 of what runs, under writes: workers and the supervisor (SQLite), and the database's own processes (PostgreSQL).
// Afterwards every acknowledged change is recorded, no change reached the site without a recorded intent, and those that were
// interrupted are shown as unknown. PORTEIRO_TEST_KILLS: so many kills, a half with each database (./dev soak: 1,000).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { query, startPostgres } from '../integration/lib/postgres.mjs';
import { mustRun, sleep, waitFor } from '../integration/lib/process.mjs';
import { isRunning, workersOf } from '../workers/help.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

const KILLS = Number(process.env.PORTEIRO_TEST_KILLS ?? 50);
const CLIENTS = 6;
const SITE_MS = 20; // a site takes up to so long, so that kills meet calls before, at and after their write
const LATE_MS = 60_000;
const LISTED = 100;

const childrenOf = pid => {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};
const commandOf = pid => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};
const kill = pid => {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // it has just ended
  }
};
const one = list => list[Math.floor(Math.random() * list.length)];

// What is killed, by database: [what, share, how]; each `how` says whether something was killed.
const killWorker = ({ porteiro }) => kill(one(Object.values(workersOf(porteiro))) ?? 0x7ffffff);
const killSupervisor = async ({ porteiro }) => {
  const pids = [porteiro.server.pid, ...Object.values(workersOf(porteiro))];
  kill(porteiro.server.pid);
  await porteiro.server.ended;
  await waitFor('the workers to end', () => pids.every(pid => !isRunning(pid)), LATE_MS);
  await porteiro.serve();
  return true;
};
const postmasterOf = ({ postgres }) => Number(fs.readFileSync(path.join(postgres.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
const killBackend = scene => {
  const backends = childrenOf(postmasterOf(scene)).filter(pid => commandOf(pid).includes('postgres: postgres '));
  return backends.length > 0 && kill(one(backends));
};
const killPostmaster = async scene => {
  const pid = postmasterOf(scene), children = childrenOf(pid);
  kill(pid);
  await waitFor('its processes to end', () => [pid, ...children].every(process_ => !isRunning(process_)), LATE_MS);
  await waitFor('PostgreSQL to start again', () => scene.postgres.start().then(() => true), LATE_MS, 50); // what was left of it still ends
  return true;
};

const ENGINES = {
  SQLite: [['worker', 3, killWorker], ['supervisor', 1, killSupervisor]],
  PostgreSQL: [['worker', 5, killWorker], ['supervisor', 1, killSupervisor], ['backend', 3, killBackend], ['postmaster', 1, killPostmaster]],
};

// A site that makes pages at once, of what the first real one looked like, and remembers who asked.
async function startSite() {
  const site = await startFakeSite(fixtures.sites.new);
  site.writes = []; // {call, title}
  let model, next = 100_000;
  site.answer = async (request, response, pass) => {
    const { method, url, headers, body } = site.requests.at(-1);
    site.requests.length = 0;
    if (method !== 'POST') return pass();
    const { title } = JSON.parse(body);
    site.writes.push({ call: headers['x-request-id'], title });
    site.onWrite?.(headers['x-request-id']);
    if (!model) return pass({ edit: text => (model = text) });
    await sleep(Math.random() * SITE_MS);
    const page = JSON.parse(model);
    page.id = next++;
    page.title = { raw: title, rendered: title };
    response.writeHead(201, { 'Content-Type': 'application/json; charset=UTF-8', Location: `${site.url}${url}/${page.id}` }).end(JSON.stringify(page));
  };
  return site;
}

async function rows(porteiro, sql) {
  if (porteiro.database) return query(porteiro.database.url, sql);
  const database = openSqlite(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

async function change(porteiro, sql) {
  if (porteiro.database) return mustRun('psql', ['-qXAt', porteiro.database.url, '-c', sql]);
  const database = openSqlite(path.join(porteiro.dir, 'porteiro.db'));
  database.exec(sql);
  database.close();
}

for (const [engine, shares] of Object.entries(ENGINES)) {
  describe(`kill -9 (${engine})`, () => {
    const scene = {};
    let token;
    before(async () => {
      scene.site = await startSite();
      if (engine === 'PostgreSQL') scene.postgres = await startPostgres();
      scene.porteiro = await Porteiro.create({ database: scene.postgres?.port ?? 'sqlite', env: { PORTEIRO_WORKERS: scene.postgres ? '2' : '1', PORTEIRO_LOG_LEVEL: 'warning', PORTEIRO_MAX_UPSTREAM_PER_SITE: '32' } });
      await scene.porteiro.addUser();
      ({ token } = await scene.porteiro.addConnection(scene.site, { rights: 'read,draft,publish,delete' }));
      await scene.porteiro.serve();
    });
    after(async () => {
      await scene.end?.();
      await scene.porteiro?.stop();
      await scene.site?.stop();
      await scene.postgres?.stop();
    });

    const kills = Math.ceil(KILLS / 2);
    test(`${kills} times under writes: nothing acknowledged is lost, nothing is written without its intent`, { timeout: 60_000 + kills * 10_000 }, async () => {
      const { porteiro, site } = scene;
      const acknowledged = [], early = [];
      let going = true, failed = 0, number = 0;
      let database;
      if (engine === 'SQLite') { // the file can be looked into while the write is on its way
        database = openSqlite(path.join(porteiro.dir, 'porteiro.db'), { readOnly: true });
        const intent = database.prepare("SELECT count(*) AS n FROM (SELECT data, action FROM mcp_audit_logs ORDER BY id DESC LIMIT 200) WHERE action = 'tool.wp_create.intent' AND data ->> 'call' = ?");
        site.onWrite = call => intent.get(call).n || early.push(call);
      }
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (going) {
          const title = `Kill ${number++}`;
          try {
            const result = await callTool(porteiro.url, token, 'wp_create', { type: 'page', title, content: 'x' });
            if (!result.isError) acknowledged.push(title);
            else failed++;
          } catch {
            failed++;
            await sleep(10);
          }
        }
      });
      scene.end = async () => {
        going = false;
        await Promise.all(clients);
        site.onWrite = null;
        if (database?.isOpen) database.close();
      };
      const bag = shares.flatMap(([what, share, how]) => Array(share).fill([what, how])), counts = {}, began = Date.now();
      for (let done = 0; done < kills; ) {
        const had = acknowledged.length;
        await waitFor('writes', () => acknowledged.length > had, LATE_MS, 5);
        await sleep(Math.random() * 40);
        const [what, how] = done < shares.length ? shares[done].filter((_, i) => i !== 1) : one(bag); // each at least once
        if (!(await how(scene))) continue;
        counts[what] = (counts[what] ?? 0) + 1;
        done++;
      }
      const seconds = (Date.now() - began) / 1000;
      await scene.end();
      await porteiro.stop();

      const log = fs.readFileSync(porteiro.log, 'utf8');
      const audited = await rows(porteiro, "SELECT action, data ->> 'call' AS call, data ->> 'outcome' AS outcome FROM mcp_audit_logs WHERE action LIKE 'tool.wp_create%'");
      const intents = new Set(audited.filter(({ action }) => action.endsWith('.intent')).map(({ call }) => call));
      const outcomes = new Map(audited.filter(({ action }) => !action.endsWith('.intent')).map(({ call, outcome }) => [call, outcome]));
      const changes = new Map((await rows(porteiro, 'SELECT call_id, state, number FROM mcp_changes')).map(row => [row.call_id, row]));
      const callOf = new Map(site.writes.map(({ call, title }) => [title, call]));

      // Acknowledged: it was made at the site, and both records say so. Where the database was killed between the two, the outcome
      // is written later; a worker that is killed before that loses it, the log has said so, and the history knows no outcome.
      const late = call => database === undefined && log.includes(`call ${call}: wp_create ended with ok, but its outcome could not be recorded yet`);
      const recorded = call => intents.has(call) && (outcomes.get(call) === 'ok' || late(call)) && (changes.get(call)?.state === 'done' || (database === undefined && changes.get(call)?.state === 'begun'));
      const lost = acknowledged.map(title => ({ title, call: callOf.get(title) })).filter(({ call }) => !recorded(call))
        .map(({ title, call }) => ({ title, intent: intents.has(call), outcome: outcomes.get(call), change: changes.get(call)?.state }));
      assert.deepEqual(lost, [], 'acknowledged, and not recorded');
      assert.deepEqual(early, [], 'written at the site before its intent was in the database');
      assert.deepEqual(site.writes.filter(({ call }) => !intents.has(call) || !changes.has(call)), [], 'written at the site without an intent, or without its row of the history');
      assert.equal(new Set(site.writes.map(({ title }) => title)).size, site.writes.length, 'nothing was written twice');

      // Interrupted: whatever has no outcome is no more than begun.
      const interrupted = site.writes.filter(({ call }) => !outcomes.has(call));
      for (const { call, title } of interrupted) assert.match(changes.get(call).state, /^(begun|done|unknown)$/, title);
      const begun = [...changes.values()].filter(({ state }) => state === 'begun');
      if (engine === 'SQLite') assert.equal((await rows(porteiro, 'PRAGMA integrity_check'))[0].integrity_check, 'ok');
      const verdict = await porteiro.json(['audit', 'verify']);
      assert.ok(verdict.ok, JSON.stringify(verdict));
      console.log(`${engine}: ${kills} kills (${Object.entries(counts).map(([what, n]) => `${n} ${what}`).join(', ')}) in ${seconds.toFixed(0)} s, ` +
        `${acknowledged.length} acknowledged writes, ${failed} failed requests, ${site.writes.length} writes at the site, ${intents.size} intents, ${begun.length} interrupted, ${acknowledged.filter(title => !outcomes.has(callOf.get(title))).length} acknowledged of which only the log has the outcome`);
      assert.ok(acknowledged.length >= kills, 'it was under load');

      // Later, when nothing can be under way any more, people and models are told that nobody knows.
      await porteiro.serve();
      if (!begun.length) return;
      const hourAgo = new Date(Date.now() - 3_600_000).toISOString().replace('T', ' ').replace('Z', '');
      for (const sql of ["DELETE FROM mcp_changes WHERE state <> 'begun'", `UPDATE mcp_changes SET created_at = '${hourAgo}'`]) await change(porteiro, sql);
      const told = await callTool(porteiro.url, token, 'wp_history', { limit: Math.min(begun.length, LISTED) });
      assert.equal(told.text.match(/outcome unknown/g)?.length, Math.min(begun.length, LISTED), told.text);
    });
  });
}
