// Makes an invalid payload valid by the table of repairs; consulted only after strict validation failed.
import { isMembers, repairs, valueAt, type Defect } from './repairs.js';
import type { MessageKind, Validators, Violation } from './validation.js';

/** More defects than this in one frame are no quirk. */
const mostRepairs = 200;

/**
 * Repairs a payload in place until it is valid.
 * @param found the violation that strict validation reported
 * @param note called with the name of each rule that was used
 * @returns what is still wrong, or undefined when the payload is valid now
 */
export function repairPayload(
  validators: Validators,
  action: string,
  kind: MessageKind,
  payload: unknown,
  found: Violation,
  note: (quirk: string) => void,
): Violation | undefined {
  let violation: Violation | undefined = found;
  for (let round = 0; round < mostRepairs && violation !== undefined; round++) {
    const defect = locate(payload, violation);
    const keyword = violation.keyword;
    const used = repairs.find((repair) => repair.keyword === keyword && repair.apply(defect));
    if (used === undefined) return violation;
    note(used.name);
    violation = validators.validate(action, kind, payload);
  }
  return violation;
}

const unescape = (token: string): string =>
  token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token;

function locate(root: unknown, violation: Violation): Defect {
  const path = violation.path === '' ? [] : violation.path.slice(1).split('/').map(unescape);
  const key = path.at(-1) ?? '';
  const parent = path.length === 0 ? undefined : valueAt(root, path.slice(0, -1));
  return {
    violation,
    root,
    path,
    key,
    value: valueAt(root, path),
    replace: (value) => {
      if (Array.isArray(parent)) parent[Number(key)] = value;
      else if (isMembers(parent)) parent[key] = value;
    },
    remove: () => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (isMembers(parent)) delete parent[key];
    },
  };
}
