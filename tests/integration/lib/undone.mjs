// Is the WordPress database as it was before, when a change was taken back? What WordPress itself leaves behind is named here,
// and nothing else may differ.
import { changes } from './changes.mjs';

// Columns that every save moves; the agent of a comment becomes that of whoever changed it last through the REST API.
const MOVED = { wp_comments: ['comment_agent'], wp_posts: ['post_modified', 'post_modified_gmt'], wp_postmeta: ['meta_id'], wp_commentmeta: ['meta_id'] };

const LEFT = [
  ['wp_posts', row => row.post_type === 'revision'],
  // Where an item was, for visitors with an old link; that it was in the trash; what a publication sets going.
  ['wp_postmeta', row => /^(_wp_old_(slug|date)|_wp_trash_meta_(status|time|comments_status)|_encloseme|_pingme|_edit_last|_edit_lock)$/.test(row.meta_key)],
  ['wp_commentmeta', row => /^_wp_trash_meta_/.test(row.meta_key)],
  // A cache of the core, made anew under another id.
  ['wp_options', row => /_children$/.test(row.option_name)],
  ['sqlite_sequence', () => true],
];

// A draft that was never dated has the date of its last save.
const floats = row => row.post_date_gmt === '0000-00-00 00:00:00' && ['draft', 'pending', 'auto-draft'].includes(row.post_status);

export function normal(tables, { without = [] } = {}) {
  const rules = [...LEFT, ...without];
  return Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [
      table,
      rows
        .map(text => JSON.parse(text))
        .filter(row => !rules.some(([name, matches]) => name === table && matches(row)))
        .map(row => {
          for (const column of MOVED[table] ?? []) delete row[column];
          if (table === 'wp_posts' && floats(row)) delete row.post_date;
          return JSON.stringify(row);
        })
        .sort(),
    ]),
  );
}

// What differs, as text; `without` are further [table, row => boolean] to leave out.
export const differences = (before, after, options) => changes(normal(before, options), normal(after, options));
