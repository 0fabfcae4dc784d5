// The site that the tasks are done on: a seeded WordPress and a few things more, put back as it was before every task.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { generator } from '../integration/lib/changes.mjs';
import { openSqlite } from '../integration/lib/sqlite.mjs';
import { rest, startWordPress } from '../integration/lib/wordpress.mjs';

const WORDS = 'sea boat rain hill stone town door lamp bread salt wind road tree bell night snow bird fire ship tide wood gate roof song well field barn coat rope sand star mill river winter garden market window letter summer'.split(' ');
export const SENTENCE = 'The old keeper counted seven ships before breakfast.';
export const RARE = 'quartz'; // stands 12 times in the long article
const HEADINGS = ['Where it began', 'The years between', 'What the letters say', 'A house by the water', 'Those who stayed', 'What is left'];

// Six sections as the block editor would have stored them, of the size that the goals were measured with: 1,457 words, 10,414 bytes
// of blocks (the seed is one with which it comes out so) and 1,572 tokens as Markdown; there it was 1,556.
export function longArticle() {
  const { pick } = generator(1381);
  const words = n => Array.from({ length: n }, () => pick(WORDS)).join(' ');
  const sentence = n => words(n).replace(/^./, letter => letter.toUpperCase()) + '.';
  const paragraph = html => `<!-- wp:paragraph -->\n<p>${html}</p>\n<!-- /wp:paragraph -->`;
  const blocks = [];
  for (const [i, heading] of HEADINGS.entries()) {
    blocks.push(`<!-- wp:heading -->\n<h2 class="wp-block-heading">${heading}</h2>\n<!-- /wp:heading -->`);
    for (let k = 0; k < 3; k++) {
      const isFirst = i === 0 && k === 0;
      const middle = i === 3 && k === 2 ? ` ${SENTENCE}` : '';
      const rare = k > 0 ? ` The ${RARE} lay in the ${pick(WORDS)}.` : '';
      const quoted = isFirst ? ` “Grüße – ${words(2)}” &amp; more.` : '';
      const first = sentence(28);
      const subject = k === 1 && i % 2 ? `The <strong>${words(2)}</strong> was` : `The ${words(2)} was`;
      blocks.push(paragraph(`${first} ${subject} ${words(20)}.${middle}${quoted} ${sentence(isFirst ? 37 : 18)}${rare}`));
    }
    blocks.push(`<!-- wp:list -->\n<ul class="wp-block-list">${[0, 1].map(() => `<!-- wp:list-item -->\n<li>${words(6)}</li>\n<!-- /wp:list-item -->`).join('\n\n')}</ul>\n<!-- /wp:list -->`);
  }
  return blocks.join('\n\n');
}

async function addContent(site) {
  const post = (route, body) => rest(site, route, { method: 'POST', body });
  const fx = { headings: HEADINGS, article: longArticle() };
  for (const name of ['News', 'Guides']) fx[name] = (await post('/wp/v2/categories', { name })).id;
  for (const name of ['alpha', 'beta']) fx[name] = (await post('/wp/v2/tags', { name })).id;
  const [writer] = await rest(site, '/wp/v2/users?slug=writer5');
  fx.long = (await post('/wp/v2/posts', { title: 'The long article', slug: 'bench-long', status: 'publish', content: fx.article, author: writer.id })).id;
  fx.later = (await post('/wp/v2/posts', { title: 'To be scheduled', content: 'x' })).id;
  fx.trash = [];
  for (const n of [1, 2, 3]) fx.trash.push((await post('/wp/v2/posts', { title: `Old notice ${n}`, content: 'x', status: 'publish' })).id);
  fx.oldDrafts = [];
  for (const n of [1, 2, 3]) fx.oldDrafts.push((await post('/wp/v2/posts', { title: `Forgotten ${n}`, content: 'x', date: `2026-0${n}-02T10:00:00` })).id);
  await post('/wp/v2/posts', { title: 'Fresh draft', content: 'x' });
  fx.tagged = (await rest(site, '/wp/v2/posts?per_page=20&orderby=id&order=asc&_fields=id')).map(item => item.id);
  fx.comments = [];
  for (let n = 1; n <= 7; n++) fx.comments.push((await post('/wp/v2/comments', { post: fx.long, content: `Waiting ${n}`, status: 'hold', author_name: `Reader ${n}`, author_email: `r${n}@example.test` })).id);
  const [page] = await rest(site, '/wp/v2/pages?slug=page-9');
  fx.page = page.id;
  const [menu] = await rest(site, '/wp/v2/menus?slug=main');
  fx.menu = menu.id;
  fx.raw = (await rest(site, `/wp/v2/posts/${fx.long}?context=edit`)).content.raw;
  return fx;
}

export async function startFixture(wp) {
  const site = await startWordPress(wp);
  const file = path.join(site.dir, 'www/wp-content/database/.ht.sqlite'), kept = path.join(site.dir, 'fixture.sqlite');
  const fx = await addContent(site);
  fs.copyFileSync(file, kept);
  return {
    site,
    fx,
    reset: () => fs.copyFileSync(kept, file),
    stop: () => site.stop(),
    // Rows as objects, straight from WordPress's database.
    sql(text, ...values) {
      const db = openSqlite(file, { readOnly: true });
      try {
        return db.prepare(text).all(...values).map(row => ({ ...row }));
      } finally {
        db.close();
      }
    },
    // What the block parser of this WordPress makes of a text.
    blocks: content => JSON.parse(execFileSync('php8.2', [path.join(import.meta.dirname, 'blocks.php'), path.join(site.dir, 'www')], { input: content, encoding: 'utf8' })),
    // How many requests it has had.
    requests: () => fs.readFileSync(path.join(site.dir, 'server.log'), 'utf8').split(' Accepted').length - 1,
  };
}
