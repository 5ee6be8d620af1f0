// The gateway's HTTP interface, as the page uses it: an answer, or what went wrong and what to do about it.

/** What the gateway refused, in its own words. */
export class Refused extends Error {
  readonly action: string;
  /** Of HTTP; 0: the gateway could not be reached. */
  readonly status: number;
  readonly body: unknown;

  constructor(error: string, action: string, status: number, body?: unknown) {
    super(error);
    this.name = 'Refused';
    this.action = action;
    this.status = status;
    this.body = body;
  }
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** How long an answer may take before the gateway counts as out of reach. */
const ANSWER_WITHIN_MS = 30_000;

/**
 * The gateway's answer, which has the shape that the contract gives it: page and gateway are of one release.
 * @throws Refused
 */
export async function ask<T>(path: string, method: Method = 'GET', body?: object): Promise<T> {
  const response = await reach(path, method, body);
  const text = await response.text().catch(() => '');
  const answer = parsed(text);
  if (response.ok) return (answer ?? text) as T;
  const { error, action } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>;
  throw new Refused(
    typeof error === 'string' ? error : `the gateway answered ${response.status}`,
    typeof action === 'string' ? action : 'the log of the gateway says more',
    response.status,
    answer,
  );
}

async function reach(path: string, method: Method, body: object | undefined): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(method !== 'GET' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
    });
  } catch {
    throw new Refused(
      'the gateway cannot be reached',
      'is this device on the network of the site? The page goes on by itself when the gateway answers again',
      0,
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A text, such as a report; an error without a body.
    return undefined;
  }
}

export function refusedBy(err: unknown): Refused {
  if (err instanceof Refused) return err;
  return new Refused(err instanceof Error ? err.message : String(err), 'load the page again', -1);
}
