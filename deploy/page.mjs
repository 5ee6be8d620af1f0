// Build step: the console's page, bundled for a browser to out/console-page.
// Usage: node deploy/page.mjs
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

await build({
  configFile: false,
  root: join(root, 'adapters/console/page'),
  logLevel: 'warn',
  // Node modules may be a link to those of another checkout.
  cacheDir: join(root, 'out/.vite'),
  build: {
    outDir: join(root, 'out/console-page'),
    emptyOutDir: true,
    // The page's policy forbids data: addresses, and every browser that can run it preloads modules.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
