// Nothing is sent to what is not public. A network of its own (a namespace) in which every address there is leads back to this
// machine and is listened on: connections, uploads, featured images, client documents and redirects name private, link-local, metadata and
// loopback addresses, in all spellings and by names whose answers change. Every packet is seen by a raw socket: none may go there.
// PORTEIRO_TEST_REBINDS: how many answers of the name server change between public and private (100; ./dev soak: 10,000, and all
// spellings everywhere; the short form takes a share of them).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../integration/lib/process.mjs';

const INSIDE = path.join(import.meta.dirname, 'egress/inside.mjs');

test('no connection to what is not public, whoever names it and however', { timeout: 1_500_000 }, async () => {
  const missing = [['/usr/bin/unshare', 'util-linux'], ['/usr/sbin/ip', 'iproute2'], ['/usr/bin/python3', 'python3']].filter(([file]) => !fs.existsSync(file));
  assert.deepEqual(missing, [], `to be installed: ${missing.map(([, name]) => name).join(', ')}`);
  const own = [...(process.getuid() === 0 ? [] : ['--map-root-user']), '--net', '--mount'];
  const can = await run('unshare', [...own, 'true']);
  assert.equal(can.code, 0, `this machine gives us no network namespace (be root, or let users have user namespaces): ${can.stderr}`);
  const { code, stdout, stderr } = await run('unshare', [...own, process.execPath, '--no-warnings', INSIDE], { timeout: 1_400_000 });
  console.log(stdout.trim());
  assert.equal(code, 0, `${stdout}\n${stderr}`);
});
