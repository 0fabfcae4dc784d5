// dist/: index.html and assets/NAME-HASH.*, nothing else, the same bytes from the same sources. No inline script or style (the
// server's Content-Security-Policy forbids them), one style sheet. `npm run dev` sends /api to a running porteiro.
import { defineConfig } from 'vite';

const server = process.env.PORTEIRO_ORIGIN ?? 'http://127.0.0.1:8080';

export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    // The page itself names what its script imports, so that it is fetched at once; what comes later is not.
    modulePreload: { polyfill: false, resolveDependencies: (_file, files, { hostType }) => (hostType === 'html' ? files : []) },
    reportCompressedSize: false,
    sourcemap: false,
  },
  server: { host: '127.0.0.1', port: 22000, proxy: { '/api': server, '/login': server, '/connect': server } },
});
