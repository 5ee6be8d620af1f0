// The file of an upgrade: whoever made or damaged it, only a whole release that was signed becomes a folder.
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack, type Headers } from 'tar-stream';
import t, { type Test } from 'tap';
import { unpack } from '../../../adapters/releases/archive.js';
import { takeLock } from '../../../adapters/releases/lock.js';
import { trustedKeys } from '../../../adapters/releases/manifest.js';
import { UpgradeRefused } from '../../../gateway/ports/installation.js';

const maker = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');

interface Made {
  readonly files?: Readonly<Record<string, string>>;
  /** Entries after those of the files, which no manifest lists. */
  readonly more?: readonly Headers[];
  /** What the manifest says differently. */
  readonly manifest?: object;
  readonly change?: (path: string, text: string) => string;
  readonly key?: KeyObject | undefined;
  readonly signature?: string;
  readonly bytes?: (whole: Buffer) => Buffer;
}

const FILES = {
  'bin/forecourt': '#!/bin/sh\n',
  'out/bundle/forecourt.js': 'x'.repeat(100_000),
  'docs/README.md': '# Hello',
};

async function release(t: Test, made: Made = {}): Promise<{ readonly file: string; readonly folder: string }> {
  const root = mkdtempSync(join(tmpdir(), 'release-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const files = made.files ?? FILES;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const manifest = JSON.stringify({
    format: 1,
    name: 'forecourt',
    version: '0.2.0',
    platform: { os: 'linux', arch: 'x64', libc: 'glibc' },
    store: 1,
    files: Object.entries(files).map(([path, text]) => ({
      path,
      size: text.length,
      sha256: sha256(text),
      executable: path.startsWith('bin/'),
    })),
    ...made.manifest,
  });
  const key = 'key' in made ? made.key : maker.privateKey;
  const signature = made.signature ?? (key && sign(null, Buffer.from(manifest), key).toString('base64'));
  const tar = pack();
  const chunks: Buffer[] = [];
  tar.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise((resolve) => tar.once('end', resolve));
  const change = made.change ?? ((_, text: string): string => text);
  tar.entry({ name: 'forecourt-0.2.0/manifest.json' }, change('manifest.json', manifest));
  if (signature !== undefined) tar.entry({ name: 'forecourt-0.2.0/manifest.sig' }, `${signature}\n`);
  for (const [path, text] of Object.entries(files)) tar.entry({ name: `forecourt-0.2.0/${path}` }, change(path, text));
  for (const header of made.more ?? []) tar.entry(header, header.type === undefined ? 'more' : '');
  tar.finalize();
  await done;
  const whole = gzipSync(Buffer.concat(chunks));
  const file = join(root, 'release.tar.gz');
  writeFileSync(file, made.bytes?.(whole) ?? whole);
  return { file, folder: join(root, 'releases') };
}

void t.test('a whole release becomes a folder', async (t) => {
  const { file, folder } = await release(t);
  mkdirSync(folder);
  const manifest = await unpack(file, [stranger.publicKey, maker.publicKey], () => join(folder, '0.2.0'));
  t.match(manifest, { version: '0.2.0', store: 1, digest: /^[0-9a-f]{8}$/ });
  t.same(readdirSync(folder), ['0.2.0']);
  for (const [path, text] of Object.entries(FILES)) t.equal(readFileSync(join(folder, '0.2.0', path), 'utf8'), text);
  t.equal(statSync(join(folder, '0.2.0/bin/forecourt')).mode & 0o777, 0o755);
});

const list = (path: string): Made => ({ files: { [path]: 'x' } });
const refusals: readonly (readonly [string, Made, RegExp, string])[] = [
  ['not signed', { key: undefined }, /not signed/, 'FC-U01'],
  ['signed by a stranger', { key: stranger.privateKey }, /key that this installation trusts/, 'FC-U01'],
  ['a signature that is none', { signature: 'AAAA' }, /key that this installation trusts/, 'FC-U01'],
  [
    'a changed manifest',
    { change: (path, text) => (path === 'manifest.json' ? text.replace('0.2.0', '0.3.0') : text) },
    /changed afterwards/,
    'FC-U01',
  ],
  ['a changed file', { change: (_, text) => text.replace('Hello', 'Hallo') }, /README\.md is not what/, 'FC-U02'],
  [
    'a longer file',
    { change: (path, text) => (path.startsWith('docs') ? `${text}!` : text) },
    /another size/,
    'FC-U02',
  ],
  ['a file that is not listed', { more: [{ name: 'forecourt-0.2.0/extra' }] }, /does not list/, 'FC-U02'],
  ['a file twice', { more: [{ name: 'forecourt-0.2.0/docs/README.md' }] }, /does not list/, 'FC-U02'],
  [
    'a link',
    { more: [{ name: 'forecourt-0.2.0/link', type: 'symlink', linkname: '/etc/passwd' }] },
    /does not list/,
    'FC-U02',
  ],
  ['a path that leads out', list('../outside'), /no release has/, 'FC-U02'],
  ['a path from the root', list('/etc/passwd'), /no release has/, 'FC-U02'],
  ['a path that leads out later', list('docs/../../outside'), /no release has/, 'FC-U02'],
  ['a file named by nothing', list('docs//x'), /no release has/, 'FC-U02'],
  ['a version that is a path', { manifest: { version: '../../x' } }, /not that of a release/, 'FC-U02'],
  ['another program', { manifest: { name: 'backcourt' } }, /not that of a release/, 'FC-U02'],
  ['a format of the future', { manifest: { format: 2 } }, /format 2/, 'FC-U02'],
  ['a list that is none', { manifest: { files: 7 } }, /not that of a release/, 'FC-U02'],
  [
    'cut off',
    { bytes: (whole) => whole.subarray(0, whole.length - 40) },
    /cannot be read|cut off|is missing/,
    'FC-U02',
  ],
  ['not packed', { bytes: () => Buffer.from('hello') }, /cannot be read/, 'FC-U02'],
  ['empty', { bytes: () => Buffer.alloc(0) }, /no release|cannot be read/, 'FC-U02'],
  [
    'more than is listed, at the begin',
    { change: (path, text) => (path === 'manifest.json' ? text + ' '.repeat(9_000_000) : text) },
    /unpacks to more/,
    'FC-U02',
  ],
  [
    'more than is listed, at the end',
    { bytes: (whole) => Buffer.concat([whole, gzipSync(Buffer.alloc(30_000_000))]) },
    /unpacks to more|does not list|cannot be read/,
    'FC-U02',
  ],
];
for (const [name, made, message, fault] of refusals)
  void t.test(`refused, and nothing is left: ${name}`, async (t) => {
    const { file, folder } = await release(t, made);
    mkdirSync(folder);
    await t.rejects(
      unpack(file, [maker.publicKey], () => join(folder, '0.2.0')),
      { name: 'UpgradeRefused', message, fault },
    );
    t.same(readdirSync(folder), []);
    t.notOk(existsSync(join(folder, '../outside')));
  });

void t.test('nobody is trusted, or anybody might be', async (t) => {
  const { file, folder } = await release(t);
  const keys = join(folder, '../keys');
  await t.rejects(
    unpack(file, trustedKeys([keys]), () => folder),
    { message: /trusts no key/ },
  );
  mkdirSync(keys);
  const pem = join(keys, 'maker.pem');
  writeFileSync(pem, maker.publicKey.export({ type: 'spki', format: 'pem' }));
  t.equal(trustedKeys([keys, join(keys, 'none')]).length, 1);
  chmodSync(pem, 0o666);
  t.throws(() => trustedKeys([keys]), { message: /can be written by others/ });
  chmodSync(pem, 0o644);
  chmodSync(keys, 0o777);
  t.throws(() => trustedKeys([keys]), { message: /can be written by others/ });
  chmodSync(keys, 0o755);
  writeFileSync(pem, 'no key');
  t.throws(() => trustedKeys([keys]), UpgradeRefused);
});

void t.test('one upgrade at a time', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'upgrade.lock');
  const lock = takeLock(file);
  t.ok(lock);
  t.equal(takeLock(file), undefined);
  lock?.release();
  const again = takeLock(file);
  t.ok(again);
  again?.release();
  t.end();
});
