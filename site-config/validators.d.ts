// Stands for a module that compile-schemas.mjs generates: one function a schema.
import type { Validate } from './form.js';

export declare const validateSite: Validate;
export declare const validateDevice: Validate;
export declare const validateEvening: Validate;
