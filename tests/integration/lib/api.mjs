// A person at the REST API: a browser with its cookie and what our pages send, or a program with its API token.
export class Person {
  constructor(porteiro, { bearer } = {}) {
    this.porteiro = porteiro;
    this.bearer = bearer;
    this.cookie = null;
  }

  headers(extra = {}) {
    return {
      ...(this.cookie && { cookie: this.cookie, origin: this.porteiro.origin, 'sec-fetch-site': 'same-origin', 'x-porteiro': '1' }),
      ...(this.bearer && { authorization: `Bearer ${this.bearer}` }),
      ...extra,
    };
  }

  // {status, headers, text, json}; `headers` replaces what is sent besides the body's type.
  async call(method, path, body, { headers } = {}) {
    const answer = await fetch(this.porteiro.origin + path, {
      method,
      redirect: 'manual',
      headers: { ...(headers ?? this.headers()), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    for (const cookie of answer.headers.getSetCookie()) {
      if (/^(__Host-)?porteiro-device=/.test(cookie)) this.device = cookie.split(';')[0]; // that this browser was logged in; not sent back unless a test does
      else this.cookie = cookie.split(';')[0];
    }
    const isJson = answer.headers.get('content-type')?.split(';')[0] === 'application/json';
    return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  // A call that must succeed: its JSON.
  async ok(method, path, body) {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  async login(emailOrPhone, password, code) {
    this.cookie = null;
    return this.ok('POST', '/api/auth/login', { emailOrPhone, password, ...(code && { code }) });
  }
}

// Does the value fit? The part of JSON Schema that our descriptions use. Returns what is wrong, or null.
export function misfit(schema, value, at = '$') {
  const kinds = { string: v => typeof v === 'string', integer: Number.isInteger, boolean: v => typeof v === 'boolean', null: v => v === null,
    array: Array.isArray, object: v => v !== null && typeof v === 'object' && !Array.isArray(v) };
  const types = [schema.type ?? []].flat();
  if (types.length && !types.some(type => kinds[type](value))) return `${at}: ${JSON.stringify(value)} is no ${types.join(' or ')}`;
  if (schema.enum && !schema.enum.includes(value)) return `${at}: ${value} is none of ${schema.enum}`;
  if (kinds.array(value)) return value.map((item, i) => misfit(schema.items ?? {}, item, `${at}[${i}]`)).find(Boolean) ?? null;
  if (!kinds.object(value)) return null;
  const missing = (schema.required ?? []).find(name => !(name in value));
  if (missing) return `${at}: ${missing} is missing`;
  for (const [name, inner] of Object.entries(value)) {
    const rule = schema.properties?.[name];
    if (!rule && schema.properties && schema.additionalProperties !== undefined && !schema.additionalProperties) return `${at}: ${name} is not described`;
    const wrong = rule && misfit(rule, inner, `${at}.${name}`);
    if (wrong) return wrong;
  }
  return null;
}
