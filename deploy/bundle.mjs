// Build step: the program in few files, out/bundle, so that a start reads those instead of some three hundred modules.
// Usage: node deploy/bundle.mjs
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'out/bundle');
/** Read at run time from beside the code. */
const assets = [
  'site-config/site.schema.json',
  'site-config/device.schema.json',
  'site-config/devices',
  'simulation/rehearsal/evening.schema.json',
];

/** Native, or with native parts: a package takes them along as they are. */
const natives = ['better-sqlite3', 'serialport'];

rmSync(target, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: {
    forecourt: join(root, 'out/gateway/main.js'),
    // A thread has a file of its own.
    worker: join(root, 'out/adapters/journal-sqlite/worker.js'),
  },
  outdir: target,
  bundle: true,
  // What a command does not use, it does not read: the demo, the broker, the other OCPP version.
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: natives,
  metafile: true,
  logLevel: 'warning',
  banner: {
    // CommonJS packages inside call require() for what Node brings.
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
});
for (const asset of assets) cpSync(join(root, asset), join(target, basename(asset)), { recursive: true });

// Whose code is inside: a package owes each of them its licence.
const folders = Object.keys(metafile.inputs).flatMap(
  (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
);
const contents = { packages: [...new Set(folders)].sort(), natives };
writeFileSync(join(target, 'contents.json'), `${JSON.stringify(contents, null, 2)}\n`);
