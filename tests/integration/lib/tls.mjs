// Certificates for tests, made when they are needed.
import path from 'node:path';
import { mustRun } from './process.mjs';

// {cert, key}: files in `dir`, for 127.0.0.1, localhost and `name`. options.type: 'ec' or 'rsa'.
export async function makeCertificate(dir, { name = 'mcp.example.test', file = 'tls', type = 'ec' } = {}) {
  const cert = path.join(dir, `${file}.crt`), key = path.join(dir, `${file}.key`);
  const kind = type === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048'];
  await mustRun('openssl', [
    'req', '-x509', ...kind, '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`,
    '-addext', `subjectAltName=DNS:${name},DNS:localhost,IP:127.0.0.1`,
  ]);
  return { cert, key };
}
