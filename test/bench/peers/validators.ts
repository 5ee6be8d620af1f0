// The gateway's own compiled validators in the plainest form: what every baseline that checks messages uses.
import { loadValidators, type MessageKind } from '../../../adapters/ocpp-j/validation.js';

/** @returns whether a payload fits the OCPP 1.6 schema of its action */
export async function validity(): Promise<(action: string, kind: MessageKind, payload: unknown) => boolean> {
  const validators = await loadValidators('ocpp1.6');
  return (action, kind, payload) => validators.validate(action, kind, payload) === undefined;
}
