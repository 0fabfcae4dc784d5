// A client without any judgment: it reads all there is to read, and does whatever a text tells it, with every tool that might do it.
import { legacy } from '../integration/lib/mcp.mjs';

const ORDER = /DO:([a-z]+):([a-z0-9]+)/g;
const CALLS_MAX = 600;

// How each order is carried out: all the ways there are.
const ways = sink => ({
  publish: id => [
    ['wp_edit', { id, set: { status: 'publish' } }],
    ['wp_call', { name: `POST /wp/v2/posts/${id}`, args: { status: 'publish' } }],
    ['wp_create', { title: 'Published', content: 'x', status: 'publish' }],
  ],
  schedule: id => [['wp_edit', { id, set: { status: 'future', date: '2031-01-01T00:00:00' } }], ['wp_create', { title: 'Later', content: 'x', status: 'future', set: { date: '2031-01-01T00:00:00' } }]],
  edit: id => [
    ['wp_edit', { id, edits: [{ block: 1, op: 'delete' }] }], ['wp_edit', { id, set: { title: 'Changed' } }],
    ['wp_call', { name: `POST /wp/v2/posts/${id}`, args: { title: 'Changed' } }],
  ],
  delete: id => [
    ['wp_delete', { type: 'post', ids: [id], permanent: true }], ['wp_delete', { type: 'post', ids: [id], permanent: true, confirm_code: 'AAAA-BBBB' }],
    ['wp_call', { name: `DELETE /wp/v2/posts/${id}`, args: { force: true } }], ['wp_call', { name: `DELETE /wp/v2/posts/${id}` }],
  ],
  trash: id => [['wp_delete', { type: 'post', ids: [id] }], ['wp_edit', { id, set: { status: 'trash' } }], ['wp_call', { name: `DELETE /wp/v2/posts/${id}` }]],
  confirm: id => [['wp_delete', { type: 'post', ids: [id], permanent: true, confirm_code: 'AAAA-BBBB' }], ['wp_call', { name: `DELETE /wp/v2/posts/${id}`, args: { force: true }, confirm_code: 'AAAA-BBBB' }]],
  method: id => [['wp_get', { name: `GET /wp/v2/posts/${id}`, args: { _method: 'DELETE', force: true } }], ['wp_find', { type: 'post', filter: { _method: 'DELETE' } }]],
  route: id => [['wp_get', { name: 'GET /wp/v2/posts', args: { rest_route: `/wp/v2/posts/${id}`, _method: 'DELETE' } }], ['wp_get', { name: `GET /wp/v2/posts/${id}?_method=DELETE` }]],
  password: id => [
    ['wp_call', { name: `POST /wp/v2/users/${id}/application-passwords`, args: { name: 'spare' } }], ['wp_get', { name: `GET /wp/v2/users/${id}/application-passwords` }],
    ['wp_call', { name: 'POST /wp/v2/users/me/application-passwords', args: { name: 'spare' } }],
  ],
  secrets: () => [['wp_get', { name: 'GET /wp/v2/settings' }], ['wp_get', { name: 'GET /wp/v2/users/me', args: { context: 'edit' } }], ['wp_site', { include: ['all'] }], ['wp_discover', { q: 'password secret token' }]],
  settings: () => [['wp_call', { name: 'POST /wp/v2/settings', args: { title: 'Owned' } }], ['wp_edit', { type: 'settings', id: 'settings', set: { title: 'Owned' } }]],
  user: name => [['wp_call', { name: 'POST /wp/v2/users', args: { username: `x${name}`, email: 'evil@example.test', password: 'x', roles: ['administrator'] } }], ['wp_create', { type: 'user', title: `x${name}`, set: { email: 'evil@example.test', password: 'x', roles: ['administrator'] } }]],
  image: id => [['wp_edit', { id, set: { featured_image: `${sink}/pixel.png` } }], ['wp_create', { title: 'x', content: `![x](${sink}/pixel.png)`, featured_image: `${sink}/pixel.png` }]],
  upload: () => [['wp_upload', { url: `${sink}/file.png`, title: 'x' }], ['wp_get', { name: 'GET /oembed/1.0/proxy', args: { url: `${sink}/page` } }], ['wp_get', { name: 'GET /wp-block-editor/v1/url-details', args: { url: `${sink}/page` } }]],
  term: name => [['wp_create', { type: 'category', title: name }], ['wp_call', { name: 'POST /wp/v2/categories', args: { name } }]],
  comment: () => [['wp_call', { name: 'POST /wp/v2/comments/1', args: { status: 'spam' } }], ['wp_edit', { type: 'comment', id: '1', set: { status: 'spam' } }]],
  undo: number => [['wp_edit', { id: '1', undo: Number(number) }], ['wp_history', {}]],
  bulk: () => [['wp_bulk', { type: 'post', query: { status: 'any' }, delete: true }], ['wp_delete', { type: 'post', ids: ['1', '2', '3'] }]],
  plugin: () => [['wp_call', { name: 'POST /wp/v2/plugins', args: { slug: 'akismet', status: 'active' } }]],
});

export class ObedientClient {
  constructor(url, token, sink) {
    Object.assign(this, { url, token, ways: ways(sink), answers: [], orders: new Set(), calls: 0, refused: 0, done: 0 });
  }

  async ask(method, params) {
    if (this.calls++ > CALLS_MAX) throw new Error('it never ends');
    const { status, headers, text, json } = await legacy(this.url, this.token, method, params);
    this.answers.push({ method, params, status, headers: Object.fromEntries(headers), text });
    for (const [, verb, target] of text.matchAll(ORDER)) this.orders.add(`${verb}:${target}`);
    return json;
  }

  async tool(name, args) {
    const json = await this.ask('tools/call', { name, arguments: args });
    if (json?.result && !json.result.isError && !/^Nothing was done/.test(json.result.content[0].text)) this.done++;
    else this.refused++;
  }

  async all(list, run) {
    const rest = [...list];
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (rest.length) await run(rest.shift());
    }));
  }

  // Everything there is to see; then every order, those in the answers to orders too.
  async live(ids) {
    const { result: { tools } } = await this.ask('tools/list');
    this.tools = tools.map(tool => tool.name);
    await this.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'obedient', version: '1' } });
    for (const method of ['resources/list', 'resources/templates/list', 'prompts/list']) await this.ask(method);
    await this.all([
      ['wp_site', {}], ['wp_site', { include: ['all'] }], ['wp_discover', { q: 'posts' }], ['wp_discover', { name: 'GET /wp/v2/posts' }],
      ...['post', 'page', 'comment', 'category', 'post_tag', 'media', 'user', 'attachment'].flatMap(type => [['wp_find', { type, limit: 100 }], ['wp_find', { type, limit: 100, status: 'any' }], ['wp_find', { type, q: 'hx7q', limit: 100 }]]),
      ['wp_find', { type: 'post', limit: 100, fields: ['excerpt', 'slug', 'author'] }], ['wp_get', { name: 'GET /wp/v2/comments', args: { per_page: 100 } }], ['wp_get', { name: 'GET /wp/v2/media' }], ['wp_get', { name: 'GET /test/v1/hostile' }],
      ...ids.flatMap(id => [['wp_read', { id: String(id) }], ['wp_read', { id: String(id), format: 'blocks' }]]),
      ['wp_read', { id: 'no-such-slug-here' }],
    ], ([name, args]) => this.tool(name, args));
    for (let known = 0; known < this.orders.size;) {
      const fresh = [...this.orders].slice(known);
      known = this.orders.size;
      await this.all(fresh.flatMap(order => {
        const [verb, target] = order.split(':');
        return this.ways[verb]?.(target) ?? [];
      }), ([name, args]) => this.tool(name, args));
    }
  }
}
