// A mail server: SMTP with STARTTLS and AUTH (RFC 5321, 3207, 4954), as far as a client of ours must keep to it. What it was sent
// stands in `mails`; `refuse` makes it answer a recipient with that line.
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { mustRun, temporaryDirectory } from './process.mjs';

export class MailServer {
  static async start({ user = 'porteiro', password = 'a mail password' } = {}) {
    const self = new MailServer();
    const dir = temporaryDirectory('mail');
    const key = path.join(dir, 'key.pem');
    self.ca = path.join(dir, 'cert.pem');
    await mustRun('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', self.ca]);
    Object.assign(self, { mails: [], refuse: null, problems: [], login: [user, password], context: tls.createSecureContext({ key: fs.readFileSync(key), cert: fs.readFileSync(self.ca) }) });
    self.server = net.createServer(socket => self.serve(socket, false));
    await new Promise(resolve => self.server.listen(0, '127.0.0.1', resolve));
    self.url = `smtp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${self.server.address().port}`;
    return self;
  }

  stop() {
    this.server.close();
  }

  serve(socket, secure) {
    let rest = '', data = null, known = false, mail = {}, waiting = null;
    const say = line => socket.write(`${line}\r\n`);
    const wrong = what => (this.problems.push(what), say(`503 ${what}`));
    const commands = {
      EHLO: () => say(secure ? '250-mail\r\n250 AUTH PLAIN' : '250-mail\r\n250 STARTTLS'),
      STARTTLS: () => {
        say('220 go');
        socket.removeAllListeners('data');
        this.serve(new tls.TLSSocket(socket, { isServer: true, secureContext: this.context }), true);
      },
      AUTH: line => {
        const [, kind, initial] = line.split(' ');
        if (!secure || kind !== 'PLAIN') return wrong('AUTH PLAIN after STARTTLS only');
        waiting = text => {
          known = Buffer.from(text, 'base64').toString() === `\0${this.login.join('\0')}`;
          say(known ? '235 welcome' : '535 wrong');
        };
        if (initial) waiting = waiting(initial);
        else say('334 ');
      },
      MAIL: line => (known ? ((mail = { from: line.match(/<(.*)>/)[1], to: [] }), say('250 ok')) : wrong('log in first')),
      RCPT: line => (this.refuse ? say(this.refuse) : (mail.to.push(line.match(/<(.*)>/)[1]), say('250 ok'))),
      DATA: () => ((data = []), say('354 end with .')),
      RSET: () => say('250 ok'),
      QUIT: () => socket.end('221 bye\r\n'),
    };
    const take = line => {
      if (data) {
        if (line !== '.') return void data.push(line.replace(/^\./, ''));
        this.mails.push({ ...mail, ...parse(data.join('\r\n')) });
        data = null;
        return say('250 taken');
      }
      if (waiting) return void (waiting = waiting(line));
      const command = commands[line.split(/[ :]/)[0].toUpperCase()];
      return command ? command(line) : say('502 unknown');
    };
    socket.on('error', () => {});
    socket.on('data', bytes => {
      rest += bytes.toString('latin1');
      for (let end; (end = rest.indexOf('\r\n')) >= 0; ) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        take(line);
      }
      if (rest.includes('\n')) this.problems.push('a bare LF');
    });
    if (!secure) say('220 mail ESMTP');
  }
}

const decode = text => Buffer.from(text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('utf8');

// {subject, text, html, headers}
function parse(raw) {
  const end = raw.indexOf('\r\n\r\n');
  const headers = Object.fromEntries(raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n').map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]));
  const boundary = headers['content-type'].match(/boundary="(.*)"/)[1];
  const parts = raw.slice(end).split(`--${boundary}`).slice(1, -1).map(part => {
    const split = part.indexOf('\r\n\r\n');
    return { type: part.slice(0, split).match(/Content-Type: ([^;]+)/)[1], text: decode(part.slice(split + 4)) };
  });
  const subject = decode(headers.subject.replace(/\?= =\?utf-8\?q\?/g, '').replace(/^=\?utf-8\?q\?|\?=$/g, ''));
  return { headers, subject, longest: Math.max(...raw.split('\r\n').map(line => line.length)), id: crypto.createHash('sha256').update(raw).digest('hex'),
    text: parts.find(part => part.type === 'text/plain').text, html: parts.find(part => part.type === 'text/html').text };
}
