// Makes a checkout runnable: installs what is missing, compiles what has changed, and does nothing when nothing has.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'out');
const sourceFolders = ['gateway', 'adapters', 'site-config', 'simulation', 'test'];
/** Read at run time next to the compiled code that reads them. */
const assetFolders = ['gateway', 'adapters', 'site-config', 'simulation'];
const assetTypes = new Set([
  '.json',
  '.yaml',
  '.yml',
  '.html',
  '.css',
  '.svg',
  '.mjs',
  '.cjs',
  '.js',
  '.sql',
  '.proto',
]);
/** Scripts that compile schemas to validators in out/, after tsc, and what they are made from besides the packages. */
const validatorCompilers = [
  { script: 'adapters/ocpp-j/compile-validators.mjs', sources: [] },
  {
    script: 'site-config/compile-schemas.mjs',
    sources: [
      'site-config/site.schema.json',
      'site-config/device.schema.json',
      'simulation/rehearsal/evening.schema.json',
    ],
  },
];
const standaloneModule = 'deploy/standalone-module.mjs';
/** Makes the program that is run and shipped of the compiled modules. */
const bundler = 'deploy/bundle.mjs';
/** The console's page: another program, for a browser. */
const page = { folder: 'adapters/console/page', builder: 'deploy/page.mjs', output: 'console-page' };
const npmSetUp = 'a C++ compiler, make and python3 (on Debian: apt install g++ make python3)';

const say = (text) => process.stderr.write(`${text}\n`);

/** A set-up step that failed, in words for whoever typed the command. */
export class PrepareFailed extends Error {}

/** Installs the dependencies of package-lock.json unless they are there already. */
export function ensureInstalled() {
  const missing = missingPackages();
  if (missing.length > 0) {
    if (isLink(join(root, 'node_modules'))) {
      throw new PrepareFailed(
        `node_modules is a link and lacks ${missing.slice(0, 3).join(', ')}: run npm ci where the link points`,
      );
    }
    say('installing dependencies (npm ci) ...');
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  ensureNativeModules();
}

/** Compiles the sources into out/ unless the last compilation was of the same sources. */
export function ensureBuilt() {
  const stampFile = join(out, '.stamp');
  const fingerprint = fingerprintOfSources();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint) return;
  say('compiling ...');
  rmSync(stampFile, { force: true });
  // Without its output the incremental compiler would believe that there is nothing to do.
  const compiled = sourceFolders.filter((folder) => existsSync(join(root, folder)));
  if (compiled.some((folder) => !existsSync(join(out, folder)))) rmSync(join(out, '.tsbuildinfo'), { force: true });
  removeOrphans();
  run(
    process.execPath,
    [binary('typescript', 'tsc'), '--project', join(root, 'tsconfig.json')],
    'the compiler found faults',
  );
  copyAssets();
  compileValidators();
  buildPage();
  run(process.execPath, [join(root, bundler)], `${bundler} failed`);
  writeFileSync(stampFile, fingerprint);
}

/** Takes seconds, and changes only with the scripts, the schemas and the packages of the lock file. */
function compileValidators() {
  for (const { script, sources } of validatorCompilers) {
    const stampFile = join(out, dirname(script), '.validators-stamp');
    const hash = createHash('sha256');
    for (const file of [script, standaloneModule, 'package-lock.json', ...sources])
      hash.update(readFileSync(join(root, file)));
    const fingerprint = hash.digest('hex');
    if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint) continue;
    run(process.execPath, [join(root, script)], `${script} failed`);
    writeFileSync(stampFile, fingerprint);
  }
}

/** Takes seconds, and changes only with the page, the contract whose types it uses, and the packages. */
function buildPage() {
  const stampFile = join(out, page.output, '.stamp');
  const hash = createHash('sha256');
  const sources = [...filesUnder(join(root, page.folder)), join(root, 'gateway/ports/console.ts')];
  for (const file of [...sources, join(root, page.builder), join(root, 'package-lock.json')])
    hash.update(readFileSync(file));
  const fingerprint = hash.digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint) return;
  run(
    process.execPath,
    [binary('typescript', 'tsc'), '--project', join(root, page.folder)],
    "the compiler found faults in the console's page",
  );
  run(process.execPath, [join(root, page.builder)], `${page.builder} failed`);
  writeFileSync(stampFile, fingerprint);
}

/** The file behind a command of an installed package. */
export function binary(packageName, command) {
  const folder = join(root, 'node_modules', packageName);
  const bin = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).bin;
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

function missingPackages() {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const listFile = join(root, 'node_modules/.package-lock.json');
  const installed = existsSync(listFile) ? JSON.parse(readFileSync(listFile, 'utf8')).packages : {};
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !entry.optional && !entry.link && !entry.peer)
    .filter(([path, entry]) => installed[path]?.version !== entry.version || !existsSync(join(root, path)))
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
}

/** A native module that was not built, or was built for another Node, is built again. */
function ensureNativeModules() {
  if (nativeFault() === undefined) return;
  say('building better-sqlite3 for this Node ...');
  npm(['rebuild', 'better-sqlite3', '--loglevel=error']);
  const fault = nativeFault();
  if (fault !== undefined)
    throw new PrepareFailed(`better-sqlite3 does not load: ${fault}\nbuilding it needs ${npmSetUp}`);
}

function nativeFault() {
  // In a process of its own: a module that failed to load once cannot be loaded again, and a wrong build may crash.
  const attempt = spawnSync(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:').close()"], {
    cwd: root,
    encoding: 'utf8',
  });
  if (attempt.status === 0) return undefined;
  return attempt.stderr.split('\n').find((line) => line.includes('Error')) ?? `exit status ${attempt.status}`;
}

function npm(args) {
  const environment = { ...process.env };
  // node-gyp would download the headers of Node; most installations have them.
  const prefix = resolve(dirname(process.execPath), '..');
  if (environment.npm_config_nodedir === undefined && existsSync(join(prefix, 'include/node/node.h'))) {
    environment.npm_config_nodedir = prefix;
  }
  // npm start runs us with npm_config_* of that call; a production setting there would leave out the compiler.
  environment.npm_config_include = 'dev';
  const cli = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  run(cli[0], [...cli.slice(1), ...args], `npm ${args[0]} failed; it needs the npm registry, ${npmSetUp}`, environment);
}

function run(command, args, complaint, environment = process.env) {
  // All output to stderr: stdout belongs to the command that is being prepared for.
  const { status, error } = spawnSync(command, args, { cwd: root, env: environment, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new PrepareFailed(error === undefined ? complaint : `${complaint}: ${error.message}`);
}

function fingerprintOfSources() {
  const hash = createHash('sha256').update(process.version);
  const files = sourceFolders.flatMap((folder) => filesUnder(join(root, folder)));
  files.push(
    ...['tsconfig.json', 'package-lock.json', standaloneModule, bundler, page.builder].map((file) => join(root, file)),
  );
  files.push(fileURLToPath(import.meta.url));
  for (const file of files) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${relative(root, file)} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** A compiled test whose source is gone would still be run. */
function removeOrphans() {
  const removed = filesUnder(join(out, 'test'))
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => !existsSync(join(root, relative(out, file).replace(/\.js$/, '.ts'))));
  for (const file of removed) for (const path of [file, `${file}.map`]) rmSync(path, { force: true });
  // The compiler does not notice that output has gone, should the source come back.
  if (removed.length > 0) rmSync(join(out, '.tsbuildinfo'), { force: true });
}

function copyAssets() {
  for (const file of assetFolders.flatMap((folder) => filesUnder(join(root, folder)))) {
    if (!assetTypes.has(extname(file)) || file.includes(`${sep}compile-`)) continue;
    if (relative(root, file).startsWith(`${page.folder}/`)) continue;
    const target = join(out, relative(root, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    });
}

function isLink(path) {
  return existsSync(path) && lstatSync(path).isSymbolicLink();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    ensureInstalled();
    ensureBuilt();
  } catch (error) {
    if (!(error instanceof PrepareFailed)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
