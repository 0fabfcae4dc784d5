// What both services promise, case by case: against the emulators always, and against a real Evolution instance or Cloud API number when
// the environment names one (docs/whatsapp.md). The emulators are as the golden answers have it; these cases show whether they still are.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ACCOUNT, NUMBER, startCloud } from '../fakes/cloud.mjs';
import { startEvolution } from '../fakes/evolution.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { addCloud, addEvolution, confirmed, deliver, real, tool } from './lib/whatsapp.mjs';

const BIA = '5511987654321', NOBODY = '551133334444';
const quoted = text => text.replace(/[^\w]/g, '\\$&');

// service: where it is; at.to somebody who may be written to, at.nobody a number that is not on WhatsApp (or that the service does not allow),
// at.heard the id of a message that at.to wrote within 24 hours. A case that lacks one of these is left out, and says so.
const kinds = {
  evolution: {
    add: addEvolution,
    start: async () => {
      const fake = await startEvolution();
      fake.state.unknown.add(NOBODY);
      fake.receive(BIA, 'Oi', { id: '3EB0HEARD' });
      return { fake, at: { ...fake, to: BIA, nobody: NOBODY, heard: '3EB0HEARD' } };
    },
    // Evolution keeps what came by itself.
    hear: async () => {},
    badNumber: /not on WhatsApp/,
  },
  cloud: {
    add: addCloud,
    start: async () => {
      const fake = await startCloud(), heard = 'wamid.HEARD';
      fake.state.unknown.add(NOBODY);
      fake.receive(BIA, 'Oi', { id: heard });
      return { fake, at: { ...fake, to: BIA, nobody: NOBODY, heard } };
    },
    // What came is known from the webhook only: Meta's delivery, made again under the app's own secret.
    hear: async ({ porteiro, connection, at }) => {
      const shape = await startCloud();
      const raw = JSON.stringify(shape.receive(at.to, 'Oi', { id: at.heard })).replaceAll(NUMBER, at.number ?? NUMBER).replaceAll(ACCOUNT, at.account ?? ACCOUNT);
      await shape.stop();
      const { status } = await deliver(porteiro, connection.id, null, { raw, headers: { 'X-Hub-Signature-256': shape.signature(raw, at.secret ?? undefined) } });
      assert.equal(status, 200);
    },
    badNumber: /NOT sent|not in .*allowed|undeliverable|not delivered|test list/i,
  },
};

const template = { template: { name: 'hello_world', language: 'en_US' } };
const send = ({ porteiro, connection, at }, args) => confirmed(porteiro, connection.token, 'wa_send', { to: [at.to], ...args });
const idOf = ({ text }) => /: sent(?: before \(same key\))?, id=(\S+)/.exec(text)?.[1];

// [what, of which services ('' both), what it needs of `at`, run(place)]
const cases = [
  ['a wrong key is refused, and named', '', [], async ({ kind, porteiro, at }) => {
    await assert.rejects(() => kind.add(porteiro, at, { ...at, key: 'wrong', token: 'wrong' }), /does not take the stored token or key/);
  }],
  ['an instance that is not there is named', 'evolution', [], async ({ kind, porteiro, at }) => {
    await assert.rejects(() => kind.add(porteiro, { ...at, instance: 'porteiro-has-no-such-instance' }, at), /no such instance/);
  }],
  ['state, number and limits', '', [], async ({ name, porteiro, connection }) => {
    assert.match((await tool(porteiro, connection.token, 'wa_status')).text, new RegExp(`${name}: open.*\\nlimits: \\d+ messages/s`, 's'));
  }],
  ['templates are listed', '', [], async ({ name, porteiro, connection }) => {
    const { text, isError } = await tool(porteiro, connection.token, 'wa_templates');
    assert.ok(!isError, text);
    if (name === 'cloud') assert.match(text, /^hello_world\ten_US\t/m);
  }],
  ['a template goes out, with an id', 'cloud', ['to'], async place => {
    assert.ok(idOf(await send(place, { ...template, key: `${place.stamp} template` })));
  }],
  ['a text goes out once, with an id, and is read back', '', ['to', 'heard'], async place => {
    const { porteiro, connection, at, stamp } = place, args = { text: `porteiro ${stamp}`, key: stamp };
    const first = await send(place, args), id = idOf(first);
    assert.ok(id, first.text);
    assert.match((await send(place, args)).text, new RegExp(`sent before \\(same key\\), id=${quoted(id)}`));
    assert.match((await tool(porteiro, connection.token, 'wa_read', { chat: at.to })).text, new RegExp(`id=${quoted(id)}\\n {4}porteiro ${quoted(stamp)}`));
  }],
  ['the send log and the conversation call it sent; delivered and read only by webhook', '', ['to', 'heard'], async ({ porteiro, connection, at, stamp }) => {
    const sent = (await porteiro.json(['message', 'sent', '--connection', String(connection.id)])).items.find(item => item.kind === 'text');
    assert.equal(sent.state, 'sent');
    assert.match((await tool(porteiro, connection.token, 'wa_read', { chat: at.to, q: stamp })).text, new RegExp(`me \\(sent\\) id=${quoted(sent.message_id)}`));
  }],
  ['a template that is not there is refused', 'cloud', ['to'], async place => {
    const { text, isError } = await send(place, { template: { name: 'porteiro_has_no_such_template', language: 'en_US' }, key: `${place.stamp} none` });
    assert.ok(isError && !idOf({ text }), text);
    assert.match(text, /no approved template|template/);
  }],
  ['a number that cannot be written to is said to be so, and nothing counts as sent', '', ['nobody'], async ({ kind, name, porteiro, connection, at, stamp }) => {
    const { text, isError } = await confirmed(porteiro, connection.token, 'wa_send', { to: [at.nobody], key: `${stamp} nobody`, ...(name === 'cloud' ? template : { text: 'Oi' }) });
    assert.ok(isError && !idOf({ text }), text);
    assert.match(text, kind.badNumber);
  }],
  ['contacts: who is on WhatsApp', 'evolution', ['to', 'nobody'], async ({ porteiro, connection, at }) => {
    const { text } = await tool(porteiro, connection.token, 'wa_contacts', { numbers: [at.to, at.nobody] });
    assert.match(text, /\ton WhatsApp\n/);
    assert.match(text, /\tnot on WhatsApp\n/);
  }],
  ['contacts and conversations are found', '', ['to', 'heard'], async ({ porteiro, connection, at }) => {
    for (const [name, args] of [['wa_inbox', {}], ['wa_contacts', {}]]) {
      const { text, isError } = await tool(porteiro, connection.token, name, args);
      assert.ok(!isError, text);
      if (name === 'wa_inbox') assert.ok(text.includes(at.to.slice(-8)), text);
    }
  }],
  ['what came is marked as read', '', ['to', 'heard'], async ({ porteiro, connection, at }) => {
    const { text, isError } = await tool(porteiro, connection.token, 'wa_mark', { chat: at.to, as: 'read' });
    assert.ok(!isError, text);
    assert.match(text, /: read$/);
  }],
  ['groups are listed', 'evolution', [], async ({ porteiro, connection }) => {
    const { text, isError } = await tool(porteiro, connection.token, 'wa_groups');
    assert.ok(!isError, text);
  }],
];

for (const [name, service] of [['evolution', null], ['cloud', null], ...Object.entries(real).filter(([, found]) => found)]) {
  describe(`${service ? 'a real' : 'as a real'} ${name}`, { timeout: 240_000 }, () => {
    const kind = kinds[name], place = { kind, name, stamp: new Date().toISOString() };
    let fake;
    before(async () => {
      if (service) place.at = service;
      else ({ fake, at: place.at } = await kind.start());
      place.porteiro = await (await Porteiro.create(service ? { egress: undefined } : {})).serve();
      await place.porteiro.addUser();
      place.connection = await kind.add(place.porteiro, place.at, { ...place.at, rules: service ? {} : { 'recipient-pause': 0 } });
      if (place.at.to && place.at.heard) await kind.hear(place);
    });
    after(async () => {
      await place.porteiro?.stop();
      await fake?.stop();
      assert.deepEqual(fake?.violations ?? [], []);
    });
    for (const [what, only, needs, run] of cases.filter(([, only]) => !only || only === name)) {
      test(what, async t => {
        const missing = needs.filter(need => !place.at[need]);
        if (missing.length) return t.skip(`PORTEIRO_TEST_${name.toUpperCase()}_${missing[0].toUpperCase()} is not set`);
        await run(place);
      });
    }
  });
}
