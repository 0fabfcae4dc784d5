// Many at once: one code redeemed a thousand times, one refresh token used fifty times at the same moment, an old one that comes again.
// On SQLite; on PostgreSQL with two workers; and with two nodes. OAUTH_ROUNDS: how often the fifty meet (./dev soak: 200).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { legacy } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
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
    // The same public address on all nodes, as behind a balancer: each takes its own and the first one's. A node is a machine of its own:
    // nothing but the database and the key is shared with it, no counter in a data directory, no memory.
    before(async () => {
      const env = { PORTEIRO_WORKERS: String(workers), PORTEIRO_OAUTH_GRACE: String(GRACE_S), PORTEIRO_TRUSTED_PROXIES: '127.0.0.1', PORTEIRO_ACCESS_LOG: 'off' };
      const first = await Porteiro.create({ database: way === 'sqlite' ? 'sqlite' : fixtures.postgres.port, env });
      await first.serve();
      await first.addUser();
      await first.addConnection(fixtures.sites.new);
      all = [first];
      for (let i = 1; i < nodes; i++) {
        const env2 = { ...env, DATABASE_URL: first.database.url, PORTEIRO_PUBLIC_URL: first.origin, PORTEIRO_SECRET_KEY_FILE: `${first.dir}/master.key` };
        all.push(await (await Porteiro.create({ env: env2 })).serve());
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

    test('an old refresh token after the grace ends the family within a second, everywhere', async t => {
      const client = await flow.dynamic();
      const first = await flow.login(ana, client);
      const second = await flow.refresh(client, first.refresh_token);
      assert.equal(second.status, 200);
      // On each process a client that never pauses (fetch keeps several connections, so both workers of one node are asked): when did its
      // last call that still succeeded begin? The token is in every cache by then.
      const last = all.map(() => 0);
      let over = false;
      const callers = [...all, ...all].map(async (_, i) => {
        while (!over) {
          const begun = performance.now();
          if (await works(second.json.access_token, i)) last[i % all.length] = Math.max(last[i % all.length], begun);
          await sleep(10);
        }
      });
      await sleep((GRACE_S + 0.2) * 1000);
      assert.ok(last.every(begun => begun > 0));
      assert.equal((await flow.refresh(client, first.refresh_token)).json.error, 'invalid_grant');
      const ended = performance.now();
      await sleep(1500);
      over = true;
      await Promise.all(callers);
      const late = last.map(begun => Math.max(0, begun - ended));
      t.diagnostic(`oauth family over (${way}): calls that began ${late.map(ms => ms.toFixed(0)).join(' and ')} ms after the end were the last to succeed`);
      assert.ok(late.every(ms => ms < 1000), late.join());
      assert.equal((await flow.refresh(client, second.json.refresh_token)).json.error, 'invalid_grant');
      const { items } = await all[0].json(['audit', 'list', '--limit', '50']);
      assert.ok(items.some(item => item.action === 'oauth.replay'));
    });
  });
}
