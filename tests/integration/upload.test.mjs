// wp_upload on real sites: from an address, from base64, by link; judged by the bytes on WordPress's disk and by its own REST API.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { pdf, png, sha256, startSource } from './lib/files.mjs';
import { startFakeSite } from './lib/fake-site.mjs';
import { PAIRS } from './lib/fixtures.mjs';
import { callTool } from './lib/mcp.mjs';
import { Porteiro } from './lib/porteiro.mjs';
import { temporaryDirectory } from './lib/process.mjs';
import { openSqlite } from './lib/sqlite.mjs';
import { rest } from './lib/wordpress.mjs';

const MIB = 1 << 20;
const ENV = { PORTEIRO_TOKEN_WRITES_PER_MINUTE: '0', PORTEIRO_TOKEN_CALLS_PER_MINUTE: '0', PORTEIRO_MAX_UPLOAD: '80' };
const curl = promisify(execFile);

const small = png(20);
const large = png(1000); // about 3 MB

const files = {
  '/photo.png': small,
  '/large.png': large,
  '/chunked.png': (request, response) => { response.write(small.subarray(0, 100)); response.end(small.subarray(100)); },
  '/wrong-name.jpg': small,
  '/no-name': (request, response) => response.writeHead(200, { 'Content-Disposition': 'attachment; filename="Türen & Tore.png"' }).end(small),
  '/moved': (request, response) => response.writeHead(302, { Location: '/photo.png' }).end(),
  '/loop': (request, response) => response.writeHead(302, { Location: '/loop' }).end(),
  '/private': (request, response) => response.writeHead(302, { Location: 'http://10.1.2.3/photo.png' }).end(),
  '/metadata': (request, response) => response.writeHead(302, { Location: 'http://169.254.169.254/latest/meta-data/x.png' }).end(),
  '/page.png': Buffer.from('<!DOCTYPE html><title>Log in</title>'),
  '/drawing.svg': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
  '/shell.php': Buffer.from('<?php system($_GET["x"]);'),
  '/shell.jpg': Buffer.from('<?php system($_GET["x"]);'),
  '/paper.pdf': small,
  '/huge.pdf': (request, response) => response.writeHead(200, { 'Content-Length': 81 * MIB }).end(),
  '/endless.pdf': (request, response) => {
    const block = pdf(MIB);
    const write = () => { while (!response.destroyed && response.write(block)); };
    response.on('drain', write);
    write();
  },
  '/broken.pdf': (request, response) => {
    response.writeHead(200, { 'Content-Length': MIB });
    response.write(pdf(MIB / 2));
    setTimeout(() => response.destroy(), 50);
  },
  '/login': (request, response) => response.writeHead(403).end('no'),
  '/packed.png': (request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(small),
};

for (const pair of PAIRS) {
  describe(`wp_upload: ${pair.name}`, () => {
    const { site } = pair;
    let porteiro, token, draftToken, deleter, connection, source;
    before(async () => {
      source = await startSource(files);
      porteiro = await (await Porteiro.create({ ...pair, env: { ...ENV, ...(pair.database !== 'sqlite' && { PORTEIRO_WORKERS: '3' }) } })).serve();
      await porteiro.addUser();
      connection = await porteiro.addConnection(site, { rights: 'read,draft,publish,fetch' });
      ({ token } = connection);
      ({ token: deleter } = await porteiro.addToken(connection.id, '--rights', 'read,draft,publish,delete'));
      ({ token: draftToken } = await porteiro.addToken(connection.id, '--rights', 'read,draft'));
    });
    after(async () => {
      await porteiro?.stop();
      await source?.stop();
    });

    async function works(args, as = token, name = 'wp_upload') {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(!isError, `${name} ${JSON.stringify(args).slice(0, 200)}: ${text}`);
      return text;
    }
    async function fails(args, as = token, name = 'wp_upload') {
      const { isError, text } = await callTool(porteiro.url, as, name, args);
      assert.ok(isError, `${name} ${JSON.stringify(args).slice(0, 200)} should fail: ${text}`);
      return text;
    }
    const idOf = text => Number(/id (\d+)/.exec(text)[1]);
    const media = id => rest(site, `/wp/v2/media/${id}?context=edit`);
    const count = async () => (await rest(site, '/wp/v2/media?per_page=100&_fields=id')).length;
    const linkOf = text => /'(http[^']+)'/.exec(text)[1];
    const newPost = async (status = 'draft') => (await rest(site, '/wp/v2/posts', { method: 'POST', user: 'editor', body: { title: 'With an image', status } })).id;

    // The bytes as they lie in wp-content/uploads.
    function onDisk(item) {
      const file = new URL(item.source_url).pathname.split('/wp-content/uploads/')[1];
      return fs.readFileSync(path.join(site.dir, 'www/wp-content/uploads', decodeURIComponent(file)));
    }
    async function nothingNew(work) {
      const before = await count();
      const text = await work();
      assert.equal(await count(), before, 'no attachment is left');
      assert.deepEqual(fs.readdirSync(path.join(porteiro.dir, 'tmp')), [], 'no file is left');
      return text;
    }

    test('uploads for the same two posts, each the other way round, do not wait for each other without end', { timeout: 60_000 }, async () => {
      const [a, b] = [await newPost(), await newPost()];
      const url = `${source.url}/photo.png`;
      for (let round = 0; round < 3; round++) {
        const begun = performance.now();
        const texts = await Promise.all([works({ url, featured_for: a, attach_to: b }), works({ url, featured_for: b, attach_to: a })]);
        assert.ok(performance.now() - begun < 15_000, 'neither waits until its deadline');
        assert.deepEqual(await Promise.all(texts.map(async text => (await media(idOf(text))).post)), [b, a]);
      }
    });

    test('from an address: bytes, alt, title, caption, attached and featured', async () => {
      const post = await newPost();
      const text = await works({ url: `${source.url}/photo.png`, alt: 'A “door”', title: 'Door', caption: 'Open & <b>wide</b>', featured_for: post });
      const item = await media(idOf(text));
      assert.equal(sha256(onDisk(item)), sha256(small));
      assert.equal(item.alt_text, 'A “door”');
      assert.equal(item.title.raw, 'Door');
      assert.equal(item.caption.raw, 'Open & <b>wide</b>');
      assert.equal(item.post, post);
      assert.equal(item.mime_type, 'image/png');
      assert.equal((await rest(site, `/wp/v2/posts/${post}?context=edit`)).featured_media, item.id);
      assert.ok(text.includes(item.source_url) && /1\.\d kB/.test(text), text);
      assert.ok(text.length < 200, text);
      const { headers } = source.requests.at(-1);
      assert.equal(headers.authorization, undefined, 'no credential goes outside');
      assert.equal(headers.traceparent, undefined);
    });

    test('3 MB, without a length, behind a redirect, under another name', async () => {
      assert.equal(sha256(onDisk(await media(idOf(await works({ url: `${source.url}/large.png` }))))), sha256(large));
      assert.equal(sha256(onDisk(await media(idOf(await works({ url: `${source.url}/chunked.png` }))))), sha256(small));
      assert.equal(sha256(onDisk(await media(idOf(await works({ url: `${source.url}/moved` }))))), sha256(small));
      const renamed = await works({ url: `${source.url}/wrong-name.jpg` });
      assert.match(renamed, /stored as wrong-name\.png/);
      assert.match((await media(idOf(renamed))).source_url, /wrong-name(-\d+)?\.png$/);
      const named = await works({ url: `${source.url}/no-name` });
      assert.match(decodeURIComponent((await media(idOf(named))).source_url), /T.*ren.*Tore(-\d+)?\.png$/);
    });

    test('long texts go in a second request; attach_to alone', async () => {
      const post = await newPost();
      const caption = 'Ein langer Satz über Türen. '.repeat(60).trim();
      const item = await media(idOf(await works({ url: `${source.url}/photo.png`, caption, alt: 'x', attach_to: post, filename: 'my door.png' })));
      assert.equal(item.caption.raw, caption);
      assert.equal(item.alt_text, 'x');
      assert.equal(item.post, post);
      assert.match(item.source_url, /my-door(-\d+)?\.png$/);
      assert.equal((await rest(site, `/wp/v2/posts/${post}?context=edit`)).featured_media, 0);
    });

    test('base64', async () => {
      const item = await media(idOf(await works({ data: small.toString('base64').replace(/(.{76})/g, '$1\n'), filename: 'small.png' }, draftToken)));
      assert.equal(sha256(onDisk(item)), sha256(small));
      const nameless = await media(idOf(await works({ data: `data:image/png;base64,${small.toString('base64')}` }, draftToken)));
      assert.equal(sha256(onDisk(nameless)), sha256(small));
      const list = await media(idOf(await works({ data: btoa('a;b\n1;2\n'), filename: 'list.csv' }, draftToken)));
      assert.equal(list.mime_type, 'text/csv');
      await nothingNew(async () => {
        assert.match(await fails({ data: '%%%' }), /not base64/);
        assert.match(await fails({ data: small.toString('base64'), url: source.url }), /not both/);
        assert.match(await fails({ data: Buffer.alloc(301 * 1024, 'x').toString('base64') }), /under 200 kB/);
        assert.match(await fails({ data: btoa('just words') }), /cannot be told/);
      });
    });

    test('by link, with curl: 3 MB, once; the audit has intent and outcome', async () => {
      const post = await newPost();
      const text = await works({ alt: 'By link', featured_for: post }, draftToken);
      assert.match(text, /within 20 minutes, once, up to 80 MB/);
      assert.ok(text.length < 250, text);
      const link = linkOf(text);
      const file = path.join(temporaryDirectory('upload'), 'Große Tür.png');
      fs.writeFileSync(file, large);
      const { stdout } = await curl('curl', ['-sS', '-T', file, link]);
      const answer = JSON.parse(stdout);
      const item = await media(answer.id);
      assert.equal(answer.sha256, sha256(large));
      assert.equal(sha256(onDisk(item)), sha256(large));
      assert.equal(answer.bytes, large.length);
      assert.equal(item.alt_text, 'By link');
      assert.equal((await rest(site, `/wp/v2/posts/${post}?context=edit`)).featured_media, item.id);
      const again = await fetch(link, { method: 'PUT', body: small });
      assert.equal(again.status, 410);
      assert.match((await again.json()).error.message, /used already/);
      const events = await porteiro.json(['audit', 'list', '--limit', '20']);
      const rows = (events.items ?? events).filter(row => row.action.startsWith('tool.wp_upload'));
      const [outcome, intent] = rows;
      assert.equal(intent.action, 'tool.wp_upload.intent');
      assert.equal(outcome.action, 'tool.wp_upload');
      assert.equal(outcome.data.done.sha256, sha256(large));
      assert.equal(outcome.data.link, intent.data.link);
      assert.ok(!JSON.stringify(rows).includes(link.split('/u/')[1].slice(0, -1)), 'the link itself is nowhere');
      assert.ok(!fs.readFileSync(porteiro.log, 'utf8').includes('prt_upl_'), 'nor in the log');
    });

    test('by link: chunked, with a name in the address; two at once', async () => {
      const link = linkOf(await works({}));
      const streamed = new ReadableStream({
        start(controller) {
          for (let at = 0; at < large.length; at += 50_000) controller.enqueue(large.subarray(at, at + 50_000));
          controller.close();
        },
      });
      const response = await fetch(`${link}a%20door.png`, { method: 'PUT', body: streamed, duplex: 'half' });
      const answer = await response.json();
      assert.equal(response.status, 201, JSON.stringify(answer));
      assert.equal(sha256(onDisk(await media(answer.id))), sha256(large));
      const race = linkOf(await works({}));
      const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await fetch(`${race}x.png`, { method: 'PUT', body: small })).status));
      assert.deepEqual(statuses.toSorted(), [201, 410, 410, 410, 410, 410, 410, 410]);
    });

    // SQLite has one process.
    if (pair.database !== 'sqlite') test('a link works on every worker, and on another node', async () => {
      const other = await Porteiro.create({ env: { ...ENV, DATABASE_URL: porteiro.database.url, PORTEIRO_SECRET_KEY: fs.readFileSync(path.join(porteiro.dir, 'master.key'), 'utf8').trim() } });
      await other.serve();
      try {
        for (const origin of [other.origin, porteiro.origin, porteiro.origin, porteiro.origin]) {
          const link = new URL(linkOf(await works({ title: 'From elsewhere' })));
          const response = await fetch(`${origin}${link.pathname}x.png`, { method: 'PUT', body: small });
          const answer = await response.json();
          assert.equal(response.status, 201, JSON.stringify(answer));
          assert.equal((await media(answer.id)).title.raw, 'From elsewhere');
        }
      } finally {
        await other.stop();
      }
    });

    test('an upload is in the history; the featured image can be taken back, the file only deleted', async () => {
      const post = await newPost();
      const text = await works({ url: `${source.url}/photo.png`, title: 'Soon gone', featured_for: post });
      const history = await works({ limit: 3 }, token, 'wp_history');
      assert.match(history, /Soon gone/);
      const undos = [...text.matchAll(/undo (\d+)/g)].map(([, number]) => number);
      assert.equal(undos.length, 1, text);
      await works({ undo: undos[0] }, token, 'wp_edit');
      assert.equal((await rest(site, `/wp/v2/posts/${post}?context=edit`)).featured_media, 0);
      assert.match(await fails({ undo: String(undos[0] - 1) }, deleter, 'wp_edit'), /no trash for media.*permanent=true/);
    });

    test('what a link does not take', async () => {
      await nothingNew(async () => {
        const unknown = await fetch(`${porteiro.origin}/u/prt_upl_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3U6HCh/`, { method: 'PUT', body: small });
        assert.equal(unknown.status, 404);
        const link = linkOf(await works({}));
        assert.equal((await fetch(link)).status, 405);
        assert.equal((await fetch(link, { method: 'PUT' })).status, 400);
        assert.equal((await fetch(link, { method: 'PUT', body: small, headers: { Origin: 'https://evil.example' } })).status, 403);
        const page = await fetch(`${link}x.png`, { method: 'PUT', body: '<html>' });
        assert.equal(page.status, 415);
        assert.match((await page.json()).error.message, /web page/);
        const large = linkOf(await works({}));
        const response = await new Promise((resolve, reject) => {
          const socket = net.connect(porteiro.port, '127.0.0.1');
          let heard = '';
          socket.on('data', data => { heard += data; }).on('close', () => resolve(heard)).on('error', reject);
          socket.write(`PUT ${new URL(large).pathname}x.pdf HTTP/1.1\r\nHost: 127.0.0.1:${porteiro.port}\r\nContent-Length: ${81 * MIB}\r\n\r\n`);
        });
        assert.match(response, /^HTTP\/1.1 413 /);
      });
    });

    test('a sender who leaves, or is too slow, leaves nothing', async () => {
      await nothingNew(async () => {
        const link = new URL(linkOf(await works({})));
        await new Promise(resolve => {
          const socket = net.connect(porteiro.port, '127.0.0.1').on('close', resolve);
          socket.write(`PUT ${link.pathname}x.png HTTP/1.1\r\nHost: 127.0.0.1:${porteiro.port}\r\nContent-Length: ${large.length}\r\n\r\n`);
          socket.write(large.subarray(0, MIB), () => setTimeout(() => socket.destroy(), 100));
        });
        assert.equal((await fetch(link, { method: 'PUT', body: small })).status, 410, 'it was used');
        await new Promise(resolve => setTimeout(resolve, 200));
        const { server } = porteiro;
        const children = fs.readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ');
        for (const pid of children) {
          const open = fs.readdirSync(`/proc/${pid}/fd`).map(fd => { try { return fs.readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; } });
          assert.deepEqual(open.filter(name => name.includes('/tmp/') && name.includes('deleted') && name.includes(porteiro.dir)), []);
        }
      });
    });

    test('wrong kinds are refused in words', async () => {
      await nothingNew(async () => {
        assert.match(await fails({ url: `${source.url}/page.png` }), /web page/);
        assert.match(await fails({ url: `${source.url}/drawing.svg` }), /SVG.*PNG/s);
        assert.match(await fails({ url: `${source.url}/photo.png`, filename: 'x.svg' }), /SVG/);
        assert.match(await fails({ url: `${source.url}/shell.php` }), /script/);
        assert.match(await fails({ url: `${source.url}/shell.jpg` }), /script/);
        assert.match(await fails({ url: `${source.url}/photo.png`, filename: 'x.php' }), /\.php/);
        assert.match(await fails({ url: `${source.url}/paper.pdf` }), /named \.pdf, but what is in it is a PNG/);
        assert.match(await fails({ url: `${source.url}/packed.png` }), /encoded/);
      });
    });

    test('too large, broken off, not there', async () => {
      await nothingNew(async () => {
        assert.match(await fails({ url: `${source.url}/huge.pdf` }), /larger than the 80 MiB/);
        assert.match(await fails({ url: `${source.url}/endless.pdf` }), /larger than the 80 MiB/);
        assert.match(await fails({ url: `${source.url}/broken.pdf` }), /before the file was complete/);
        assert.match(await fails({ url: `${source.url}/nothing` }), /404/);
        assert.match(await fails({ url: `${source.url}/login` }), /HTTP 403/);
        assert.match(await fails({ url: 'nonsense' }), /no address/);
        assert.match(await fails({ url: 'file:///etc/passwd' }), /no address|http/);
      });
    });

    test('addresses this server does not call, and redirects to them', async () => {
      await nothingNew(async () => {
        for (const url of ['http://10.1.2.3/x.png', 'http://169.254.169.254/x.png', 'http://[::1]/x.png', 'http://0.0.0.0/x.png', `${source.url}/private`, `${source.url}/metadata`]) {
          assert.match(await fails({ url }), /does not call/, url);
        }
        assert.match(await fails({ url: `${porteiro.origin}/healthz` }), /this server itself/);
        assert.match(await fails({ url: `${source.url}/loop` }), /redirects more than 5 times/);
      });
    });

    test('rights: fetch for addresses, publish for what is public', async () => {
      const published = await newPost('publish');
      await nothingNew(async () => {
        assert.match(await fails({ url: `${source.url}/photo.png` }, draftToken), /lacks the right fetch/);
        assert.match(await fails({ featured_for: published }, draftToken), /publish/);
        assert.match(await fails({ data: small.toString('base64'), attach_to: published }, draftToken), /publish/);
        assert.match(await fails({ attach_to: 99999999 }, draftToken), /99999999/);
        const [block] = await rest(site, '/wp/v2/blocks?per_page=1');
        assert.match(await fails({ data: small.toString('base64'), featured_for: block.id }), /no field 'featured_media'/);
        assert.match(await fails({ title: 'x', featured_image: `${source.url}/photo.png` }, draftToken, 'wp_create'), /lacks the right fetch/);
      });
      assert.equal((await rest(site, `/wp/v2/posts/${published}?context=edit`)).featured_media, 0);
    });

    test('a featured image that WordPress does not take is said', async t => {
      const proxy = await startFakeSite(site), post = await newPost();
      t.after(() => proxy.stop());
      const proxied = await porteiro.addConnection(site, { name: 'proxied', url: proxy.url, rights: 'read,draft,publish' });
      proxy.answer = (request, response, pass) => pass({ edit: text => (request.method === 'POST' && /posts\/\d/.test(request.url) ? text.replace(/"featured_media":\d+/, '"featured_media":0') : text) });
      const text = await works({ data: small.toString('base64'), featured_for: post }, proxied.token);
      assert.match(text, new RegExp(`^WordPress did not take it as featured image of ${post}\\.$`, 'm'));
      assert.doesNotMatch(text, /^featured image of/m);
    });

    test('featured_image takes an address, in wp_create and wp_edit', async () => {
      const created = await works({ title: 'Illustrated', content: 'x', featured_image: `${source.url}/photo.png` }, token, 'wp_create');
      const id = idOf(created);
      const first = (await rest(site, `/wp/v2/posts/${id}?context=edit`)).featured_media;
      assert.equal(sha256(onDisk(await media(first))), sha256(small));
      await works({ id: String(id), set: { featured_image: `${source.url}/large.png` } }, token, 'wp_edit');
      const second = (await rest(site, `/wp/v2/posts/${id}?context=edit`)).featured_media;
      assert.equal(sha256(onDisk(await media(second))), sha256(large));
      await nothingNew(async () => {
        await works({ id: String(id), set: { featured_image: `${source.url}/photo.png` }, dry_run: true }, token, 'wp_edit');
        assert.match(await fails({ id: String(id), set: { featured_image: `${source.url}/page.png` } }, token, 'wp_edit'), /web page/);
      });
      await works({ id: String(id), set: { featured_image: first } }, token, 'wp_edit');
      assert.equal((await rest(site, `/wp/v2/posts/${id}?context=edit`)).featured_media, first);
    });

    test('a revoked token\'s links are dead; so are expired and changed ones', async () => {
      const doomed = await porteiro.addToken(connection.id, '--rights', 'read,draft');
      const link = linkOf(await works({}, doomed.token));
      await porteiro.json(['token', 'revoke', String(doomed.id)]);
      await nothingNew(async () => {
        const response = await fetch(`${link}x.png`, { method: 'PUT', body: small });
        assert.equal(response.status, 403);
        assert.match((await response.json()).error.message, /revoked/);
      });
      if (pair.database !== 'sqlite') return;
      const links = [linkOf(await works({})), linkOf(await works({})), linkOf(await works({}))];
      const database = openSqlite(path.join(porteiro.dir, 'porteiro.db'));
      const [late, longer, other] = database.prepare("SELECT id FROM mcp_uploads WHERE state = 'open' ORDER BY created_at DESC, id LIMIT 3").all().map(row => row.id);
      const change = (id, set) => database.prepare(`UPDATE mcp_uploads SET ${set} WHERE id = ?`).run(id);
      change(late, "expires_at = '2020-01-01 00:00:00.000'");
      change(longer, "expires_at = '2099-01-01 00:00:00.000'");
      change(other, "arguments = '{\"tool\":\"wp_upload\",\"arguments\":{\"title\":\"changed\"}}'");
      database.close();
      const statuses = await nothingNew(async () => Promise.all(links.map(async url => (await fetch(`${url}x.png`, { method: 'PUT', body: small })).status)));
      assert.deepEqual(statuses.toSorted(), [404, 404, 410]);
    });

    test('what WordPress does not take, in words: PHP\'s limits, a kind switched off', async () => {
      await nothingNew(async () => {
        const link = linkOf(await works({}));
        const response = await fetch(`${link}big.pdf`, { method: 'PUT', body: pdf(70 * MIB) });
        const { error } = await response.json();
        assert.match(error.message, /upload_max_filesize and post_max_size/);
        assert.equal(response.status, 413);
      });
    });
  });
}

describe('wp_upload: sites in trouble', () => {
  const [, { site: wordpress }] = PAIRS;
  let fake, porteiro, token, source;
  before(async () => {
    source = await startSource(files);
    fake = await startFakeSite(wordpress);
    porteiro = await (await Porteiro.create({ env: ENV })).serve();
    await porteiro.addUser();
    ({ token } = await porteiro.addConnection(fake, { rights: 'read,draft,publish,fetch' }));
  });
  after(async () => {
    await porteiro?.stop();
    await fake?.stop();
    await source?.stop();
  });
  const isUpload = request => request.method === 'POST' && /wp\/v2\/media(\?|&|$)/.test(decodeURIComponent(request.url));
  const upload = () => callTool(porteiro.url, token, 'wp_upload', { url: `${source.url}/photo.png` });
  const newest = async () => (await rest(wordpress, '/wp/v2/media?per_page=1&orderby=id&_fields=id'))[0]?.id;

  test('413 of the web server', async () => {
    fake.answer = (request, response, pass) => (isUpload(request) ? response.writeHead(413).end('<html>413') : pass());
    const { isError, text } = await upload();
    assert.ok(isError);
    assert.match(text, /client_max_body_size/);
  });

  test('bytes changed on the way are not taken: WordPress checks the MD5', async () => {
    const before = await newest();
    fake.answer = (request, response, pass) => pass({ headers: isUpload(request) ? { ...request.headers, 'content-md5': '0'.repeat(32) } : request.headers });
    const { isError, text } = await upload();
    assert.ok(isError);
    assert.match(text, /damaged on its way/);
    assert.equal(await newest(), before);
  });

  test('the answer does not come: what is in the library is told', async () => {
    fake.answer = (request, response, pass) => {
      if (isUpload(request)) response.writeHead = () => ({ end: () => response.socket.destroy() });
      return pass();
    };
    const { isError, text } = await upload();
    assert.ok(isError);
    assert.match(text, new RegExp(`Outcome unknown.*among the newest in the library: ${await newest()}`, 's'));
  });

  test('a featured image stays where it is when the write behind it fails, and is named', async () => {
    const { id } = await rest(wordpress, '/wp/v2/posts', { method: 'POST', user: 'editor', body: { title: 'Waits for an image' } });
    const isWrite = request => request.method === 'POST' && /wp\/v2\/posts/.test(decodeURIComponent(request.url));
    for (const status of [500, 403]) {
      fake.answer = (request, response, pass) => (isWrite(request) ? response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ code: 'fake', message: 'Not now.', data: { status } })) : pass());
      for (const [name, args] of [
        ['wp_edit', { id: String(id), set: { featured_image: `${source.url}/photo.png` } }],
        ['wp_create', { title: 'With an image', content: 'x', featured_image: `${source.url}/photo.png` }],
      ]) {
        const before = await newest(), { isError, text } = await callTool(porteiro.url, token, name, args), image = await newest();
        assert.ok(isError && image > before, `${before} ${image}: ${text}`);
        assert.match(text, new RegExp(`The image is in the library already as ${image}: if this is tried again, use featured_image=${image}\\.$`));
      }
    }
    fake.answer = (request, response, pass) => (isWrite(request) ? response.writeHead(403, { 'Content-Type': 'application/json' }).end('{"code":"fake","message":"Not now.","data":{"status":403}}') : pass());
    const { isError, text } = await callTool(porteiro.url, token, 'wp_edit', { id: String(id), set: { featured_image: await newest() } });
    assert.ok(isError && !/in the library/.test(text), text);
  });

  test('WordPress took the file but not its sizes: asked again, else taken away', async () => {
    let failures = 1;
    const failing = async (request, response, pass) => {
      const upload = isUpload(request);
      if (!upload && !/post-process/.test(request.url)) return pass();
      if (upload) {
        const writeHead = response.writeHead.bind(response);
        let id;
        response.writeHead = () => ({ end: body => { ({ id } = JSON.parse(body)); } });
        await pass();
        return writeHead(500, { 'X-WP-Upload-Attachment-ID': String(id), 'Content-Type': 'text/html' }).end('<p>There has been a critical error');
      }
      return failures-- > 0 ? response.writeHead(500).end('again') : pass();
    };
    fake.answer = failing;
    const { isError, text } = await upload();
    assert.ok(!isError, text);
    assert.match(text, new RegExp(`^id ${await newest()},`));
    const history = async () => (await callTool(porteiro.url, token, 'wp_history', { limit: 1 })).text;
    const known = await history();
    assert.match(known, new RegExp(`create media ${await newest()} `));
    assert.doesNotMatch(known, /unknown/);
    failures = 99;
    const before = await newest();
    const second = await upload();
    assert.ok(second.isError);
    assert.match(second.text, /removed again/);
    assert.equal(await newest(), before);
    assert.equal(await history(), known, 'nothing is left of it');
  });
});
