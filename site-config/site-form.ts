// The form that site.yaml has: its JSON Schema, and the defaults that it documents.
import { readForm, type Form, type Schema } from './form.js';
import { validateSite } from './validators.js';

export const siteForm: Form = readForm('a site', new URL('./site.schema.json', import.meta.url), validateSite);

/** The default that the schema documents for a key, such as `margin` of `circuit`, as it would be written. */
export function documentedDefault(definition: string, key: string): string {
  const owner = definition === '' ? siteForm.schema : siteForm.definitions[definition];
  const property = part(part(owner)?.['properties'])?.[key];
  const value = part(property)?.['default'];
  if (value === undefined) throw new Error(`the schema documents no default for ${definition} ${key}`);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

const part = (value: unknown): Schema | undefined =>
  typeof value === 'object' && value !== null ? (value as Schema) : undefined;
