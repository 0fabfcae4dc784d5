// The clock jumps while clients work (libfaketime moves it under the running server): by an hour and a day, both ways, to 1970 and beyond
// 2038. Nothing hangs, no timer is lost, and nothing that ends by the clock becomes longer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person } from '../integration/lib/api.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { callTool, legacy } from '../integration/lib/mcp.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { waitFor } from '../integration/lib/process.mjs';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const HOUR = 3600, DAY = 24 * HOUR;

describe('clock jumps', { timeout: 120_000, skip: !fs.existsSync(LIBRARY) && 'libfaketime is not installed' }, () => {
  let porteiro, token, short, person, file;
  const jump = seconds => fs.writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  const now = () => Math.floor(Date.now() / 1000);
  before(async () => {
    porteiro = await Porteiro.create();
    await porteiro.addUser();
    let id;
    ({ token, id } = await porteiro.addConnection(fixtures.sites.new));
    short = (await porteiro.addToken(id, '--expires', '12h')).token;
    file = path.join(porteiro.dir, 'clock');
    jump(0);
    // What moves is the date; monotonic time goes on, as a kernel has it. The library looks at its file on each call.
    Object.assign(porteiro.env, { LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', PORTEIRO_SANDBOX: 'off' });
    await porteiro.serve();
    person = new Person(porteiro);
    await person.login('ana@example.test', 'correct horse battery staple');
  });
  after(() => porteiro?.stop());

  const works = async what => {
    const began = performance.now();
    const result = await callTool(porteiro.url, token, 'wp_find', { limit: 1 });
    assert.ok(!result.isError, `${what}: ${result.text}`);
    assert.equal((await fetch(`${porteiro.origin}/readyz`)).status, 200, what);
    assert.ok(performance.now() - began < 20_000, `${what}: nothing hangs`);
  };
  const status = async who => (await legacy(porteiro.url, who, 'tools/list')).status;

  test('it is the server whose clock moves', async () => {
    await works('before');
    jump(3 * DAY);
    const { headers } = await fetch(`${porteiro.origin}/healthz`);
    assert.ok(Date.parse(headers.get('date')) / 1000 - now() > 2 * DAY, headers.get('date'));
    jump(0);
  });

  for (const [what, seconds] of [['an hour on', () => HOUR], ['an hour back', () => -HOUR], ['a day on', () => DAY], ['a day back', () => -DAY], ['beyond 2038', () => 2_200_000_000 - now()], ['1970', () => 86_400 - now()]]) {
    test(what, async () => {
      jump(seconds());
      await works(what);
      await works(`${what}, and on`);
      jump(0);
      await works(`${what}, and right again`);
    });
  }

  test('what ends by the clock does not become longer by jumps there and back', async () => {
    assert.equal(await status(short), 200);
    jump(13 * HOUR);
    await waitFor('it has ended', async () => (await status(short)) === 401, 10_000);
    jump(-DAY);
    await works('a day back');
    jump(13 * HOUR);
    await waitFor('it has ended all the same', async () => (await status(short)) === 401, 10_000);
    jump(60 * DAY);
    await waitFor('the login has ended', async () => (await person.call('GET', '/api/me')).status === 401, 10_000);
    jump(-DAY);
    await works('a day back, the login');
    jump(60 * DAY);
    assert.equal((await person.call('GET', '/api/me')).status, 401);
    jump(0);
    await works('right again');
  });

  test('the audit log is whole', async () => {
    await porteiro.stop();
    assert.equal((await porteiro.json(['audit', 'verify'], { env: { LD_PRELOAD: '' } })).ok, true);
  });
});
