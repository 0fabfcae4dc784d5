// What run.mjs started once for all test files: {postgres: {port}, sites: {new, old}}.
if (!process.env.PORTEIRO_TEST_FIXTURES) {
  throw new Error('run these tests with: node tests/integration/run.mjs [FILE...]');
}
export const fixtures = JSON.parse(process.env.PORTEIRO_TEST_FIXTURES);

// The pairs that must work: the newest WordPress on PostgreSQL, the oldest on SQLite; the other way round in ./dev soak.
const others = [
  { name: 'WordPress 7.1.1, SQLite', site: fixtures.sites.new, database: 'sqlite' },
  { name: 'WordPress 6.1, PostgreSQL', site: fixtures.sites.old, database: fixtures.postgres.port },
];
export const PAIRS = process.env.PORTEIRO_TEST_PAIRS === 'other' ? others : [
  { name: 'WordPress 7.1.1, PostgreSQL', site: fixtures.sites.new, database: fixtures.postgres.port },
  { name: 'WordPress 6.1, SQLite', site: fixtures.sites.old, database: 'sqlite' },
];
