// For tests that nothing was written: what differs between two dumps (lib/wordpress.mjs), and calls to try it with.

// What WordPress itself writes when it is only read. Everything else that changes is a failure.
const MAY_CHANGE = [
  // When and from where the application password was last used: core notes it once a day, on any request.
  { table: 'wp_usermeta', row: /"meta_key":"_application_passwords"/ },
  // Caches with a date of expiry.
  { table: 'wp_options', row: /"option_name":"(_site)?_transient_/ },
  // The scheduler's list: core adds its own recurring events on the first requests.
  { table: 'wp_options', row: /"option_name":"cron"/ },
  // Rewrite rules are rebuilt lazily from what is registered.
  { table: 'wp_options', row: /"option_name":"rewrite_rules"/ },
  // The drop-in's counters of AUTOINCREMENT, moved by transients that came and went.
  { table: 'sqlite_sequence', row: /"name":"wp_options"/ },
];

export function changes(before, after) {
  const found = [];
  for (const table of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = new Set(before[table] ?? []), now = new Set(after[table] ?? []);
    const differing = [...old].filter(row => !now.has(row)).map(row => `- ${row}`).concat([...now].filter(row => !old.has(row)).map(row => `+ ${row}`));
    for (const row of differing) {
      if (!MAY_CHANGE.some(rule => rule.table === table && rule.row.test(row))) found.push(`${table} ${row.slice(0, 300)}`);
    }
  }
  return found;
}

// A small generator with a seed, so that a failure can be repeated.
export function generator(seed) {
  let state = seed;
  const next = below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = list => list[next(list.length)];
  return { next, pick };
}
