// A database of the earlier system, with its people: adopted as it is, and they go on logging in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fixtures } from '../integration/lib/fixtures.mjs';
import { Porteiro } from '../integration/lib/porteiro.mjs';
import { query } from '../integration/lib/postgres.mjs';
import { ROOT, mustRun } from '../integration/lib/process.mjs';

const PASSWORD = 'senha antiga de 2025';

describe("the earlier system's users", () => {
  let porteiro, hashes;
  before(async () => {
    porteiro = await Porteiro.create({ database: fixtures.postgres.port });
    const psql = sql => mustRun('psql', ['-qX', '-v', 'ON_ERROR_STOP=1', porteiro.database.url, '-c', sql]);
    for (const tag of ['0000_true_ultimatum', '0001_black_legion']) {
      await psql(fs.readFileSync(path.join(ROOT, 'db/migrations/postgres', `${tag}.sql`), 'utf8').replaceAll('--> statement-breakpoint', '\n'));
    }
    // As bcryptjs wrote them: $2a$10$.
    const { stdout } = await mustRun('php8.2', ['-r', `for ($i = 0; $i < 7; $i++) echo str_replace('$2y$', '$2a$', password_hash('${PASSWORD}' . ($i ? $i : ''), PASSWORD_BCRYPT, ['cost' => 10])), "\\n";`]);
    hashes = stdout.trim().split('\n');
    assert.match(hashes[0], /^\$2a\$10\$.{53}$/);
    for (const [i, hash] of hashes.entries()) {
      await psql(`INSERT INTO mcp_users (name, email, phone, password_hash) VALUES ('User ${i}', '${i ? `user${i}@example.test` : 'Ana@Example.test'}', '551199999000${i}', '${hash}')`);
    }
  });
  after(() => porteiro?.stop());

  const stored = () => query(porteiro.database.url, 'SELECT email, password_hash FROM mcp_users ORDER BY id');
  const check = (email, password) => porteiro.cli(['user', 'check', '--email', email, '--password-stdin'], { stdin: `${password}\n` });

  test('all seven survive migrate, byte for byte', async () => {
    assert.equal((await porteiro.cli(['migrate'])).code, 0);
    assert.deepEqual((await stored()).map(row => row.password_hash), hashes);
    assert.equal((await porteiro.json(['user', 'list'])).items.length, 7);
  });

  test('one passes user check, her old address in any case; a wrong password does not', async () => {
    assert.equal((await check('ana@example.test', `${PASSWORD}x`)).code, 1);
    assert.equal((await check('ana@example.test', PASSWORD)).code, 0);
    const rows = await stored();
    assert.match(rows[0].password_hash, /^\$argon2id\$/, 'her hash is replaced');
    assert.deepEqual(rows.slice(1).map(row => row.password_hash), hashes.slice(1), 'the others are as they were');
    assert.equal((await check('Ana@Example.test', PASSWORD)).code, 0, 'and the new one works');
  });
});
