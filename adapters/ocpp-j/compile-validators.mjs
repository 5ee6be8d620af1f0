// Build step: turns the OCPP schemas of typed-ocpp into standalone validators, so that nothing is compiled at run time.
// Usage: node adapters/ocpp-j/compile-validators.mjs [target folder, default out/adapters/ocpp-j/validators]
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import addFormats from 'ajv-formats';
import { OCPP16, OCPP20 } from 'typed-ocpp';
import { standaloneModule } from '../../deploy/standalone-module.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const target = process.argv[2] ?? join(root, 'out/adapters/ocpp-j/validators');

/** Every schema of a version embeds every definition: pointing all of them at one copy keeps the code a tenth of the size. */
const shared = 'definitions';

function redirect(node, fold) {
  if (Array.isArray(node)) return node.map((item) => redirect(item, fold));
  if (node === null || typeof node !== 'object') return node;
  const copy = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'description' || key === 'comment' || key === '$schema' || key === '$id') {
      if (typeof value === 'string') continue;
    }
    copy[key] =
      key === '$ref' && fold && typeof value === 'string' && value.startsWith('#/definitions/')
        ? `${shared}${value}`
        : redirect(value, fold);
  }
  return copy;
}

function compile(schemas) {
  const ajv = new Ajv({
    strict: false,
    multipleOfPrecision: 6,
    removeAdditional: false,
    allErrors: false,
    code: { source: true, esm: true, lines: true },
  });
  addFormats.default(ajv);
  const definitions = {};
  for (const [name, schema] of Object.entries(schemas)) {
    for (const [type, definition] of Object.entries(schema.definitions ?? {})) {
      const text = JSON.stringify(definition);
      if (definitions[type] !== undefined && JSON.stringify(definitions[type]) !== text) {
        throw new Error(`${name} defines ${type} in its own way: the definitions cannot be shared`);
      }
      definitions[type] = definition;
    }
  }
  ajv.addSchema({ definitions: redirect(definitions, false) }, shared);
  const exported = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const { definitions: _, ...own } = schema;
    ajv.addSchema(redirect(own, true), name);
    exported[name] = name;
  }
  return standaloneCode.default(ajv, exported);
}

/** Times are checked by our own, stricter rule. */
function withOurTimes(code) {
  const dateTime = 'require("ajv-formats/dist/formats").fullFormats["date-time"]';
  if (!code.includes(dateTime)) throw new Error('the generated code does not look as expected');
  return standaloneModule(code.replaceAll(dateTime, '{ validate: isDateTime }'), [
    `import { isDateTime } from '../date-time.js';`,
  ]);
}

await mkdir(target, { recursive: true });
for (const { file, schemas } of [
  { file: 'ocpp16.js', schemas: OCPP16.schemas },
  { file: 'ocpp201.js', schemas: OCPP20.schemas },
]) {
  const code = withOurTimes(compile(schemas));
  await writeFile(join(target, file), code);
  console.log(`${file}: ${Object.keys(schemas).length} validators, ${Math.round(code.length / 1024)} KiB`);
}
