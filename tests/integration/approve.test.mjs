// A yes by message: what waits for its owner is asked at the owner's own number, and an answer from there decides it once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCloud } from '../fakes/cloud.mjs';
import { Person } from './lib/api.mjs';
import { fixtures } from './lib/fixtures.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { waitFor } from './lib/process.mjs';
import { addCloud, deliver, tool } from './lib/whatsapp.mjs';

const PASSWORD = 'correct horse battery staple', OWNER = '5511987654321', STRANGER = '5531987650000', CUSTOMER = '5521998765432';
const FAST = { 'per-second': 1000, 'recipient-pause': 0, 'recipients-per-day': 0, 'per-token-a-day': 0 };

for (const database of ['sqlite', 'postgres']) {
  describe(`approval by message on ${database}`, () => {
    let porteiro, cloud, connection, ana, bia, message = 0;
    const said = (from, text, replyTo) => {
      const body = cloud.receive(from, text, { replyTo });
      return deliver(porteiro, connection.id, body, { headers: { 'X-Hub-Signature-256': cloud.signature(JSON.stringify(body)) } });
    };
    const sentTo = number => cloud.sent.filter(one => one.to === number);
    const textOf = one => one.body.text.body;
    const stateOf = async id => (await ana.ok('GET', '/api/approvals')).items.find(one => one.id === id).state;
    // Asks for a message to a customer: the approval's id, and the question as it came to the owner.
    async function ask() {
      const args = { to: [CUSTOMER], text: `Promoção ${++message}` }, before_ = sentTo(OWNER).length;
      const known = new Set((await ana.ok('GET', '/api/approvals')).items.map(one => one.id));
      assert.match((await tool(porteiro, connection.token, 'wa_send', args)).text, /approve/);
      await waitFor('the question', () => sentTo(OWNER).length > before_);
      const { items } = await ana.ok('GET', '/api/approvals');
      const question = sentTo(OWNER).at(-1);
      return { args, id: items.find(one => !known.has(one.id)).id, question, code: /SIM (\S+)/.exec(textOf(question))[1] };
    }
    const goOn = args => tool(porteiro, connection.token, 'wa_send', args);

    before(async () => {
      cloud = await startCloud();
      porteiro = await (await Porteiro.create({ database: database === 'sqlite' ? 'sqlite' : fixtures.postgres.port })).serve();
      await porteiro.addUser();
      await porteiro.addUser('bia@example.test', { name: 'Bia', phone: '+5511999990002' });
      connection = await addCloud(porteiro, cloud, { rules: FAST, confirm: 'human' });
      [ana, bia] = [new Person(porteiro), new Person(porteiro)];
      await ana.login('ana@example.test', PASSWORD);
      await bia.login('bia@example.test', PASSWORD);
      for (const number of [OWNER, STRANGER, CUSTOMER]) assert.equal((await said(number, 'Oi')).status, 200);
    });
    after(async () => {
      await Promise.all([porteiro?.stop(), cloud?.stop()]);
      assert.deepEqual(cloud.violations, []);
    });

    test('a number counts once its code came back, within five tries, and only through a connection of one\'s own', async () => {
      assert.deepEqual(await ana.ok('GET', '/api/me/approver'), { phone: null, connection_id: 0, confirmed_at: null });
      assert.equal((await bia.call('POST', '/api/me/approver', { connection_id: connection.id, phone: OWNER })).status, 404);
      assert.equal((await ana.call('POST', '/api/me/approver', { connection_id: connection.id, phone: '12' })).status, 400);
      assert.equal(sentTo(OWNER).length, 0);
      const codeAt = async () => {
        const { confirmed_at } = await ana.ok('POST', '/api/me/approver', { connection_id: connection.id, phone: '+55 11 98765-4321' });
        assert.equal(confirmed_at, null);
        return /\b(\d{6})\b/.exec(textOf(sentTo(OWNER).at(-1)))[1];
      };
      const first = await codeAt(), wrong = first === '000000' ? '000001' : '000000';
      for (let i = 0; i < 5; i++) assert.equal((await ana.call('POST', '/api/me/approver/confirm', { code: wrong })).status, 403);
      assert.equal((await ana.call('POST', '/api/me/approver/confirm', { code: first })).status, 403, 'the sixth try is too late, even the right one');
      const second = await codeAt();
      assert.equal((await bia.call('POST', '/api/me/approver/confirm', { code: second })).status, 403);
      const { phone, confirmed_at } = await ana.ok('POST', '/api/me/approver/confirm', { code: second });
      assert.equal(phone, OWNER);
      assert.ok(confirmed_at);
      assert.equal((await ana.call('POST', '/api/me/approver/confirm', { code: second })).status, 403, 'a code is good once');
    });

    test('yes from there, to that question, approves it once', async () => {
      const { args, id, question, code } = await ask();
      assert.match(textOf(question), new RegExp(`${CUSTOMER}[^]*${args.text}`), 'who and what stand in the question');
      assert.equal(sentTo(CUSTOMER).length, 0);
      await said(OWNER, 'sim');
      await said(STRANGER, `sim ${code}`);
      await said(STRANGER, 'sim', question.id);
      await said(OWNER, 'sim zzzz');
      await said(OWNER, 'talvez', question.id);
      assert.equal(await stateOf(id), 'pending', 'a bare yes, a yes of others and a wrong code decide nothing');
      assert.match((await goOn(args)).text, /approve/);
      await said(OWNER, 'Sim.', question.id);
      assert.equal(await stateOf(id), 'approved');
      const sent = await goOn(args);
      assert.match(sent.text, /: sent, id=/);
      assert.deepEqual(sentTo(CUSTOMER).map(textOf), [args.text]);
      await said(OWNER, 'sim', question.id);
      assert.match((await goOn(args)).text, /approve/, 'the same again is asked again');
      assert.equal(sentTo(CUSTOMER).length, 1);
    });

    test('the code does as well as an answer; no is no', async () => {
      const first = await ask();
      await said(OWNER, `SIM ${first.code}`);
      assert.equal(await stateOf(first.id), 'approved');
      const second = await ask();
      await said(OWNER, 'não', second.question.id);
      assert.equal(await stateOf(second.id), 'refused');
      await said(OWNER, `sim ${second.code}`);
      assert.equal(await stateOf(second.id), 'refused', 'decided is decided');
    });

    test('without a number nothing is asked there, and it waits in the dashboard', async () => {
      assert.deepEqual(await ana.ok('DELETE', '/api/me/approver'), { ok: true });
      const before_ = sentTo(OWNER).length, args = { to: [CUSTOMER], text: 'Sem número' };
      assert.match((await tool(porteiro, connection.token, 'wa_send', args)).text, /approve/);
      const { items } = await ana.ok('GET', '/api/approvals');
      await ana.ok('POST', `/api/approvals/${items.at(-1).id}/approve`);
      assert.match((await goOn(args)).text, /: sent, id=/);
      assert.equal(sentTo(OWNER).length, before_);
    });
  });
}
