// Broken sites, each with the findings it must give: `# expect: <line>:<column> <code> <part of the message>`.
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { FINDING_CODES } from '../../site-config/finding.js';
import { loadSite } from '../../site-config/loader.js';
import { devices } from './devices.js';

const folder = 'test/site-config/broken/';
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const seenCodes = new Set<string>();
let checked = 0;

for (const name of files) {
  t.test(name, (t) => {
    const text = readFileSync(folder + name, 'utf8');
    const expected = [...text.matchAll(/^# expect: (\d+):(\d+) (\S+) ?(.*)$/gm)];
    t.ok(expected.length > 0, 'says what it expects');
    const result = loadSite(folder + name, { devices, env: {} });
    const findings = result.ok ? result.value.warnings : result.error;
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
      result.ok,
      findings.every(({ severity }) => severity === 'warning'),
      'an error refuses the site, a warning does not',
    );
    checked += 1;
    t.end();
  });
}

t.test('every broken site was visited, and every code has one', (t) => {
  t.equal(checked, files.length);
  t.ok(files.length >= 60, `${files.length} broken sites`);
  t.same(
    Object.keys(FINDING_CODES).filter((code) => !seenCodes.has(code)),
    [],
    'codes without an example',
  );
  t.end();
});
