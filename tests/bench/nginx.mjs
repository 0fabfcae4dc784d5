// nginx as the limit to compare with: one worker, nothing logged, the same bytes.
import fs from 'node:fs';
import path from 'node:path';
import { run, start, waitFor } from '../integration/lib/process.mjs';

// A value of any bytes: nginx has no escape for $, and a token of its configuration may have 4,096 bytes.
function value(name, body) {
  const pieces = body.match(/[^]{1,2000}/g) ?? [''];
  const quote = text => text.replace(/[\\"]/g, '\\$&').replaceAll('$', '${dollar}').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  const names = pieces.map((_, i) => `\${${name}_${i}}`).join('');
  return { sets: pieces.map((piece, i) => `set $${name}_${i} "${quote(piece)}";`).join('\n'), text: names };
}

// tls: {cert, key}, the files. routes: {path: {body} | {proxy: port} | {files: folder, which holds the path's files, some with a .gz beside them}}
export async function startNginx(dir, port, routes, tls) {
  const locations = Object.entries(routes).map(([route, { body, proxy, files }], i) => {
    if (files) return `location ${route} { root ${files}; gzip_static on; open_file_cache max=100; add_header Cache-Control 'public, max-age=31536000, immutable'; add_header X-Content-Type-Options nosniff; types { text/javascript js; text/css css; } }`;
    if (proxy) return `location = ${route} { proxy_pass http://upstream_${proxy}; proxy_http_version 1.1; proxy_set_header Connection ""; }`;
    const { sets, text } = value(`v${i}`, body);
    return `location = ${route} { ${sets}\nreturn 200 "${text}"; }`;
  });
  const proxies = [...new Set(Object.values(routes).flatMap(({ proxy }) => proxy ?? []))];
  fs.mkdirSync(path.join(dir, 'tmp'), { recursive: true });
  const conf = path.join(dir, 'nginx.conf');
  fs.writeFileSync(conf, `
    daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 65536; user root;
    pid ${dir}/nginx.pid; error_log ${dir}/error.log warn;
    events { worker_connections 32768; }
    http {
      access_log off; default_type application/json; keepalive_timeout 600; keepalive_requests 1000000000;
      client_body_temp_path ${dir}/tmp; proxy_temp_path ${dir}/tmp; fastcgi_temp_path ${dir}/tmp; uwsgi_temp_path ${dir}/tmp; scgi_temp_path ${dir}/tmp;
      geo $dollar { default "$"; }
      ${proxies.map(p => `upstream upstream_${p} { server 127.0.0.1:${p}; keepalive 4096; keepalive_requests 1000000000; }`).join('\n')}
      server { listen 127.0.0.1:${port} ${tls ? 'ssl ' : ''}backlog=4096; ${tls ? `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;` : ''} ${locations.join('\n')} }
    }`);
  const server = start('nginx', ['-c', conf, '-p', dir], { log: path.join(dir, 'nginx.log') });
  await waitFor('nginx', async () => {
    if (!server.running) throw new Error(fs.readFileSync(path.join(dir, 'nginx.log'), 'utf8'));
    return (await run('bash', ['-c', `: </dev/tcp/127.0.0.1/${port}`])).code === 0;
  });
  return server;
}
