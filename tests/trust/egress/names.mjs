// A name server for the test's zone. plain-, cname- and both-LABEL lead to the address that LABEL spells (both: beside a public one);
// turn-N.anything changes its answer with every question, public or private, and forbids that it is remembered. All else is public.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { ZONE } from './addresses.mjs';

const A = 1, CNAME = 5, AAAA = 28;

const encode = name => Buffer.concat([...name.split('.').map(part => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])), Buffer.from([0])]);

function record(name, type, data) {
  const head = Buffer.alloc(10); // TTL 0
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([encode(name), head, data]);
}

// {answers: how many addresses were given that were not public, turned: how many answers changed, stop}
export async function startNames(address, publicAddress) {
  const server = dgram.createSocket('udp4');
  const names = { answers: 0, turned: 0, stop: () => server.close() };
  const v4 = text => Buffer.from(text.split('.').map(Number));
  const turns = new Map(), privates = ['10.1.2.3', '127.0.0.1', '169.254.169.254', '192.168.1.1'];

  const hostile = (name, type, target) => {
    const is6 = target.startsWith('x');
    if (is6 !== (type === AAAA)) return [];
    names.answers++;
    return [record(name, type, is6 ? Buffer.from(target.slice(1), 'hex') : v4(target.slice(1).replaceAll('-', '.')))];
  };

  function answer(name, type) {
    const [, kind, target] = /^(plain|cname|both|turn)-([^.]+)\./.exec(name) ?? [];
    if (kind === 'plain') return hostile(name, type, target);
    if (kind === 'cname') return [record(name, CNAME, encode(`plain-${target}.${ZONE}`)), ...hostile(`plain-${target}.${ZONE}`, type, target)];
    if (type !== A) return kind === 'both' ? hostile(name, type, target) : [];
    if (kind === 'both') return [record(name, A, v4(publicAddress)), ...hostile(name, type, target)];
    if (kind === 'turn') {
      const turn = (turns.get(name) ?? Number(target)) + 1;
      turns.set(name, turn);
      names.turned++;
      if (turn % 2) return [record(name, A, v4(publicAddress))];
      names.answers++;
      return [record(name, A, v4(privates[(turn >> 1) % privates.length]))];
    }
    return [record(name, A, v4(publicAddress))];
  }

  server.on('message', (question, from) => {
    let at = 12, parts = [];
    for (; question[at]; at += question[at] + 1) parts.push(question.toString('latin1', at + 1, at + 1 + question[at]));
    const type = question.readUInt16BE(at + 1), name = parts.join('.').toLowerCase();
    const found = name === ZONE || name.endsWith(`.${ZONE}`) ? answer(name, type) : null;
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(found ? 0x8580 : 0x8583, 2);
    head.writeUInt16BE(found?.length ?? 0, 6);
    head.writeUInt32BE(0, 8);
    server.send(Buffer.concat([head, question.subarray(12, at + 5), ...(found ?? [])]), from.port, from.address);
  });
  server.bind(53, address);
  await once(server, 'listening');
  return names;
}
