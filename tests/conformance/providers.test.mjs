// What holds for every tool of every provider, whoever wrote it: a title, hints, a schema that all clients take, an error that is a
// sentence, a row in the audit log. The program is the conformance build, which has all providers; each says here how one connects.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startCloud } from '../fakes/cloud.mjs';
import { startEvolution } from '../fakes/evolution.mjs';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { legacy, modern } from '../integration/lib/mcp.mjs';
import { ROOT, sleep } from '../integration/lib/process.mjs';

process.env.PORTEIRO_BIN = process.env.PORTEIRO_CONFORMANCE_BIN ?? path.join(ROOT, 'build/conformance/porteiro');
const { Porteiro } = await import('../integration/lib/porteiro.mjs');
const { addCloud, addEvolution } = await import('../integration/lib/whatsapp.mjs');

const EVERYTHING = 'read,draft,publish,delete,fetch,admin';
const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object'];
// The official suite asks for these as they are: one proves that a schema outside the subset is handed on unharmed.
const UNPORTABLE = ['json_schema_2020_12_tool'];

// What is outside the subset that all clients understand, as a list of places.
function unportable(schema, at = 'input') {
  const found = [];
  if (!TYPES.includes(schema.type)) found.push(`${at}: type ${JSON.stringify(schema.type)}`);
  for (const word of ['anyOf', 'oneOf', 'allOf', 'not', 'if', 'then', '$ref', '$defs', 'patternProperties']) if (word in schema) found.push(`${at}: ${word}`);
  if (schema.enum && !(schema.type === 'string' && schema.enum.every(value => typeof value === 'string'))) found.push(`${at}: enum`);
  if (schema.type === 'array') found.push(...(schema.items ? unportable(schema.items, `${at}[]`) : [`${at}: no items`]));
  if (schema.type === 'object') {
    if (!schema.properties && schema.additionalProperties === undefined) found.push(`${at}: says nothing of its members`);
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      if (!/^\w{1,64}$/.test(name)) found.push(`${at}.${name}: name`);
      found.push(...unportable(inner, `${at}.${name}`));
    }
    for (const name of schema.required ?? []) if (!schema.properties?.[name]) found.push(`${at}: ${name} is required and unknown`);
  }
  return found;
}

// The least that a schema takes.
function least({ type, enum: words, minimum, items, properties = {}, required = [] }) {
  switch (type) {
    case 'string': return words?.[0] ?? 'x';
    case 'boolean': return true;
    case 'array': return items?.type ? [least(items)] : [];
    case 'object': return Object.fromEntries(required.map(name => [name, least(properties[name])]));
    default: return minimum ?? 1;
  }
}

let porteiro, proxy, cloud, evolution;
// How one connects, and how the service goes away.
const connections = {
  wordpress: [() => porteiro.addConnection(fixtures.sites.new, { as: 'admin', rights: EVERYTHING, url: proxy.url }), () => proxy.stop()],
  whatsapp: [() => addCloud(porteiro, cloud, { rights: EVERYTHING }), () => cloud.stop()],
  'whatsapp (evolution)': [() => addEvolution(porteiro, evolution, { rights: EVERYTHING }), () => evolution.stop()],
  conformance: [() => porteiro.json(['connection', 'add', '--user', 'ana@example.test', '--provider', 'conformance', '--name', 'suite', '--rights', EVERYTHING])],
};

before(async () => {
  [cloud, evolution, proxy] = await Promise.all([startCloud(), startEvolution(), startFakeSite(fixtures.sites.new)]);
  porteiro = await (await Porteiro.create()).serve();
  await porteiro.addUser();
});
after(async () => {
  await Promise.all([proxy, cloud, evolution].map(service => service?.stop()));
  await porteiro?.stop();
});

test('every provider that the program has is tried here', async () => {
  const { items } = await porteiro.json(['provider', 'list']);
  assert.deepEqual(items.map(({ key }) => key).sort(), Object.keys(connections).filter(key => !key.includes(' ')).sort());
});

for (const [provider, [connect, away]] of Object.entries(connections)) {
  describe(provider, () => {
    let connection, tools;
    before(async () => {
      connection = await connect();
      ({ tools } = (await legacy(porteiro.url, connection.token, 'tools/list')).json.result);
      assert.ok(tools.length > 3);
    });

    test('each tool has a title, a description, hints and a portable schema, the same in both eras', async () => {
      const names = new Set();
      for (const { name, title, description, annotations = {}, inputSchema } of tools) {
        assert.match(name, provider === 'conformance' ? /^[a-z][a-z0-9_]{0,63}$/ : /^[a-z][a-z0-9_]{0,39}$/);
        assert.ok(!names.has(name), name);
        names.add(name);
        assert.ok(title?.trim() && (title !== name || provider === 'conformance'), `${name}: title`);
        assert.ok(description?.length > 10, `${name}: description`);
        assert.equal(typeof annotations.readOnlyHint, 'boolean', `${name}: readOnlyHint`);
        assert.equal(typeof annotations.openWorldHint, 'boolean', `${name}: openWorldHint`);
        if (!annotations.readOnlyHint) for (const hint of ['destructiveHint', 'idempotentHint']) assert.equal(typeof annotations[hint], 'boolean', `${name}: ${hint}`);
        assert.ok(!(annotations.readOnlyHint && annotations.destructiveHint), `${name} reads and destroys`);
        assert.equal(inputSchema.type, 'object', name);
        if (UNPORTABLE.includes(name)) assert.notDeepEqual(unportable(inputSchema), [], `${name} need not be excepted`);
        else assert.deepEqual(unportable(inputSchema), [], name);
      }
      const now = (await modern(porteiro.url, connection.token, 'tools/list')).json.result.tools;
      for (const { name, title, annotations, inputSchema } of tools) {
        const same = now.find(tool => tool.name === name);
        if (same) assert.deepEqual([same.title, same.annotations, same.inputSchema], [title, annotations, inputSchema], name);
      }
    });

    // {isError, text}; null: the tool waits for an answer of a client that has none to give.
    async function answer(token, name, args) {
      const { json, text } = (await Promise.race([legacy(porteiro.url, token, 'tools/call', { name, arguments: args }), sleep(8000)])) ?? {};
      if (!text) return null;
      const { result, error } = json ?? JSON.parse(text.split('\n').findLast(line => line.startsWith('data: {')).slice(6));
      assert.ok(result, `${name}: ${error?.message}`);
      return { isError: result.isError === true, text: (result.content ?? []).map(part => part.text ?? '').join('') };
    }
    // Each has a row, with that outcome when one is named; rows of what changes nothing are written within a second.
    async function onRecord(names, outcome) {
      let missing = names;
      for (const end = Date.now() + 20_000; missing.length && Date.now() < end; await sleep(100)) {
        const { items } = await porteiro.json(['audit', 'list', '--connection', String(connection.id), '--limit', '500']);
        missing = missing.filter(name => !items.some(({ action, data }) => action === `tool.${name}` && (!outcome || data.outcome === outcome)));
      }
      assert.deepEqual(missing, [], 'not on record');
    }

    test('what a tool does not know is answered as an error that says what is wrong', async () => {
      // The suite's own tools may take more than they say; ours say nothing of it, for each word of a list is paid for, and take none.
      const strict = provider === 'conformance' ? tools.filter(({ inputSchema }) => inputSchema.additionalProperties === false) : tools;
      for (const { name } of strict) {
        const { isError, text } = await answer(connection.token, name, { no_such_argument: 1 });
        assert.equal(isError, true, name);
        assert.match(text, /^no_such_argument: there is no such member/, name);
      }
      await onRecord(strict.map(({ name }) => name), 'invalid');
    });

    test('a token that may only read is told so by each tool that writes, and that is on record', async () => {
      const few = await porteiro.addToken(connection.id, '--name', 'reads', '--rights', 'read');
      const listed = new Set((await legacy(porteiro.url, few.token, 'tools/list')).json.result.tools.map(({ name }) => name));
      const denied = tools.map(({ name }) => name).filter(name => !listed.has(name));
      for (const { name, annotations } of tools) assert.ok(annotations.readOnlyHint || denied.includes(name), `${name} writes`);
      for (const name of denied) {
        const { isError, text } = await answer(few.token, name, {});
        assert.equal(isError, true, name);
        assert.match(text, new RegExp(`${name}[^]*\\.$`), name);
      }
      await onRecord(denied, 'denied');
    });

    test('while its service is away, each tool answers with the least it takes: a sentence when it fails, and a row on record', { timeout: 120_000 }, async () => {
      await away?.();
      const asked = [];
      let failed = 0;
      for (const { name, inputSchema } of tools) {
        const said = await answer(connection.token, name, least(inputSchema));
        if (!said) continue;
        asked.push(name);
        if (!said.isError) continue;
        failed++;
        assert.match(said.text, /^[^{[<]\S*\s[^]{8,}/, name);
        assert.doesNotMatch(said.text, /\bE_[A-Z]+\b|undefined|\(null\)|errno/, name);
      }
      assert.ok(failed > 0 && asked.length > tools.length / 2, `${failed} of ${asked.length}`);
      if (provider !== 'conformance') assert.equal(asked.length, tools.length);
      await onRecord(asked);
    });
  });
}
