// What the content code makes of the documents here, judged by the block parser and serializer of real WordPress trees.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../integration/lib/process.mjs';

const corpusTest = ['build/asan', 'build-asan', 'build']
  .map(folder => path.join(ROOT, folder, 'providers-wordpress-content-corpus_test'))
  .find(file => fs.existsSync(file));

const DOCUMENTS = path.join(ROOT, 'tests/content/documents');
const folders = [];
const folder = () => {
  folders.push(fs.mkdtempSync(path.join(os.tmpdir(), 'porteiro-content-')));
  return folders.at(-1);
};
process.on('exit', () => folders.forEach(each => fs.rmSync(each, { recursive: true, force: true })));

const wordpress = version => execFileSync(path.join(ROOT, 'tests/wordpress/wp-fetch.sh'), [version], { encoding: 'utf8' }).trim();

// What becomes of the documents, in a new folder.
function convert(documents) {
  assert.ok(corpusTest, 'corpus_test is not built');
  const output = folder();
  execFileSync(corpusTest, [output, documents], { cwd: ROOT, stdio: 'pipe' });
  return output;
}

// How many things WordPress has looked at and found right.
function judge(version, documents, output) {
  const report = execFileSync('php8.2', [path.join(ROOT, 'tests/content/judge.php'), wordpress(version), documents, output], { encoding: 'utf8' });
  const [, judged] = /(\d+) judged, 0 wrong\n$/.exec(report) ?? assert.fail(report);
  return Number(judged);
}

const output = convert(DOCUMENTS);

test('200 documents go through Markdown and back, and one of a megabyte', () => {
  assert.ok(fs.readdirSync(DOCUMENTS).length >= 200);
  assert.ok(fs.readdirSync(output).length > 600);
  assert.ok(fs.statSync(path.join(output, 'large-of-all.html')).size >= 1024 * 1024);
});

test('every block type of the newest WordPress stands in a document', () => {
  const types = path.join(wordpress('new'), 'wp-includes/blocks');
  const names = fs.readdirSync(types)
    .map(name => path.join(types, name, 'block.json'))
    .filter(file => fs.existsSync(file))
    .map(file => JSON.parse(fs.readFileSync(file, 'utf8')).name);
  const all = fs.readdirSync(DOCUMENTS).map(name => fs.readFileSync(path.join(DOCUMENTS, name), 'utf8')).join('\n');
  const used = new Set([...all.matchAll(/<!-- wp:([a-z0-9/-]+)/g)].map(([, name]) => (name.includes('/') ? name : `core/${name}`)));
  assert.ok(names.length > 100);
  assert.deepEqual(names.filter(name => !used.has(name)), []);
});

for (const [version, shipped] of [['new', 200], ['old', 20]]) {
  test(`WordPress (${version}) reads the same blocks and writes them back unchanged`, () => {
    assert.ok(judge(version, DOCUMENTS, output) > 700);
  });
  test(`so it does with the templates and patterns it ships with (${version})`, () => {
    const documents = folder();
    const count = Number(execFileSync('php8.2', [path.join(ROOT, 'tests/content/shipped.php'), wordpress(version), documents], { encoding: 'utf8' }));
    assert.ok(count >= shipped, `${count} documents`);
    assert.ok(judge(version, documents, convert(documents)) > count);
  });
}
