// A real browser for the console's page: Debian's Chromium without a window, and a check of what it shows against the rules of accessibility.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { Test } from 'tap';

const CHROMIUM = '/usr/bin/chromium';

export const noChromium =
  spawnSync(CHROMIUM, ['--version']).status === 0 ? false : 'chromium is missing: apt-get install chromium';

export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };
/** The narrowest phone that is promised. */
export const NARROW = { width: 360, height: 740 };

/** One for all tests of a file, started by the first that looks. */
export function sharedBrowser(file: Test): () => Promise<Browser> {
  let launched: Promise<Browser> | undefined;
  file.teardown(async () => (await launched)?.close());
  // As root there is no sandbox to be had; only our own page is looked at.
  return () => (launched ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] }));
}

export interface Visit {
  readonly page: Page;
  /** What the browser complained of: errors of scripts, and what the page's policy forbids. */
  readonly complaints: readonly string[];
}

export async function visit(browser: Browser, address: string, options: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('pageerror', (err) => complaints.push(err.message));
  page.on('console', (message) => {
    // An answer that is an error is something that the page shows.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  await page.goto(address);
  return { page, complaints };
}

/** Not as a script of the page, which its policy would forbid. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What is seriously wrong for somebody who cannot see, or not well: rule, and the elements.
 * @param rules `colours` where only these are others than before
 */
export async function barriers(page: Page, rules: 'all' | 'colours' = 'all'): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>(
    rules === 'all' ? 'axe.run(document)' : 'axe.run(document, { runOnly: ["color-contrast"] })',
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** How many pixels of the page stand out at the right. */
export const sideways = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');

const PICTURES = 'out/screenshots';

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
}
