// The catalogue of faults, the code that reports them and the operator's page say the same.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FAULTS } from '../../../gateway/kernel/faults.js';

const CATALOGUE = join('gateway', 'kernel', 'faults.ts');

const sources = ['gateway', 'adapters']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.ts') && path !== CATALOGUE)
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

void t.test('codes are unique and of one form', (t) => {
  const codes = Object.values(FAULTS).map(({ code }) => code);
  t.equal(new Set(codes).size, codes.length);
  for (const code of codes) t.match(code, /^FC-[A-Z]\d\d$/);
  t.end();
});

void t.test('no code is written by hand: whoever reports a fault takes it from the catalogue', (t) => {
  t.ok(sources.length > 100, 'the sources were found');
  for (const { path, text } of sources) {
    t.notMatch(text, /['"`]FC-/, path);
    t.notMatch(text, /\bfault: ['"`]/, path);
  }
  t.end();
});

void t.test('every fault of the catalogue is reported somewhere', (t) => {
  for (const [name, { code }] of Object.entries(FAULTS)) {
    const used = new RegExp(`\\bFAULTS\\.${name}\\b`);
    t.ok(
      sources.some(({ text }) => used.test(text)),
      `${code} ${name}`,
    );
  }
  t.end();
});

void t.test('deploy/FAULTS.md has each fault with its meaning and what to do, and no other', (t) => {
  const sections = new Map(
    readFileSync('deploy/FAULTS.md', 'utf8')
      .split(/^### /m)
      .slice(1)
      .map((section): [string, string] => [section.slice(0, section.indexOf('\n')), oneLine(section)]),
  );
  for (const { code, means, action } of Object.values(FAULTS)) {
    const text = sections.get(code) ?? '';
    t.ok(text.includes(oneLine(means)), `${code} means`);
    t.ok(text.includes(`What to do: ${oneLine(action)}`), `${code} what to do`);
  }
  t.same(
    [...sections.keys()].sort(),
    Object.values(FAULTS)
      .map(({ code }) => code)
      .sort(),
  );
  t.end();
});
