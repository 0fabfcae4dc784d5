// A person at the dashboard, in Debian's Chromium: pages that count their clicks and keep every complaint of the browser.
import { chromium } from 'playwright-core';
import { Person } from '../integration/lib/api.mjs';
import { waitFor } from '../integration/lib/process.mjs';

export const PASSWORD = 'correct horse battery staple';

let browser;
export async function openBrowser() {
  browser ??= await chromium.launch({
    executablePath: process.env.PORTEIRO_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
  return browser;
}
export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

// In the page: when this returns, what is drawn knows of the new address. A screen that only filters anew shows the old rows, busy.
const turnTo = async to => {
  if (location.hash === `#${to}`) return;
  const turned = new Promise(done => addEventListener('hashchange', () => setTimeout(done), { once: true }));
  location.hash = to;
  await turned;
};

export class Screen {
  clicks = 0;
  complaints = [];

  // person: a logged-in Person of tests/integration/lib/api.mjs, or none
  static async open(porteiro, person, { width = 1280, height = 900, theme = 'light', language = 'en-US', bypassCSP = false } = {}) {
    const self = new Screen();
    self.porteiro = porteiro;
    self.context = await (await openBrowser()).newContext({
      viewport: { width, height }, colorScheme: theme, locale: language, bypassCSP, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'],
    });
    if (person) {
      const [name, value] = person.cookie.split(/=(.*)/);
      const secure = name.startsWith('__Host-') || name.startsWith('__Secure-');
      await self.context.addCookies([{ name, value, url: porteiro.origin, secure, httpOnly: true }]);
    }
    self.page = await self.context.newPage();
    self.page.setDefaultTimeout(30_000);
    self.page.on('console', message => ['error', 'warning'].includes(message.type()) && self.complaints.push(`console: ${message.text()} ${message.location().url}`));
    self.page.on('pageerror', error => self.complaints.push(`page: ${error.message}`));
    self.page.on('dialog', dialog => (self.complaints.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
    await self.page.addInitScript(() => document.addEventListener('securitypolicyviolation', event => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`)));
    return self;
  }

  // A screen of the dashboard, when it has its heading and is no longer loading.
  async go(hash) {
    const url = `${this.porteiro.origin}/#/${hash}`;
    if (this.page.url().startsWith(`${this.porteiro.origin}/#`)) await this.page.evaluate(turnTo, `/${hash}`);
    else await this.page.goto(url);
    await this.settled();
    return this;
  }

  async settled() {
    await this.page.locator('main h1').waitFor();
    await this.page.waitForFunction(() => !document.querySelector('main > .wait') && !document.querySelector('main .card > .wait') && !document.querySelector('main [aria-busy=true]'));
  }

  async click(locator) {
    this.clicks++;
    await locator.click();
  }
  // Not one that is at work: it takes no click, and a person sees that.
  button(name, options) {
    return this.page.getByRole('button', { name, ...options }).and(this.page.locator(':not([aria-busy=true])'));
  }
  link(name, options) {
    return this.page.getByRole('link', { name, ...options });
  }
  field(name, options) {
    return this.page.getByLabel(name, options);
  }

  // What is said in passing, each time once: for some seconds the same words still stand there from before.
  async said(text) {
    const toast = this.page.locator('.toasts p:not([data-heard])', { hasText: text }).first();
    await toast.waitFor();
    await toast.evaluate(heard => heard.setAttribute('data-heard', ''));
  }

  close() {
    return this.context.close();
  }
}

// The first administrator, by the set-up address.
export async function administrator(porteiro, { name = 'Ana', email = 'ana@example.test', phone = '+5511999990001' } = {}) {
  const { link } = await porteiro.json(['setup-url']);
  const person = new Person(porteiro);
  await person.ok('POST', '/api/auth/register', { name, email, phone, password: PASSWORD, invitation: new URL(link).searchParams.get('token'), language: 'en' });
  return person;
}

export async function invite(porteiro, admin, { name, email, phone, language = 'en' }) {
  const { link } = await admin.ok('POST', '/api/invitations', { email });
  const person = new Person(porteiro);
  await person.ok('POST', '/api/auth/register', { name, email, phone, password: PASSWORD, invitation: new URL(link).searchParams.get('token'), language });
  return person;
}

export const connect = (person, site, name, more = {}) =>
  person.ok('POST', '/api/connections', { provider: 'wordpress', name, config: { url: site.url }, secrets: { username: 'editor', app_password: site.users.editor.app_password }, ...more });

export { Person, waitFor };
