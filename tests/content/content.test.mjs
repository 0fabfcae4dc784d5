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

const output = fs.mkdtempSync(path.join(os.tmpdir(), 'porteiro-content-'));
process.on('exit', () => fs.rmSync(output, { recursive: true, force: true }));

test('the corpus goes through Markdown and back', () => {
  assert.ok(corpusTest, 'corpus_test is not built');
  execFileSync(corpusTest, [output], { cwd: ROOT, stdio: 'pipe' });
  assert.ok(fs.readdirSync(output).length > 200);
});

for (const version of ['new', 'old']) {
  test(`WordPress (${version}) reads the same blocks and writes them back unchanged`, () => {
    const wordpress = execFileSync(path.join(ROOT, 'tests/wordpress/wp-fetch.sh'), [version], { encoding: 'utf8' }).trim();
    const report = execFileSync(
      'php8.2',
      [path.join(ROOT, 'tests/content/judge.php'), wordpress, path.join(ROOT, 'tests/content/documents'), output],
      { encoding: 'utf8' },
    );
    const [, judged] = /(\d+) judged, 0 wrong\n$/.exec(report) ?? [];
    assert.ok(Number(judged) > 200, report);
  });
}
