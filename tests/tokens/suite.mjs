// Runs the tasks: the shortest right sequence of calls for each, written by hand, on a site that is put back before every one.
// Counted is what a model has to write ({"name","arguments"}) and to read (the text of the answer), in o200k_base tokens.
// Whether it was done is judged in the WordPress database, never by the tool's word.
import assert from 'node:assert/strict';
import { changes } from '../integration/lib/changes.mjs';
import { legacy, modern } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { countTokens } from '../integration/lib/tokens.mjs';
import { dump } from '../integration/lib/wordpress.mjs';
import { startSource } from '../integration/lib/files.mjs';
import { startFixture } from './fixture.mjs';
import { files } from './tasks.mjs';

export const ALL = 'read,draft,publish,delete,fetch,admin';

// WordPress's own notes about a save, whatever was saved.
const NOISE = [
  ['wp_posts', row => row.post_type === 'revision'],
  ['wp_postmeta', row => /^(_encloseme|_pingme|_edit_last|_edit_lock|_wp_old_date|_wp_old_slug)$/.test(row.meta_key)],
  ['wp_options', row => /_children$|^(rewrite_rules|cron)$/.test(row.option_name)],
  ['sqlite_sequence', () => true],
];

export async function openSuite(wp, { database = 'sqlite' } = {}) {
  const fixture = await startFixture(wp);
  const porteiro = await (await Porteiro.create({ database })).serve();
  await porteiro.addUser();
  const source = await startSource(files); // somebody's web server, with pictures
  return { fixture, porteiro, source, wp, made: 0, stop: () => Promise.all([fixture.stop(), porteiro.stop(), source.stop()]) };
}

// A connection of its own for every task, so that nothing is remembered from the one before.
async function connect(suite, { as = 'admin', rights = ALL } = {}) {
  return suite.porteiro.addConnection(suite.fixture.site, { as, rights, name: `bench ${++suite.made}` });
}

// What every conversation pays first: tools/list and the server's instructions.
export async function constantCost(suite) {
  const { token } = await connect(suite);
  const { tools } = (await modern(suite.porteiro.url, token, 'tools/list')).json.result;
  const { instructions = '' } = (await modern(suite.porteiro.url, token, 'server/discover')).json.result;
  const visible = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  return { tools: tools.length, visible: countTokens(JSON.stringify(visible)), all: countTokens(JSON.stringify(tools)), instructions: countTokens(instructions) };
}

function rowsOf(before, after) {
  return changes(before, after).length === 0 ? [] : Object.keys(after).flatMap(table => {
    const old = new Set(before[table]), now = new Set(after[table]);
    const rows = [...(before[table] ?? []).filter(row => !now.has(row)).map(row => ['-', row]), ...after[table].filter(row => !old.has(row)).map(row => ['+', row])];
    return rows.map(([sign, text]) => ({ sign, table, ...JSON.parse(text) })).filter(row => changes({ [table]: [] }, { [table]: [JSON.stringify((({ sign: _, table: __, ...rest }) => rest)(row))] }).length && !NOISE.some(([name, is]) => name === table && is(row)));
  });
}

// {id, name, calls, tokens: {out, in}, bytes: {out, in, wire}, requests, ms, error}
export async function runTask(suite, task) {
  const { fixture, porteiro } = suite;
  fixture.reset();
  const connection = await connect(suite, task);
  const result = { id: task.id, name: task.name, calls: 0, tokens: { out: 0, in: 0 }, bytes: { out: 0, in: 0, wire: 0 }, structured: 0, requests: 0, ms: 0, error: null };
  const answers = [];

  // One counted call. `fails`: it must be refused. Its text.
  const call = async (name, args, { token = connection.token, fails = false } = {}) => {
    const request = { name, arguments: args }, start = performance.now();
    const { json, text } = await legacy(porteiro.url, token, 'tools/call', request);
    result.ms += performance.now() - start;
    assert.ok(json?.result, `${name} ${JSON.stringify(args)}: ${text}`);
    const said = json.result.content.map(part => part.text ?? '').join('');
    assert.equal(json.result.isError === true, fails, `${name} ${JSON.stringify(args)}: ${said}`);
    const written = JSON.stringify(request);
    result.calls++;
    result.tokens.out += countTokens(written);
    result.tokens.in += countTokens(said);
    result.bytes.out += Buffer.byteLength(written);
    result.bytes.in += Buffer.byteLength(said);
    result.bytes.wire += Buffer.byteLength(written) + Buffer.byteLength(text);
    if (json.result.structuredContent) result.structured += countTokens(JSON.stringify(json.result.structuredContent));
    answers.push(said);
    return said;
  };
  const uncounted = async (name, args, token = connection.token) => {
    const { json, text } = await legacy(porteiro.url, token, 'tools/call', { name, arguments: args });
    assert.ok(json?.result && !json.result.isError, text);
    return json.result.content[0].text;
  };

  try {
    const context = { ...fixture, source: suite.source, call, uncounted, answers, connection, addToken: (...args) => porteiro.addToken(connection.id, ...args) };
    await task.prepare?.(context);
    const before = dump(fixture.site), requests = fixture.requests();
    await task.run(context);
    result.requests = fixture.requests() - requests;
    const changed = rowsOf(before, dump(fixture.site));
    await task.check({ ...context, changed });
    const strange = changed.filter(row => !(task.touches ?? []).some(may => may(row, context)));
    assert.deepEqual(strange, [], 'nothing else in the database changed');
    await checkAudit(porteiro, connection, task);
  } catch (error) {
    result.error = error;
  }
  result.total = result.tokens.out + result.tokens.in;
  result.ms = Math.round(result.ms);
  return result;
}

// Who wrote is in the audit log, before it was done and after.
async function checkAudit(porteiro, connection, task) {
  if (!task.writes) return;
  const { items } = await porteiro.json(['audit', 'list', '--connection', String(connection.id)]);
  for (const action of [`tool.${task.writes}.intent`, `tool.${task.writes}`]) {
    assert.ok(items.some(item => item.action === action), `${action} in the audit log: ${items.map(item => item.action)}`);
  }
}

// Of the tasks that other servers were measured with (list ten, read, change a sentence, image from an address, draft with terms).
export const COMPARED = [1, 2, 4, 7, 9];

export function overBudget(result, budget) {
  if (!budget) return [`there is no budget for task ${result.id}`];
  const over = [];
  if (result.total > budget.tokens) over.push(`${result.total} tokens, budget ${budget.tokens}`);
  if (result.calls > budget.calls) over.push(`${result.calls} calls, budget ${budget.calls}`);
  if (result.requests > budget.requests) over.push(`${result.requests} REST requests, budget ${budget.requests}`);
  return over;
}
