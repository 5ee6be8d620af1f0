// Build step: turns the JSON Schemas of site.yaml, device profiles and evening.yaml into standalone validators, so that no start of
// the gateway compiles them. Usage: node site-config/compile-schemas.mjs [target file, default out/site-config/validators.js]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _, Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { standaloneModule } from '../deploy/standalone-module.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, '../out/site-config/validators.js');
const schemas = {
  validateSite: 'site.schema.json',
  validateDevice: 'device.schema.json',
  validateEvening: '../simulation/rehearsal/evening.schema.json',
};

/** The unit of a quantity, which may stand in the definition that it refers to. */
function unitOf(part, definitions) {
  const reference = part.$ref ?? part.allOf?.[0]?.$ref;
  const referred = reference && definitions[reference.replace('#/definitions/', '')];
  const unit = part['x-unit'] ?? (referred && unitOf(referred, definitions));
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
    cxt.pass(
      _`isWithin(${cxt.data}, ${unitOf(cxt.parentSchema, cxt.it.schemaEnv.root.schema.definitions)}, ${least}, ${most})`,
    );
  },
});

for (const [name, file] of Object.entries(schemas))
  ajv.addSchema(JSON.parse(await readFile(join(here, file), 'utf8')), name);
const code = standaloneCode.default(ajv, Object.fromEntries(Object.keys(schemas).map((name) => [name, name])));
await mkdir(dirname(target), { recursive: true });
await writeFile(target, standaloneModule(code, [`import { isQuantity, isWithin } from './schema-keywords.js';`]));
