// Stands for a module that compile-schemas.mjs generates from site.schema.json and device.schema.json.
import type { Validate } from './form.js';

export declare const validateSite: Validate;
export declare const validateDevice: Validate;
