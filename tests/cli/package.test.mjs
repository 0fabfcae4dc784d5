// What the Debian package's scripts do to the service, with stand-ins for systemd's tools: an upgrade does not close the listeners.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, mustRun, temporaryDirectory } from '../integration/lib/process.mjs';

// What a script asked for, in order. `fails`: the beginnings of commands that end with 1.
async function asked(script, args, fails = []) {
  const dir = temporaryDirectory('package'), log = path.join(dir, 'asked');
  fs.writeFileSync(log, '');
  const stands = `#!/bin/sh\nsaid="\${0##*/} $*"\necho "$said" >>'${log}'\ncase "$said" in ${[...fails, 'nothing '].map(start => `'${start}'*`).join('|')}) exit 1 ;; esac\n`;
  for (const name of ['systemctl', 'deb-systemd-helper', 'deb-systemd-invoke', 'systemd-sysusers', 'install', 'chown', 'chmod']) {
    fs.writeFileSync(path.join(dir, name), stands, { mode: 0o755 });
  }
  // The machine of this test may run without systemd.
  const text = fs.readFileSync(path.join(ROOT, 'packaging', script), 'utf8').replaceAll('/run/systemd/system', dir);
  fs.writeFileSync(path.join(dir, script), text);
  await mustRun('sh', [path.join(dir, script), ...args], { env: { PATH: `${dir}:${process.env.PATH}` } });
  return fs.readFileSync(log, 'utf8').split('\n').filter(line => /^(systemctl|deb-systemd)/.test(line));
}

const RELOAD = 'systemctl --system daemon-reload', ENABLE = 'deb-systemd-helper enable porteiro.service';
const ACTIVE = 'systemctl is-active --quiet porteiro.service', UPGRADE = 'systemctl kill --kill-whom=main --signal=USR2 porteiro.service';
const RESTART = 'deb-systemd-invoke restart porteiro.service';

for (const [what, script, args, fails, expected] of [
  ['a first installation starts it', 'postinst', ['configure', ''], [], [RELOAD, ENABLE, RESTART]],
  ['an upgrade of what runs sends SIGUSR2 to the supervisor alone', 'postinst', ['configure', '0.9.0'], [], [RELOAD, ENABLE, ACTIVE, UPGRADE]],
  ['an upgrade of what does not run restarts', 'postinst', ['configure', '0.9.0'], [ACTIVE], [RELOAD, ENABLE, ACTIVE, RESTART]],
  ['an upgrade whose signal cannot be sent restarts', 'postinst', ['configure', '0.9.0'], ['systemctl kill'], [RELOAD, ENABLE, ACTIVE, UPGRADE, RESTART]],
  ['nothing of systemd may fail an installation', 'postinst', ['configure', '0.9.0'], ['systemctl', 'deb-systemd'], [RELOAD, ENABLE, ACTIVE, RESTART]],
  ['what is undone changes nothing', 'postinst', ['abort-upgrade', '0.9.0'], [], []],
  ['an upgrade does not stop the one before', 'prerm', ['upgrade', '1.0.0'], [], []],
  ['removing stops it', 'prerm', ['remove'], [], ['deb-systemd-invoke stop porteiro.service']],
  ['the one before leaves for an upgrade', 'postrm', ['upgrade', '1.0.0'], [], [RELOAD]],
  ['removed', 'postrm', ['remove'], [], [RELOAD]],
  ['purged', 'postrm', ['purge'], [], ['deb-systemd-helper purge porteiro.service', RELOAD]],
]) {
  test(`${script} ${args.join(' ').trim()}: ${what}`, async () => assert.deepEqual(await asked(script, args, fails), expected));
}
