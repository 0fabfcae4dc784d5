// How long a client's description is believed, what it may say of itself, and how often one is read.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { describeApp, startDocuments } from './documents.mjs';
import { Flow } from './flow.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';

const MINUTE = 60, DAY = 24 * 3600;

describe('documents of clients', () => {
  let porteiro, flow, documents, db;
  const people = [];

  before(async () => {
    documents = await startDocuments();
    porteiro = await (await Porteiro.create({ env: { PORTEIRO_CA_FILE: documents.ca } })).serve();
    flow = new Flow(porteiro);
    for (const [i, name] of ['ana', 'bia'].entries()) {
      const email = `${name}@example.test`;
      await porteiro.addUser(email, { name, phone: `+551199999000${i}` });
      await porteiro.addConnection(fixtures.sites.new, { user: email, name: `of ${name}` });
      people.push(await flow.person(email));
    }
    db = openSqlite(`${porteiro.dir}/porteiro.db`);
  });
  after(async () => {
    db?.close();
    await porteiro?.stop();
    await documents?.stop();
  });

  const answer = (headers, more) => (request, response, address) =>
    response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(describeApp(address, more)));
  const open = (person, name) => person.request('GET', flow.address(documents.url(name)));
  const row = name => db.prepare('SELECT * FROM mcp_oauth_clients WHERE id = ?').get(documents.url(name));
  const readings = name => documents.requests.filter(request => request.url === `/${name}`).length;
  let reader = 0; // by turns: each may have ten read in a row

  // As its Cache-Control says, between five minutes and a day.
  for (const [name, cacheControl, seconds] of [
    ['none', undefined, 5 * MINUTE],
    ['hour', 'max-age=3600', 3600],
    ['spaced', 'public , Max-Age=7200', 7200],
    ['brief', 'max-age=1', 5 * MINUTE],
    ['long', 'max-age=31536000, immutable', DAY],
    ['words', 'max-age=soon', 5 * MINUTE],
    ['no-store', 'max-age=3600, no-store', 5 * MINUTE],
    ['no-cache', 'No-Cache, max-age=3600', 5 * MINUTE],
    ['beyond', 'max-age=99999999999999999999', 5 * MINUTE],
  ]) {
    test(`Cache-Control: ${cacheControl ?? 'not said'}: believed for ${seconds} s`, async () => {
      documents.documents[name] = answer(cacheControl ? { 'Cache-Control': cacheControl } : {});
      const began = Date.now();
      const page = await open(people[reader++ % 2], name);
      assert.equal(page.status, 200, page.text);
      const until = Date.parse(`${row(name).fresh_until}Z`);
      assert.ok(until >= began + seconds * 1000 - 1000 && until <= Date.now() + seconds * 1000 + 1000, `${row(name).fresh_until}`);
    });
  }

  test('one that is fresh is not read again, and one that is not is', async () => {
    const [ana, bia] = people;
    assert.equal((await open(bia, 'hour')).status, 200);
    assert.equal(readings('hour'), 1);
    documents.documents.hour = answer({}, { client_name: 'Renamed app' });
    db.prepare("UPDATE mcp_oauth_clients SET fresh_until = '2026-01-01 00:00:00.000' WHERE id = ?").run(documents.url('hour'));
    const page = await open(ana, 'hour');
    assert.equal(readings('hour'), 2);
    assert.match(page.text, /Renamed app/);
    // What is no longer there is no client any more, whatever was known.
    delete documents.documents.hour;
    db.prepare("UPDATE mcp_oauth_clients SET fresh_until = '2026-01-01 00:00:00.000' WHERE id = ?").run(documents.url('hour'));
    assert.equal((await open(bia, 'hour')).status, 400);
  });

  // Without a secret: `none`, keys of its own, or nothing said. What it did not ask for it does not get.
  for (const [name, type, more] of [
    ['suffix', 'application/cimd+json; charset=utf-8', {}],
    ['unsaid', 'application/json', { token_endpoint_auth_method: undefined }],
    ['keys', 'application/json', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example/keys' }],
    ['once', 'application/json', { grant_types: ['authorization_code'] }],
  ]) {
    test(`${name}: ${type}, ${JSON.stringify(more)}`, async () => {
      documents.documents[name] = answer({ 'Content-Type': type }, more);
      const page = await open(people[reader++ % 2], name);
      assert.equal(page.status, 200, page.text);
      assert.equal(row(name).grant_types, name === 'once' ? 'authorization_code' : 'authorization_code,refresh_token');
      assert.equal(row(name).auth_method, 'none');
    });
  }
  for (const type of ['text/cimd+json', 'application/jsonp', 'application/octet-stream']) {
    test(`${type} is none`, async () => {
      documents.documents.other = answer({ 'Content-Type': type });
      assert.equal((await open(people[reader++ % 2], 'other')).status, 400);
      assert.equal(row('other'), undefined);
    });
  }
});

// Ten in a row for a person, one more every six seconds; twenty and one every three for all.
test('reading documents is limited, by person and for all', async () => {
  const documents = await startDocuments();
  const porteiro = await (await Porteiro.create({ env: { PORTEIRO_CA_FILE: documents.ca } })).serve();
  try {
    const flow = new Flow(porteiro), people = [];
    for (const [i, name] of ['ana', 'bia', 'caio'].entries()) {
      const email = `${name}@example.test`;
      await porteiro.addUser(email, { name, phone: `+551199999000${i}` });
      people.push(await flow.person(email));
    }
    const began = Date.now(), read = [];
    for (const [i, person] of people.entries()) {
      for (read[i] = 0; ; read[i]++) {
        const name = `${i}-${read[i]}`;
        documents.documents[name] = {};
        const page = await person.request('GET', flow.address(documents.url(name)));
        if (page.status === 429) {
          assert.ok(!documents.requests.some(request => request.url === `/${name}`));
          break;
        }
        assert.notEqual(page.status, 500, page.text);
        assert.ok(documents.requests.some(request => request.url === `/${name}`), page.text);
      }
    }
    const seconds = (Date.now() - began) / 1000, sum = read[0] + read[1] + read[2];
    assert.ok(read[0] >= 10 && read[0] <= 11 + seconds / 6, String(read));
    assert.ok(sum >= 20 && sum <= 21 + seconds / 3, String(read));
  } finally {
    await porteiro.stop();
    await documents.stop();
  }
});
