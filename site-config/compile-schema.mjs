// Build step: turns the JSON Schema of site.yaml into a standalone validator, so that no start of the gateway compiles it.
// Usage: node site-config/compile-schema.mjs [target file, default out/site-config/site-validator.js]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _, Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { standaloneModule } from '../deploy/standalone-module.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, '../out/site-config/site-validator.js');
const schema = JSON.parse(await readFile(join(here, 'site.schema.json'), 'utf8'));

/** The unit of a quantity, which may stand in the definition that it refers to. */
function unitOf(part) {
  const reference = part.$ref ?? part.allOf?.[0]?.$ref;
  const unit = part['x-unit'] ?? (reference && unitOf(schema.definitions[reference.replace('#/definitions/', '')]));
  if (unit === undefined) throw new Error(`no unit for the range of ${JSON.stringify(part)}`);
  return unit;
}

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: false,
  ownProperties: true,
  code: { source: true, esm: true, lines: true },
});
ajv.addKeyword({
  keyword: 'x-unit',
  type: 'string',
  code: (cxt) => cxt.pass(_`isQuantity(${cxt.data}, ${cxt.schema})`),
});
ajv.addKeyword({
  keyword: 'x-range',
  type: 'string',
  code(cxt) {
    const [least, most] = cxt.schema;
    cxt.pass(_`isWithin(${cxt.data}, ${unitOf(cxt.parentSchema)}, ${least}, ${most})`);
  },
});

ajv.addSchema(schema, 'site');
const code = standaloneCode.default(ajv, { validateSite: 'site' });
await mkdir(dirname(target), { recursive: true });
await writeFile(target, standaloneModule(code, [`import { isQuantity, isWithin } from './schema-keywords.js';`]));
