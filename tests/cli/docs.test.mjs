// Every command of the papers is run: the blocks marked sh of README and docs/, in order, each paper on its own new data. What is not ours
// (apt-get, systemctl, clients) is a stand-in that only notes its arguments; a password that a person would type comes from the test.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startFakeSite } from '../integration/lib/fake-site.mjs';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { PROGRAM, Porteiro } from '../integration/lib/porteiro.mjs';
import { ROOT, run } from '../integration/lib/process.mjs';

const papers = ['README.md', 'README.pt-BR.md', ...fs.readdirSync(path.join(ROOT, 'docs')).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)];
const OTHERS = ['apt-get', 'systemctl', 'journalctl', 'claude', 'man', 'dev'];
const blocks = paper => [...fs.readFileSync(path.join(ROOT, paper), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(match => match[1]);

describe('the papers', () => {
  let site;
  before(async () => (site = await startFakeSite(fixtures.sites.new)));
  after(() => site?.stop());

  // A folder where `porteiro`, `build/porteiro` and `./dev` are what the papers mean, and nothing else can be reached by mistake.
  function prepare(porteiro) {
    const dir = path.join(porteiro.dir, 'papers');
    fs.mkdirSync(path.join(dir, 'build'), { recursive: true });
    const script = (name, text) => fs.writeFileSync(path.join(dir, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    script('porteiro', `args=()
      for arg in "$@"; do arg=\${arg//https:\\/\\/blog.example.com/${site.url}}; arg=\${arg//https:\\/\\/example.com/${site.url}}; arg=\${arg/#ana/ana}; args+=("$arg"); done
      next=0; for i in "\${!args[@]}"; do if ((next)) && [[ \${args[i]} == ana ]]; then args[i]=editor; fi; next=0; [[ \${args[i]} != --username ]] || next=1; done
      case "$1 $2" in
      "user add" | "user passwd") exec ${PROGRAM} "\${args[@]}" --password-stdin <<<"correct horse battery staple" ;;
      "connection add" | "connection set-secret") exec ${PROGRAM} "\${args[@]}" --secret-stdin <<<"${site.users.editor.app_password}" ;;
      "serve "*) timeout -s TERM 3 ${PROGRAM} "\${args[@]}" || [[ $? == 124 ]] ;;
      *) exec ${PROGRAM} "\${args[@]}" ;;
      esac`);
    fs.copyFileSync(path.join(dir, 'porteiro'), path.join(dir, 'build/porteiro'));
    script('sudo', '[[ $1 == -u ]] && shift 2; exec "$@"');
    script('curl', `args=(); for arg in "$@"; do args+=("\${arg//http:\\/\\/127.0.0.1:8080/$ORIGIN}"); done; exec /usr/bin/curl "\${args[@]}"`);
    for (const name of OTHERS) script(name, `echo "${name} $*"`);
    fs.writeFileSync(path.join(dir, 'sites.csv'), `url,username,app_password\n${site.url},editor,${site.users.editor.app_password}\n`);
    return dir;
  }

  for (const paper of papers.filter(name => blocks(name).length)) {
    test(`${paper}: ${blocks(paper).length} blocks`, async t => {
      const porteiro = await Porteiro.create();
      const dir = prepare(porteiro);
      const env = { ...porteiro.env, PATH: `${dir}:/usr/bin:/bin`, HOME: dir, ORIGIN: porteiro.origin };
      let lines = 0;
      // Papers speak of what earlier ones made: everyone but the one that makes them has a person and a connection.
      if (!/user add/.test(blocks(paper).join(''))) {
        await porteiro.addUser('ana@example.com');
        await porteiro.addConnection(site, { user: 'ana@example.com' });
      }
      for (const block of blocks(paper)) {
        if (/\$PORTEIRO_TOKEN/.test(block)) {
          env.PORTEIRO_TOKEN = (await porteiro.addToken(1)).token;
          await porteiro.serve();
        }
        const { code, stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', block], { cwd: dir, env, timeout: 60_000 });
        assert.equal(code, 0, `${block}\n${stdout.slice(-500)}${stderr.slice(-1500)}`);
        lines += block.trim().split('\n').length;
      }
      await porteiro.stop();
      t.diagnostic(`${paper}: ${lines} lines of commands`);
    });
  }

  test('every command that is named in passing exists', async () => {
    const porteiro = await Porteiro.create();
    const nouns = [...(await porteiro.cli(['--help'])).stdout.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(match => match[1]);
    nouns.push('help'); // of them, and none itself
    for (const paper of papers) {
      for (const [whole, noun, verb] of fs.readFileSync(path.join(ROOT, paper), 'utf8').matchAll(/`porteiro ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?[^`]*`/g)) {
        assert.ok(nouns.includes(noun), `${paper}: ${whole}`);
        const help = (await porteiro.cli([noun, '--help'])).stdout;
        if (verb && help.startsWith(`porteiro ${noun}:`)) assert.equal((await porteiro.cli([noun, verb, '--help'])).code, 0, `${paper}: ${whole}`);
      }
    }
  });

  test('links between the papers lead somewhere', () => {
    for (const paper of papers) for (const [, target] of fs.readFileSync(path.join(ROOT, paper), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) assert.ok(fs.existsSync(path.join(ROOT, path.dirname(paper), target)), `${paper}: ${target}`);
  });
});
