// A collector of traces: OTLP over HTTP in its JSON form, as opentelemetry-proto and the specification of exporters have it. It is strict:
// whatever is not exactly that is answered 400 and stands in `problems`. `answers` are statuses to give before it takes anything.
import http from 'node:http';

const HEX = { traceId: /^(?!0+$)[0-9a-f]{32}$/, spanId: /^(?!0+$)[0-9a-f]{16}$/ };
const SPAN = ['traceId', 'spanId', 'parentSpanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano', 'attributes', 'status'];

function only(object, names, where) {
  if (object === null || typeof object !== 'object' || Array.isArray(object)) throw new Error(`${where} is no object`);
  for (const name of Object.keys(object)) if (!names.includes(name)) throw new Error(`${where} has ${name}`);
}

function attributes(list, where) {
  if (!Array.isArray(list)) throw new Error(`${where} has no list of attributes`);
  const found = {};
  for (const one of list) {
    only(one, ['key', 'value'], `${where}, an attribute`);
    if (typeof one.key !== 'string' || !/^[a-z][a-z0-9._]*$/.test(one.key) || one.key in found) throw new Error(`${where}: the key ${one.key}`);
    const [kind, ...more] = Object.keys(one.value);
    if (more.length) throw new Error(`${where}: ${one.key} has two values`);
    if (kind === 'stringValue' && typeof one.value.stringValue === 'string') found[one.key] = one.value.stringValue;
    else if (kind === 'intValue' && /^-?\d+$/.test(one.value.intValue) && typeof one.value.intValue === 'string') found[one.key] = Number(one.value.intValue);
    else throw new Error(`${where}: ${one.key} is ${JSON.stringify(one.value)}`);
  }
  return found;
}

function readSpan(span) {
  const where = `the span "${span?.name}"`;
  only(span, SPAN, where);
  for (const id of ['traceId', 'spanId']) if (!HEX[id].test(span[id])) throw new Error(`${where}: ${id} ${span[id]}`);
  if ('parentSpanId' in span && !HEX.spanId.test(span.parentSpanId)) throw new Error(`${where}: parentSpanId ${span.parentSpanId}`);
  if (typeof span.name !== 'string' || !span.name || ![1, 2, 3, 4, 5].includes(span.kind)) throw new Error(`${where}: name or kind`);
  for (const at of ['startTimeUnixNano', 'endTimeUnixNano']) if (typeof span[at] !== 'string' || !/^\d{19}$/.test(span[at])) throw new Error(`${where}: ${at} ${span[at]}`);
  if (BigInt(span.endTimeUnixNano) < BigInt(span.startTimeUnixNano)) throw new Error(`${where} ends before it begins`);
  only(span.status, ['code'], `${where}, status`);
  if ('code' in span.status && span.status.code !== 2) throw new Error(`${where}: status ${span.status.code}`);
  return { ...span, attributes: attributes(span.attributes, where), ms: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6, failed: span.status.code === 2 };
}

export class Collector {
  spans = [];
  resources = [];
  problems = [];
  requests = [];
  answers = [];
  partial = 0;

  static async start(port = 0) {
    const collector = new Collector();
    collector.server = http.createServer((request, response) => collector.#take(request, response));
    await new Promise(resolve => collector.server.listen(port, '127.0.0.1', resolve));
    collector.url = `http://127.0.0.1:${collector.server.address().port}`;
    return collector;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #take(request, response) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const planned = this.answers.shift();
    this.requests.push({ at: Date.now(), headers: request.headers, text, planned });
    if (planned) return void response.writeHead(planned.status ?? planned, planned.headers ?? {}).end();
    try {
      if (request.method !== 'POST' || request.url !== '/v1/traces') throw new Error(`${request.method} ${request.url}`);
      if (request.headers['content-type'] !== 'application/json') throw new Error(`the type ${request.headers['content-type']}`);
      const body = JSON.parse(text);
      only(body, ['resourceSpans'], 'the body');
      for (const group of body.resourceSpans) {
        only(group, ['resource', 'scopeSpans'], 'resourceSpans');
        only(group.resource, ['attributes'], 'the resource');
        this.resources.push(attributes(group.resource.attributes, 'the resource'));
        for (const scoped of group.scopeSpans) {
          only(scoped, ['scope', 'spans'], 'scopeSpans');
          only(scoped.scope, ['name', 'version'], 'the scope');
          this.spans.push(...scoped.spans.map(readSpan));
        }
      }
      const answer = this.partial ? { partialSuccess: { rejectedSpans: String(this.partial), errorMessage: 'no room' } } : {};
      this.partial = 0;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
    } catch (error) {
      this.problems.push(error.message);
      response.writeHead(400).end();
    }
  }

  named = name => this.spans.filter(span => span.name === name);
}
