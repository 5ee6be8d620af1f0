// The form that site.yaml has: its JSON Schema, and the defaults that it documents.
import { documentedDefault as defaultOf, readForm, type Form } from './form.js';
import { validateSite } from './validators.js';

export const siteForm: Form = readForm('a site', new URL('./site.schema.json', import.meta.url), validateSite);

/** The default of a key, such as `margin` of `circuit`, as it would be written. */
export const documentedDefault = (definition: string, key: string): string => defaultOf(siteForm, definition, key);
