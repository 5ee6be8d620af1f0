// Turns the code that Ajv writes for a validator into an ECMAScript module that can stand anywhere in out/.

/**
 * Ajv writes its helpers as require() calls even into ECMAScript modules.
 * @param code what `standaloneCode` of Ajv made with `esm: true`
 * @param own import lines for what the code names of ours
 */
export function standaloneModule(code, own) {
  const imports = new Map();
  const body = code.replace(/require\("([^"]+)"\)/g, (_, path) => {
    if (!imports.has(path)) imports.set(path, `helper${imports.size}`);
    return imports.get(path);
  });
  return [...own, ...[...imports].map(([path, name]) => `import ${name} from '${path}.js';`), body].join('\n');
}
