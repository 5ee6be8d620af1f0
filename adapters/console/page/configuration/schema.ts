// The part of a JSON Schema that speaks of one place in site.yaml, as far as completion and help need it.

export interface JsonSchema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/** Deeper than any schema nests its references. */
const DEEPEST = 12;

/** A schema and all that it refers to or joins: each may say something of the place. */
export function partsOf(root: JsonSchema, schema: JsonSchema, depth = 0): readonly JsonSchema[] {
  if (depth > DEEPEST) return [];
  const name = /^#\/definitions\/(.+)$/.exec(schema.$ref ?? '')?.[1];
  const referred = name === undefined ? undefined : root.definitions?.[name];
  const joined = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [
    schema,
    ...(referred === undefined ? [] : partsOf(root, referred, depth + 1)),
    ...joined.flatMap((each) => partsOf(root, each, depth + 1)),
  ];
}

/** What the schema says of the place that a path of keys leads to; empty where it knows no such place. */
export function schemaAt(root: JsonSchema, path: readonly string[]): readonly JsonSchema[] {
  let here: readonly JsonSchema[] = partsOf(root, root);
  for (const key of path)
    here = here
      .flatMap((schema) => {
        if (key === '[]') return schema.items ?? [];
        const named = schema.properties?.[key];
        if (named !== undefined) return named;
        return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : [];
      })
      .flatMap((schema) => partsOf(root, schema));
  return here;
}
