// What shells complete and what man shows: each shell takes its script, and nothing of the table of commands is missing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { mustRun, run } from '../integration/lib/process.mjs';

const porteiro = await Porteiro.create();
const words = async line => (await porteiro.cli(line)).stdout;
const nouns = [...(await words(['--help'])).matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(match => match[1]);
// [['user', 'add', ['--name', ...]], ...]
const commands = [];
for (const noun of nouns) {
  const help = await words([noun, '--help']);
  const verbs = help.startsWith(`porteiro ${noun}:`) ? [...help.split('\n\n')[2].matchAll(/^ {2}([a-z-]+)/gm)].map(match => match[1]) : [null];
  for (const verb of verbs) {
    const options = [...(await words([noun, verb, '--help'].filter(Boolean))).split('\nSettings:')[0].matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map(match => match[1]);
    commands.push([noun, verb, options]);
  }
}
async function script(shell) {
  const file = path.join(porteiro.dir, `completion.${shell}`);
  fs.writeFileSync(file, await words(['completion', shell]));
  return file;
}

describe('completions', () => {
  test('the table was read', () => {
    assert.ok(nouns.length >= 15 && commands.length >= 40, `${nouns.length}, ${commands.length}`);
    assert.ok(commands.some(([noun, verb, options]) => noun === 'connection' && verb === 'import' && options.includes('--user')));
  });

  test('bash completes commands, verbs, options and files', async () => {
    const file = await script('bash');
    await mustRun('bash', ['-n', file]);
    const complete = async line => (await mustRun('bash', ['-c', `source ${file}; COMP_WORDS=(${line.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _porteiro; printf '%s\\n' "\${COMPREPLY[@]}"`], { cwd: porteiro.dir })).stdout.trim().split('\n');
    assert.deepEqual((await complete(['porteiro', ''])).sort(), [...nouns, 'help'].sort());
    assert.deepEqual((await complete(['porteiro', 'help', ''])).sort(), [...nouns].sort());
    assert.deepEqual(await complete(['porteiro', 'help', 'user', 'pa']), ['passwd']);
    for (const noun of nouns.filter((_, i) => i % 4 === 0)) {
      const verbs = commands.filter(([n, verb]) => n === noun && verb).map(([, verb]) => verb);
      if (verbs.length) assert.deepEqual((await complete(['porteiro', noun, ''])).filter(word => !word.startsWith('-')), verbs);
    }
    assert.deepEqual(await complete(['porteiro', 'user', 'pa']), ['passwd']);
    assert.ok((await complete(['porteiro', 'connection', 'add', '--us'])).includes('--user'));
    assert.deepEqual(await complete(['porteiro', 'connection', 'add', '--secret-file', 'completion.b']), ['completion.bash']);
    const text = fs.readFileSync(file, 'utf8');
    for (const [noun, verb, options] of commands) for (const option of options) assert.ok(text.includes(option), `${noun} ${verb} ${option}`);
  });

  test('fish completes with what each means', async () => {
    const file = await script('fish');
    await mustRun('fish', ['--no-config', '-n', file]);
    const complete = async line => (await mustRun('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], { env: { ...process.env, HOME: porteiro.dir } })).stdout.trim().split('\n');
    assert.deepEqual((await complete('porteiro ')).map(line => line.split('\t')[0]).filter(word => nouns.includes(word)).sort(), [...nouns].sort());
    assert.ok((await complete('porteiro he')).some(line => line.startsWith('help\tWhat a command does')));
    assert.deepEqual((await complete('porteiro help ')).map(line => line.split('\t')[0]).filter(word => nouns.includes(word)).sort(), [...nouns].sort());
    assert.ok((await complete('porteiro help token ')).some(line => line.startsWith('revoke\t')));
    assert.ok((await complete('porteiro token ')).some(line => /^revoke\tEnds a token/.test(line)));
    assert.ok((await complete('porteiro token add --con')).some(line => line.startsWith('--confirm\t')));
  });

  test('zsh takes its script, and everything is in it', async () => {
    const file = await script('zsh');
    await mustRun('zsh', ['-n', file]);
    // Defined and run with stand-ins for the completion system: the array of options that it would get.
    const { stdout } = await mustRun('zsh', ['-fc', `compdef() { :; }; _describe() { print -l -- $words_of; }; _arguments() { print -l -- "$@"; }; source ${file}; words=(porteiro token add ''); CURRENT=4; _porteiro`]);
    assert.match(stdout, /^\*--connection\[what it is for/m);
    assert.match(stdout, /^--listen\[/m);
    const helped = await mustRun('zsh', ['-fc', `compdef() { :; }; _describe() { print -l -- $words_of; }; _arguments() { :; }; source ${file}; words=(porteiro help token ''); CURRENT=4; _porteiro`]);
    assert.match(helped.stdout, /^revoke:Ends a token/m);
    const text = fs.readFileSync(file, 'utf8');
    for (const [noun, verb, options] of commands) for (const option of options) assert.ok(text.includes(`${option}[`), `${noun} ${verb} ${option}`);
  });

  test('the manual pages are good roff and hold every command, option and setting', async () => {
    for (const page of ['porteiro', 'porteiro.conf']) {
      const file = path.join(porteiro.dir, `${page}.roff`);
      fs.writeFileSync(file, await words(['manual', page]));
      const lint = await run('mandoc', ['-T', 'lint', '-W', 'warning', file]);
      assert.equal(lint.stdout.split('\n').filter(line => line && !/missing date/.test(line)).join('\n'), '', page);
      const text = (await mustRun('mandoc', ['-T', 'utf8', '-O', 'width=200', file])).stdout.replaceAll(/.\x08/g, '');
      if (page === 'porteiro') for (const [noun, verb, options] of commands) for (const word of [[noun, verb].filter(Boolean).join(' '), ...options]) assert.ok(text.includes(word), word);
      else for (const { name, environment } of (await porteiro.json(['config', 'check'])).settings) assert.ok(text.includes(name) && text.includes(environment), name);
    }
  });

  test('an unknown shell or page is a mistake in the command line', async () => {
    for (const args of [['completion', 'powershell'], ['completion'], ['manual', 'life']]) assert.equal((await porteiro.cli(args)).code, 2, args.join(' '));
  });
});
