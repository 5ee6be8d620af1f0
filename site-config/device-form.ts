// The form that a device profile has, and where those are that come with Forecourt.
import { fileURLToPath } from 'node:url';
import { readForm, type Form } from './form.js';
import { validateDevice } from './validators.js';

export const deviceForm: Form = readForm(
  'a device profile',
  new URL('./device.schema.json', import.meta.url),
  validateDevice,
);

/** Holds `chargers` and `meters`, with a file for each device. */
export const deviceFolder = fileURLToPath(new URL('./devices/', import.meta.url));
