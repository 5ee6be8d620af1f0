// The licence texts of everything that a package carries inside.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param folders of the packages, below `root`
 * @throws Error when a package says nowhere under which terms it may be passed on
 */
export function licences(root, folders) {
  const chapters = [...new Set(folders)].map((folder) => {
    const { name, version, license, author } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const texts = files.map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
    if (texts.length === 0 && typeof license !== 'string') throw new Error(`${folder} has no licence`);
    const by = typeof author === 'string' ? author : (author?.name ?? 'its authors');
    // Some packages leave the text out: their word in package.json is all there is.
    const body =
      texts.length > 0 ? texts.join('\n\n') : `Copyright ${by}. Licence: ${license} (as its package.json says).`;
    return `${name} ${version}${typeof license === 'string' ? ` (${license})` : ''}\n\n${body}\n`;
  });
  const head = 'Forecourt is under the Apache License 2.0 (file LICENSE). It contains the following works of others.\n';
  chapters.sort((a, b) => (a < b ? -1 : 1));
  return [head, ...chapters].join(`\n${'-'.repeat(80)}\n\n`);
}
