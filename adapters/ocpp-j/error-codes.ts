// The CALLERROR codes: one canonical name inside, each version's own literal on the wire, every known spelling accepted.
import type { OcppVersion, RpcErrorCode } from './contract.js';

/** OCPP-J 1.6 table 7 misspells two names and lacks three codes, which GenericError stands for. */
const literals16: Readonly<Record<RpcErrorCode, string>> = {
  FormatViolation: 'FormationViolation',
  GenericError: 'GenericError',
  InternalError: 'InternalError',
  MessageTypeNotSupported: 'GenericError',
  NotImplemented: 'NotImplemented',
  NotSupported: 'NotSupported',
  OccurrenceConstraintViolation: 'OccurenceConstraintViolation',
  PropertyConstraintViolation: 'PropertyConstraintViolation',
  ProtocolError: 'ProtocolError',
  RpcFrameworkError: 'GenericError',
  SecurityError: 'SecurityError',
  TypeConstraintViolation: 'TypeConstraintViolation',
};

const spellings = new Map<string, RpcErrorCode>([
  ...Object.keys(literals16).map((code): [string, RpcErrorCode] => [code.toLowerCase(), code as RpcErrorCode]),
  ['formationviolation', 'FormatViolation'],
  ['occurenceconstraintviolation', 'OccurrenceConstraintViolation'],
]);

export const errorLiteral = (version: OcppVersion, code: RpcErrorCode): string =>
  version === 'ocpp1.6' ? literals16[code] : code;

/** What the other side meant; an unknown code is a GenericError. */
export const errorCodeFrom = (literal: string): RpcErrorCode => spellings.get(literal.toLowerCase()) ?? 'GenericError';
