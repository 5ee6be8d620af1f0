// Broken sites and device profiles, each with the findings it must give: `# expect: <line>:<column> <code> <part of the message>`.
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { readProfile } from '../../site-config/devices/profile.js';
import { FINDING_CODES, type Finding } from '../../site-config/finding.js';
import { loadSite } from '../../site-config/loader.js';
import { devices } from './devices.js';

const SITES = 'test/site-config/broken/';
const DEVICES = 'test/site-config/broken-devices/';
const yamlIn = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => (name.endsWith('.yaml') ? [folder + name] : []));
const files = [...yamlIn(SITES), ...yamlIn(DEVICES)];
const seenCodes = new Set<string>();
let checked = 0;

interface Outcome {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

function site(name: string): Outcome {
  const result = loadSite(name, { devices, env: {} });
  return { ok: result.ok, findings: result.ok ? result.value.warnings : result.error };
}

function device(name: string, text: string): Outcome {
  const result = readProfile('broken', text, name);
  return { ok: result.ok, findings: result.ok ? [] : result.error };
}

for (const name of files) {
  t.test(name, (t) => {
    const text = readFileSync(name, 'utf8');
    const expected = [...text.matchAll(/^# expect: (\d+):(\d+) (\S+) ?(.*)$/gm)];
    t.ok(expected.length > 0, 'says what it expects');
    const { ok, findings } = name.startsWith(SITES) ? site(name) : device(name, text);
    for (const [, line, column, code = '', message = ''] of expected) {
      seenCodes.add(code);
      const found = findings.find(
        (finding) =>
          finding.code === code &&
          finding.line === Number(line) &&
          finding.column === Number(column) &&
          finding.message.includes(message),
      );
      t.ok(found, `${line}:${column} ${code} ${message}`, { findings });
    }
    t.equal(findings.length, expected.length, 'finds nothing else', { findings });
    for (const { suggestion, code } of findings)
      t.ok(suggestion !== undefined || code === 'syntax', 'says what to write instead');
    t.equal(
      ok,
      findings.every(({ severity }) => severity === 'warning'),
      'an error refuses the site, a warning does not',
    );
    checked += 1;
    t.end();
  });
}

t.test('every broken file was visited, and every code has one', (t) => {
  t.equal(checked, files.length);
  t.ok(files.length >= 60, `${files.length} broken files`);
  t.same(
    Object.keys(FINDING_CODES).filter((code) => !seenCodes.has(code)),
    [],
    'codes without an example',
  );
  t.end();
});
