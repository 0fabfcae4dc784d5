// What search engines are told, and fields of ACF's kind: written as the plugins' names where the site's REST API offers them.
// The plugins themselves are not here: a file registers the same fields, so this shows what is sent, not that a plugin takes it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { rest, startWordPress } from './lib/wordpress.mjs';

const FIELDS = `<?php
add_action( 'init', function () {
	$text = array( 'single' => true, 'type' => 'string', 'show_in_rest' => true, 'auth_callback' => '__return_true' );
	foreach ( array( 'rank_math_title', 'rank_math_description', 'rank_math_focus_keyword' ) as $key ) { register_post_meta( 'post', $key, $text ); }
	register_post_meta( 'post', 'rank_math_robots', array( 'single' => true, 'type' => 'array', 'auth_callback' => '__return_true', 'show_in_rest' => array( 'schema' => array( 'items' => array( 'type' => 'string' ) ) ) ) );
	foreach ( array( '_yoast_wpseo_title', '_yoast_wpseo_metadesc', '_yoast_wpseo_meta-robots-noindex' ) as $key ) { register_post_meta( 'page', $key, $text ); }
} );
add_action( 'rest_api_init', function () {
	register_rest_field( 'post', 'acf', array(
		'get_callback' => function ( $post ) { return array( 'colour' => get_post_meta( $post['id'], 'colour', true ) ); },
		'update_callback' => function ( $value, $post ) { update_post_meta( $post->ID, 'colour', $value['colour'] ); },
		'schema' => array( 'type' => 'object', 'properties' => array( 'colour' => array( 'type' => 'string' ) ) ),
	) );
} );
`;

describe('SEO and further fields', () => {
  let site, porteiro, token;
  before(async () => {
    site = await startWordPress('new'); // its own: further fields would be in the way of others
    fs.writeFileSync(path.join(site.dir, 'www/wp-content/mu-plugins/fields.php'), FIELDS);
    porteiro = await (await Porteiro.create()).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(site, { as: 'admin', rights: 'read,draft,publish' }));
  });
  after(() => Promise.all([site?.stop(), porteiro?.stop()]));

  const call = (name, args) => callTool(porteiro.url, token, name, args);
  async function works(name, args) {
    const { isError, text } = await call(name, args);
    assert.ok(!isError, `${name} ${JSON.stringify(args)}: ${text}`);
    return text;
  }
  const meta = async (id, type = 'posts') => (await rest(site, `/wp/v2/${type}/${id}?context=edit`)).meta;

  test('as one plugin keeps them, with other meta beside them', async () => {
    const id = /^id (\d+)/.exec(await works('wp_create', { title: 'Seen', content: 'x', seo: { title: 'For engines', description: 'What it is', noindex: true } }))[1];
    const made = await meta(id);
    assert.deepEqual([made.rank_math_title, made.rank_math_description, made.rank_math_robots], ['For engines', 'What it is', ['noindex']]);
    await works('wp_edit', { id, set: { seo: { title: 'Better', noindex: false }, meta: { rank_math_focus_keyword: 'door' } } });
    const now = await meta(id);
    assert.deepEqual([now.rank_math_title, now.rank_math_description, now.rank_math_robots, now.rank_math_focus_keyword], ['Better', 'What it is', ['index'], 'door']);
    assert.match(await works('wp_read', { id, include: ['seo'], format: 'none' }), /seo\.title: Better\nseo\.description: What it is\nseo\.keyword: door\n/);
  });

  test('one key by seo and by meta is refused', async () => {
    const id = /^id (\d+)/.exec(await works('wp_create', { title: 'Told twice', content: 'x' }))[1];
    const { isError, text } = await call('wp_edit', { id, set: { status: 'publish', seo: { title: 'A' }, meta: { rank_math_title: 'B' } } });
    assert.ok(isError && /seo\.title and meta\.rank_math_title are the same field/.test(text), text);
    assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).status, 'draft');
  });

  test('what else robots are told stays', async () => {
    const id = /^id (\d+)/.exec(await works('wp_create', { title: 'For few', content: 'x', set: { meta: { rank_math_robots: ['index', 'nofollow', 'noarchive'] } } }))[1];
    const robots = async () => (await meta(id)).rank_math_robots;
    const undo = /undo (\d+)/.exec(await works('wp_edit', { id, set: { seo: { noindex: true } } }))[1];
    assert.deepEqual(await robots(), ['nofollow', 'noarchive', 'noindex']);
    await works('wp_edit', { undo });
    assert.deepEqual(await robots(), ['index', 'nofollow', 'noarchive']);
  });

  test('what is neither true nor false is refused', async () => {
    const id = /^id (\d+)/.exec(await works('wp_create', { title: 'Found', content: 'x', seo: { noindex: false } }))[1];
    for (const noindex of ['false', null, 0, [], {}]) {
      const { isError, text } = await call('wp_edit', { id, set: { seo: { noindex } } });
      assert.ok(isError && /seo\.noindex is true or false/.test(text), `${noindex}: ${text}`);
    }
    assert.deepEqual((await meta(id)).rank_math_robots, ['index']);
  });

  test('as the other keeps them', async () => {
    const id = /^id (\d+)/.exec(await works('wp_create', { type: 'page', title: 'Seen', content: 'x', seo: { title: 'For engines', noindex: true } }))[1];
    const made = await meta(id, 'pages');
    assert.deepEqual([made._yoast_wpseo_title, made['_yoast_wpseo_meta-robots-noindex']], ['For engines', '1']);
  });

  test('what is not offered is refused by name, and nothing is written', async () => {
    for (const [args, why] of [
      [{ seo: { og_title: 'x' } }, /og_title/],
      [{ seo: { nosuch: 'x' } }, /nosuch/],
      [{ type: 'book', seo: { title: 'x' } }, /no SEO fields/],
      [{ set: { meta: { nosuch: 'x' } } }, /nosuch/],
      [{ set: { acf: { nosuch: 'x' } } }, /nosuch/],
    ]) {
      const { isError, text } = await call('wp_create', { title: 'Not made', content: 'x', ...args });
      assert.ok(isError && why.test(text), text);
    }
    assert.deepEqual(await rest(site, '/wp/v2/posts?status=any&search=Not+made&_fields=id'), []);
  });

  test('acf', async () => {
    const id = /^id (\d+)/.exec(await works('wp_create', { title: 'Coloured', content: 'x', set: { acf: { colour: 'red' } } }))[1];
    await works('wp_edit', { id, set: { acf: { colour: 'blue' } } });
    assert.equal((await rest(site, `/wp/v2/posts/${id}`)).acf.colour, 'blue');
    assert.match(await works('wp_read', { id, include: ['fields'], format: 'none' }), /acf\.colour: blue/);
    assert.match(await works('wp_find', { status: 'draft', fields: ['acf.colour'], limit: 100 }), new RegExp(`^${id}\\t.*\\tblue`, 'm'));
  });
});
