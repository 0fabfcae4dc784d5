// A SQLite database that a server has open, too.
import { DatabaseSync } from 'node:sqlite';

// Waits for who writes, and for what repairs the file after a kill, instead of failing at once.
export function openSqlite(file, options = {}) {
  const database = new DatabaseSync(file, options);
  database.exec('PRAGMA busy_timeout = 10000');
  return database;
}
