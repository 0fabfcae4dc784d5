// The site that the tasks are done on: a seeded WordPress and a few things more, put back as it was before every task.
import { execFileSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import fs from 'node:fs';
import path from 'node:path';
import { generator } from '../integration/lib/changes.mjs';
import { rest, startWordPress } from '../integration/lib/wordpress.mjs';

const WORDS = 'harbour garden river winter copper signal market kettle window bridge lantern paper engine meadow stone thread island pocket mirror village orchard compass velvet ribbon anchor barrel candle desert ember forest glacier hollow ivory jungle'.split(' ');
export const SENTENCE = 'The old keeper counted seven ships before breakfast.';
export const RARE = 'quartz'; // stands 12 times in the long article
const HEADINGS = ['Where it began', 'The years between', 'What the letters say', 'A house by the water', 'Those who stayed', 'What is left'];

// 1,450 words in six sections, as the block editor would have stored them.
export function longArticle() {
  const { pick, next } = generator(1457);
  const words = n => Array.from({ length: n }, () => pick(WORDS)).join(' ');
  const sentence = n => words(n).replace(/^./, letter => letter.toUpperCase()) + '.';
  const paragraph = html => `<!-- wp:paragraph -->\n<p>${html}</p>\n<!-- /wp:paragraph -->`;
  const blocks = [];
  for (const [i, heading] of HEADINGS.entries()) {
    blocks.push(`<!-- wp:heading -->\n<h2 class="wp-block-heading">${heading}</h2>\n<!-- /wp:heading -->`);
    for (let k = 0; k < 4; k++) {
      const middle = i === 3 && k === 2 ? ` ${SENTENCE}` : '';
      const rare = k % 2 ? ` The ${RARE} lay in the ${pick(WORDS)}.` : '';
      const quoted = k === 0 ? ` “Grüße – ${words(2)}” &amp; more.` : '';
      blocks.push(paragraph(`${sentence(12)} <strong>${words(2)}</strong> ${sentence(14)}${middle}${quoted} ${sentence(10 + next(6))}${rare} ${sentence(13)}`));
    }
    blocks.push(`<!-- wp:list -->\n<ul class="wp-block-list">${[0, 1].map(() => `<!-- wp:list-item -->\n<li>${words(5)}</li>\n<!-- /wp:list-item -->`).join('\n\n')}</ul>\n<!-- /wp:list -->`);
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
      const db = new DatabaseSync(file, { readOnly: true });
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
