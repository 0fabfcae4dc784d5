// Many at once: one code redeemed a thousand times, one refresh token used fifty times at the same moment, an old one that comes again.
// On SQLite; on PostgreSQL with two workers; and with two nodes. OAUTH_ROUNDS: how often the fifty meet (./dev soak: 200).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { legacy } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { sleep, waitFor } from '../integration/lib/process.mjs';
import { Flow, REDIRECT, pkce } from './flow.mjs';

const ROUNDS = Number(process.env.OAUTH_ROUNDS ?? 4);
const REDEMPTIONS = 1000;
const GRACE_S = 3;

const WAYS = {
  sqlite: { nodes: 1, workers: 1 },
  'postgres, two workers': { nodes: 1, workers: 2 },
  'postgres, two nodes': { nodes: 2, workers: 1 },
};

for (const [way, { nodes, workers }] of Object.entries(WAYS)) {
  describe(`many at once (${way})`, () => {
    let all, flows, flow, ana;
    // The same public address on all nodes, as behind a balancer: each takes its own and the first one's.
    before(async () => {
      const env = { PORTEIRO_WORKERS: String(workers), PORTEIRO_OAUTH_GRACE: String(GRACE_S), PORTEIRO_TRUSTED_PROXIES: '127.0.0.1', PORTEIRO_ACCESS_LOG: 'off' };
      const first = await Porteiro.create({ database: way === 'sqlite' ? 'sqlite' : fixtures.postgres.port, env });
      await first.serve();
      await first.addUser();
      await first.addConnection(fixtures.sites.new);
      all = [first];
      for (let i = 1; i < nodes; i++) {
        const node = Object.assign(new Porteiro(), { ...first, server: null, port: await freePort() });
        node.origin = `http://127.0.0.1:${node.port}`;
        node.log = `${first.log}.${i}`;
        node.env = { ...first.env, PORTEIRO_LISTEN: `127.0.0.1:${node.port}` };
        await node.serve();
        all.push(node);
      }
      flows = all.map(node => new Flow(node, { origin: node.origin, resource: `${first.origin}/mcp` }));
      [flow] = flows;
      ana = await flow.person();
    });
    after(() => Promise.all((all ?? []).map(node => node.stop())));

    const on = i => flows[i % flows.length];
    const works = async (token, i = 0) => (await legacy(`${all[i % all.length].origin}/mcp`, token, 'tools/list')).status === 200;

    test(`a code, ${REDEMPTIONS} times at once: one success, and its family is over`, async () => {
      const client = await flow.dynamic();
      const { verifier, challenge } = pkce();
      const { code } = await flow.consent(ana, flow.address(client, { challenge }));
      const fields = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT, client_id: client };
      const answers = await Promise.all(Array.from({ length: REDEMPTIONS }, (_, i) => on(i).token(fields)));
      const good = answers.filter(answer => answer.status === 200);
      assert.equal(good.length, 1);
      assert.ok(answers.every(answer => answer.status === 200 || (answer.status === 400 && answer.json.error === 'invalid_grant')), answers.map(answer => answer.status).join());
      await waitFor('the access token to be over everywhere', async () => !(await works(good[0].json.access_token, 0)) && !(await works(good[0].json.access_token, 1)), 5000);
      assert.equal((await flow.refresh(client, good[0].json.refresh_token)).json.error, 'invalid_grant');
    });

    test(`a refresh token, fifty times at once, ${ROUNDS} times: one successor, nobody is logged out`, async () => {
      const client = await flow.dynamic();
      let { refresh_token } = await flow.login(ana, client);
      for (let round = 0; round < ROUNDS; round++) {
        const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => on(i).refresh(client, refresh_token)));
        assert.deepEqual([...new Set(answers.map(answer => answer.status))], [200], answers.find(answer => answer.status !== 200)?.text);
        assert.equal(new Set(answers.map(answer => answer.json.refresh_token)).size, 1);
        assert.equal(new Set(answers.map(answer => answer.json.access_token)).size, 1);
        assert.ok(await works(answers[0].json.access_token, round));
        ({ refresh_token } = answers[0].json);
      }
    });

    test('an old refresh token after the grace ends the family within a second, everywhere', async () => {
      const client = await flow.dynamic();
      const first = await flow.login(ana, client);
      const second = await flow.refresh(client, first.refresh_token);
      assert.equal(second.status, 200);
      for (let i = 0; i < all.length; i++) assert.ok(await works(second.json.access_token, i));
      await sleep((GRACE_S + 0.2) * 1000);
      assert.equal((await flow.refresh(client, first.refresh_token)).json.error, 'invalid_grant');
      const begun = Date.now();
      await waitFor('the family to be over', async () => {
        for (let i = 0; i < all.length; i++) if (await works(second.json.access_token, i)) return false;
        return true;
      }, 5000);
      assert.ok(Date.now() - begun < 1500, `${Date.now() - begun} ms`);
      assert.equal((await flow.refresh(client, second.json.refresh_token)).json.error, 'invalid_grant');
      const { items } = await all[0].json(['audit', 'list', '--limit', '50']);
      assert.ok(items.some(item => item.action === 'oauth.replay'));
    });
  });
}
