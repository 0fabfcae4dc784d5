// A browser without scripts: keeps its cookies, follows what a person would click, and reads forms off the page.
import assert from 'node:assert/strict';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
export const unescape = text => text.replace(/&(amp|lt|gt|quot|#39);/g, (all, name) => entities[name]);

// Tags with their attributes, in order. Throws on markup that our own writer cannot have made.
export function tags(html) {
  const found = [];
  for (const [, end, name, attributes] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:\s[^<>]*)?)>/g)) {
    const pairs = [...attributes.matchAll(/\s([a-z-]+)(?:="([^"<>]*)")?/g)].map(([, key, value]) => [key, unescape(value ?? '')]);
    if (!end) found.push({ element: name, ...Object.fromEntries(pairs) });
  }
  return found;
}

export class Page {
  constructor({ status, headers, html, url }) {
    Object.assign(this, { status, headers, html, url });
    this.tags = tags(html);
    this.text = unescape(html.replace(/^[\s\S]*<main[^>]*>/, '').replace(/<\/main>[\s\S]*$/, '').replace(/<[^>]*>/g, '\n')).replace(/\n+/g, '\n').trim();
    this.title = unescape(html.match(/<title>([^<]*)/)?.[1] ?? '');
    this.lang = this.tags.find(tag => tag.element === 'html')?.lang;
  }

  // Of the only form: where it goes, and what is in it.
  form() {
    const form = this.tags.find(tag => tag.element === 'form');
    assert.ok(form, `no form on ${this.url}: ${this.text}`);
    const inputs = [...this.html.matchAll(/<input([^<>]*)>/g)].map(([, inner]) => {
      const of = key => unescape(inner.match(new RegExp(`\\s${key}="([^"]*)"`))?.[1] ?? '');
      return [of('name'), of('value')];
    });
    return { action: form.action, fields: Object.fromEntries(inputs) };
  }
}

export class Browser {
  constructor(origin, { language } = {}) {
    this.origin = origin;
    this.language = language;
    this.jar = new Map();
  }

  headers(extra = {}) {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
    return { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...(this.language && { 'accept-language': this.language }), ...(cookie && { cookie }), ...extra };
  }

  async request(method, path, { body, headers } = {}) {
    const answer = await fetch(new URL(path, this.origin), { method, body, redirect: 'manual', headers: this.headers(headers) });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      if (value) this.jar.set(name, value);
      else this.jar.delete(name);
    }
    return new Page({ status: answer.status, headers: answer.headers, html: await answer.text(), url: path });
  }

  // Follows redirections; `trail` says where it led.
  async follow(page) {
    const trail = [];
    while (page.status === 303) {
      trail.push(page.headers.get('location'));
      page = await this.request('GET', page.headers.get('location'));
    }
    return Object.assign(page, { trail });
  }

  async open(path, options) {
    return this.follow(await this.request('GET', path, options));
  }

  // What a browser sends when the page's form is sent with these values typed in.
  async submit(page, typed = {}, { headers, follow = true } = {}) {
    const { action, fields } = page.form();
    const answer = await this.request('POST', action, {
      body: new URLSearchParams({ ...fields, ...typed }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'null', 'sec-fetch-site': 'same-origin', ...headers },
    });
    return follow ? this.follow(answer) : answer;
  }
}
