// Stands for a module that compile-schema.mjs generates from site.schema.json.
import type { ErrorObject } from 'ajv';

/** @returns whether `site` is what the schema asks for; if not, `errors` holds every fault */
export declare const validateSite: {
  (site: unknown): boolean;
  errors?: null | ErrorObject[];
};
