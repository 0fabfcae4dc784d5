// A WordPress recorded while porteiro asked it, and played again by upstream.c.
import fs from 'node:fs';
import path from 'node:path';
import { callTool } from '../integration/lib/mcp.mjs';
import { freePort } from '../integration/lib/ports.mjs';
import { start, waitFor } from '../integration/lib/process.mjs';
import { listOfSize, startRecorder } from './record.mjs';
import { answerTo, legacy } from './request.mjs';

// A post of about so many bytes of block markup; its id.
async function makePost(porteiro, token, bytes) {
  const words = 'forest thread barrel lantern river anchor kettle desert paper compass ivory harbour jungle market bridge orchard island ledger'.split(' ');
  const blocks = ['<!-- wp:paragraph -->\n<p>Here is the one sentence to change.</p>\n<!-- /wp:paragraph -->'];
  for (let i = 0, size = 0; size < bytes; i++) {
    const text = Array.from({ length: 24 }, (_, k) => words[(i * 7 + k * (i + 3)) % words.length]).join(' ');
    blocks.push(i % 5 === 4
      ? `<!-- wp:heading -->\n<h2 class="wp-block-heading">${text.slice(0, 40)}</h2>\n<!-- /wp:heading -->`
      : `<!-- wp:paragraph -->\n<p>${text}, with <strong>bold</strong> and <a href="https://example.com/${i}">a link</a>.</p>\n<!-- /wp:paragraph -->`);
    size += blocks.at(-1).length;
  }
  const { text, isError } = await callTool(porteiro.url, token, 'wp_create', { title: 'To read and to edit', content: blocks.join('\n\n'), format: 'blocks' });
  if (isError) throw new Error(`wp_create: ${text}`);
  return /\d+/.exec(text)[0];
}

// {name, id, token, site, port, log, calls: {name: {request, asked, uri, bytes}}}: uri is the GET with the largest answer.
export async function recordSite({ porteiro, wordpress, program, dir, core, stops, name, calls, bytes, delayMs }) {
  const port = await freePort();
  const recorder = await startRecorder(wordpress, port);
  const site = { url: recorder.url, users: wordpress.users };
  const { id, token } = await porteiro.addConnection(site, { name, rights: 'read,draft,publish' });
  const needsPost = Object.values(calls).some(call => call.arguments.id);
  const post = needsPost && (await makePost(porteiro, token, bytes * 0.8));
  const recorded = {};
  for (const [key, call] of Object.entries(calls)) {
    const request = legacy(porteiro, token, 'tools/call', { ...call, arguments: { ...call.arguments, ...(call.arguments.id && { id: post }) } });
    recorder.takeAsked();
    const warm = await answerTo(request); // what is kept of a site is asked for here
    let asked = recorder.takeAsked();
    if (key !== 'edit') {
      await answerTo(request);
      asked = recorder.takeAsked();
    }
    const uris = asked.filter(line => line.startsWith('GET ')).map(line => line.slice(4));
    const uri = uris.toSorted((a, b) => recorder.answers.get(`GET ${b}`).body.length - recorder.answers.get(`GET ${a}`).body.length)[0];
    const answer = recorder.answers.get(`GET ${uri}`);
    if (Array.isArray(JSON.parse(answer.body))) recorder.replace(`GET ${uri}`, listOfSize(answer.body, bytes));
    recorded[key] = { request, asked, uri, bytes: answer.body.length, answered: warm.length };
  }
  const answers = path.join(dir, name);
  recorder.save(answers);
  await recorder.stop();
  const log = path.join(dir, `${name}.log`);
  const upstream = start('taskset', ['-c', core, program('upstream'), String(port), answers, String(delayMs)], { log });
  stops.push(() => upstream.stop('SIGKILL'));
  const any = Object.values(recorded)[0].uri;
  await waitFor('the upstream', () => fetch(`http://127.0.0.1:${port}${any}`).then(r => r.status === 200));
  fs.closeSync(fs.openSync(log, 'a'));
  return { name, id, token, site, port, log, calls: recorded };
}
