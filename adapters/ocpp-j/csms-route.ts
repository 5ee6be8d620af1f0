// The way of one CSMS call through an adapter: request -> canonical command -> canonical answer -> response of the version.
import type { CsmsAnswer, CsmsCommand } from '../../gateway/ports/csms.js';
import type { Timestamp } from '../../gateway/kernel/units.js';
import type { CallAnswer, IncomingCall, Payload, RpcErrorCode } from './contract.js';
import { parseTime } from './csms-time.js';

/** Whoever carries out a command: the host, behind the rules of the boot state. */
export type Commander = (command: CsmsCommand) => Promise<CsmsAnswer>;

export type Route = (payload: Payload, command: Commander) => Promise<CallAnswer>;

/** A request that is valid JSON of the right shape and still cannot be understood. */
export class UnusableRequest extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnusableRequest';
  }
}

/** @throws UnusableRequest */
export function timeOf(text: string): Timestamp {
  const at = parseTime(text);
  if (at === undefined) throw new UnusableRequest('not a time');
  return at;
}

/** The wire has validated the payload against the schema of its action; this gives it the schema's type. */
export const requestOf = <Request>(payload: Payload): Request => payload as unknown as Request;

/** A typed message as the wire takes it. */
export const payloadOf = (message: object): Payload => message as Payload;

/** The status if this message knows it, else the one that stands for every other refusal. */
export const oneOf = <Status extends string>(
  status: string,
  known: readonly Status[],
  otherwise: NoInfer<Status>,
): Status => known.find((word) => word === status) ?? otherwise;

/**
 * @param toCommand may throw UnusableRequest
 * @param refusals statuses that this version says with a CALLERROR
 */
export function route<Request, Response extends object>(
  toCommand: (request: Request) => CsmsCommand,
  toResponse: (answer: CsmsAnswer, request: Request) => Response,
  refusals: Partial<Record<CsmsAnswer['status'], RpcErrorCode>> = {},
): Route {
  return async (payload, command) => {
    const request = requestOf<Request>(payload);
    const answer = await command(toCommand(request));
    const refusal = refusals[answer.status];
    if (refusal !== undefined) return { kind: 'error', code: refusal, description: answer.detail ?? answer.status };
    return {
      kind: 'result',
      payload: payloadOf(toResponse(answer, request)),
      ...(answer.afterwards && { afterwards: answer.afterwards }),
    };
  };
}

/** Always the same answer: for actions that this gateway has no use for. */
export const fixed =
  (response: object): Route =>
  () =>
    Promise.resolve({ kind: 'result', payload: payloadOf(response) });

export const refused =
  (code: RpcErrorCode, description: string): Route =>
  () =>
    Promise.resolve({ kind: 'error', code, description });

/** Finds the route of a call; an action without one is answered NotImplemented. */
export async function answerBy(
  routes: ReadonlyMap<string, Route>,
  call: IncomingCall,
  command: Commander,
): Promise<CallAnswer> {
  const found = routes.get(call.action);
  if (!found) return { kind: 'error', code: 'NotImplemented', description: 'Action not known' };
  try {
    return await found(call.payload, command);
  } catch (error) {
    if (error instanceof UnusableRequest)
      return { kind: 'error', code: 'PropertyConstraintViolation', description: error.message };
    throw error;
  }
}
