#!/usr/bin/env node
// The `forecourt` command: in a checkout it first brings the compiled code up to date, in a package it only runs it.
import { existsSync } from 'node:fs';

const main = new URL('../out/bundle/forecourt.js', import.meta.url);
const isCheckout = existsSync(new URL('../gateway/main.ts', import.meta.url));

if (isCheckout) {
  const { ensureBuilt, ensureInstalled, PrepareFailed } = await import('./prepare.mjs');
  try {
    ensureInstalled();
    ensureBuilt();
  } catch (error) {
    if (!(error instanceof PrepareFailed)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write('forecourt has not been compiled: run `npm run build` in its folder\n');
  process.exitCode = 1;
}
