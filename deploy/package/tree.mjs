// The files of one release, as they lie on the machine that runs it, whatever brings them there.
import {
  cpSync,
  copyFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filesBelow } from './files.mjs';
import { licences } from './licences.mjs';

/** Documents for whoever runs it, and none for whoever changes it. */
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'LICENSE'];
/** What a native package needs at run time; its sources, build leftovers and other machines' binaries stay here. */
const NEEDED = /\.(js|cjs|mjs|json|node)$/;
const LEFT = /(^|\/)(deps|test|tests|obj|obj\.target|tsconfig[^/]*\.json)(\/|$)|test_extension\.node$/;

/** What the console's page is bundled with. */
const PAGE_PACKAGES = ['node_modules/preact', 'node_modules/uplot'];

/** They fetch and build the binaries, which are there already. */
const NOT_AT_RUN_TIME = new Set(['prebuild-install', 'node-addon-api']);

/**
 * @param root the checkout, built
 * @param folder where the release is put; it is empty
 * @param store the form in which it writes the journal
 * @param keys public keys, as PEM, of whoever may sign what this release is upgraded with
 */
export function layOut(root, folder, { version, store, keys, libc }) {
  const contents = JSON.parse(readFileSync(join(root, 'out/bundle/contents.json'), 'utf8'));
  mkdirSync(join(folder, 'bin'), { recursive: true });
  copyFileSync(join(root, 'deploy/package/run'), join(folder, 'bin/forecourt'));
  chmodSync(join(folder, 'bin/forecourt'), 0o755);
  const program = { name: 'forecourt', version, store, type: 'module', private: true, license: 'Apache-2.0' };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(program, null, 2)}\n`);
  cpSync(join(root, 'out/bundle'), join(folder, 'out/bundle'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts') && !path.endsWith('contents.json'),
  });
  // The console's page, where it has been built.
  const page = join(root, 'out/console-page');
  if (existsSync(page)) cpSync(page, join(folder, 'out/console-page'), { recursive: true });
  const natives = closure(root, contents.natives);
  for (const name of natives) copyNative(join(root, 'node_modules', name), join(folder, 'node_modules', name), libc);
  documents(root, folder);
  if (keys.length > 0) mkdirSync(join(folder, 'keys'));
  for (const { name, text } of keys) writeFileSync(join(folder, 'keys', name), text);
  const folders = [...contents.packages, ...PAGE_PACKAGES, ...natives.map((name) => `node_modules/${name}`)];
  writeFileSync(join(folder, 'docs/LICENSES'), licences(root, folders));
}

function documents(root, folder) {
  const docs = join(folder, 'docs');
  mkdirSync(docs);
  for (const file of DOCUMENTS) copyFileSync(join(root, file), join(docs, file));
  mkdirSync(join(docs, 'deploy'));
  for (const file of readdirSync(join(root, 'deploy')).filter((name) => /\.(md|svg)$/.test(name)))
    copyFileSync(join(root, 'deploy', file), join(docs, 'deploy', file));
  cpSync(join(root, 'deploy/pictures'), join(docs, 'deploy/pictures'), { recursive: true });
  cpSync(join(root, 'site-config/examples'), join(docs, 'examples'), { recursive: true });
}

/** The packages and what they need, as installed at the top of node_modules. */
function closure(root, names) {
  const found = new Set();
  const visit = (name) => {
    if (found.has(name) || NOT_AT_RUN_TIME.has(name)) return;
    found.add(name);
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    Object.keys(dependencies).forEach(visit);
  };
  names.forEach(visit);
  return [...found];
}

function copyNative(from, to, libc) {
  const prebuilt = `prebuilds/linux-${process.arch}/`;
  for (const place of filesBelow(from)) {
    if (LEFT.test(place) || !(NEEDED.test(place) || /^licen[cs]e/i.test(basename(place)))) continue;
    if (place.startsWith('prebuilds/') && !(place.startsWith(prebuilt) && place.endsWith(`${libc}.node`))) continue;
    mkdirSync(dirname(join(to, place)), { recursive: true });
    copyFileSync(join(from, place), join(to, place));
    // A library is loaded, not started.
    chmodSync(join(to, place), 0o644);
  }
}
