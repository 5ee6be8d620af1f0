// The schema of site.yaml: what it finds wrong, and the defaults that it documents.
import { readFileSync } from 'node:fs';
import { schemaCheck } from './schema-check.js';

const check = schemaCheck(
  JSON.parse(readFileSync(new URL('./site.schema.json', import.meta.url), 'utf8')) as unknown,
  'a site',
);

/** Everything in which `site` is not what the schema asks for, at most one fault for a value. */
export const schemaFaults = check.faults;

/** The default that the schema documents for a key, such as `margin` of `circuit`, as it would be written. */
export const documentedDefault = check.documentedDefault;
