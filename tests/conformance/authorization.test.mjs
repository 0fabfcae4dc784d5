// The official suite's scenarios for authorization servers. The suite prints where the person is to go and waits; the person here logs
// in with a browser that keeps cookies, reads the consent form, and sends it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { Flow } from '../oauth/flow.mjs';

const SUITE = path.join(import.meta.dirname, 'node_modules/conformance-alpha/dist/index.js');

describe('conformance of the authorization server', () => {
  let porteiro, flow, ana;
  before(async () => {
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    await porteiro.addConnection(fixtures.sites.new);
    flow = new Flow(porteiro);
    ana = await flow.person();
  });
  after(() => porteiro?.stop());

  // Made by an administrator, and one that registered itself. None with a secret: where a server takes clients without one too, the suite
  // does not send it (selectTokenAuthMethod), and is rightly refused.
  for (const kind of ['by hand', 'dynamic']) {
    test(`0.2.0-alpha.12, authorization scenarios, a client ${kind}`, { timeout: 120_000 }, async t => {
      const port = await freePort();
      const redirect = `http://127.0.0.1:${port}/callback`;
      const id = kind === 'dynamic' ? await flow.dynamic(redirect)
        : (await porteiro.json(['oauth-client', 'add', '--name', 'Suite', '--redirect', redirect, '--public'])).client_id;
      const args = ['authorization', '--url', porteiro.origin, '--client-id', id, '--port', String(port), '--resource', porteiro.url];
      const child = spawn(process.execPath, [SUITE, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, BROWSER: 'true' } });
      let said = '', done = false;
      const consent = async address => {
        const url = new URL(address);
        let page = await ana.request('GET', url.pathname + url.search);
        if (page.status === 200) page = await flow.decide(ana, page);
        assert.equal(page.status, 303, page.text);
        // The suite may end its side as soon as it has the code; whether it got it, its own verdict says.
        await fetch(page.headers.get('location')).then(answer => answer.text()).catch(() => {});
      };
      const look = chunk => {
        said += chunk;
        const [, address] = said.match(/(https?:\/\/\S*code_challenge=[^\s"']*)[\s"']/) ?? []; // in whole: a piece of output may end anywhere
        if (!address || done) return;
        done = true;
        consent(address).catch(error => {
          said += `\n${error}`;
          child.kill();
        });
      };
      child.stdout.setEncoding('utf8').on('data', look);
      child.stderr.setEncoding('utf8').on('data', look);
      const code = await new Promise(resolve => child.on('close', resolve));
      t.diagnostic(said.slice(said.indexOf('=== SUMMARY')).replace(/\u001b\[[0-9;]*m/g, '').replace(/\s*\n\s*/g, '; '));
      assert.equal(code, 0, said);
      assert.ok(done, 'the person was asked');
    });
  }
});
