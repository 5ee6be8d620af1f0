// The way of a charger's messages to the gateway: dispatch by action, and what the charger hears when the gateway cannot.
import type { Log } from '../../gateway/kernel/log.js';
import { JournalUnavailable } from '../../gateway/ports/journal.js';
import type { StationHost } from '../../gateway/ports/station.js';
import type { StationAnswer, StationEvent } from '../../gateway/site/station-event.js';
import type { CallAnswer, CallHandler, IncomingCall, Payload } from './contract.js';

/** Answers one action; `afterwards` runs once the answer has left. */
export type ActionHandler = (payload: Payload, call: IncomingCall) => Promise<CallAnswer>;

export const answer = (payload: Payload, afterwards?: () => void): CallAnswer => ({
  kind: 'result',
  payload,
  ...(afterwards && { afterwards }),
});

export const refuse = (code: 'InternalError' | 'NotImplemented', description: string): CallAnswer => ({
  kind: 'error',
  code,
  description,
});

/** Everything one station reports, counted so that its driver knows when nothing more will come. */
export class StationReports {
  readonly #host: StationHost;
  readonly #log: Log;
  readonly #station: string;
  readonly #pending = new Set<Promise<unknown>>();
  #stopped = false;

  constructor(host: StationHost, log: Log, station: string) {
    this.#host = host;
    this.#log = log;
    this.#station = station;
  }

  /** @throws whatever the gateway throws, JournalUnavailable above all */
  async report<E extends StationEvent>(event: E): Promise<StationAnswer<E>> {
    if (this.#stopped) throw new JournalUnavailable('the station is no longer served');
    const pending = this.#host.report(event);
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
    }
  }

  /**
   * For events that nobody waits for: a failure is logged, since there is no message to leave unanswered. What comes after
   * the stop is of no use to anybody any more, such as the end of a set-up that was under way.
   */
  tell(event: StationEvent): void {
    if (this.#stopped) return;
    this.report(event).catch((err: unknown) =>
      this.#log.error({ station: this.#station, err }, `could not report that the station is ${event.type}`),
    );
  }

  /** Reports nothing from now on; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#pending);
  }

  /**
   * The handler of all actions in `actions`.
   * @param answered told of every action that was answered, once the answer has left
   */
  handler(actions: ReadonlyMap<string, ActionHandler>, answered: (action: string) => void): CallHandler {
    return async (call) => {
      const handle = actions.get(call.action);
      if (!handle) return refuse('NotImplemented', '');
      try {
        const result = await handle(call.payload, call);
        if (result.kind === 'error') return result;
        return {
          kind: 'result',
          payload: result.payload,
          afterwards: () => {
            result.afterwards?.();
            answered(call.action);
          },
        };
      } catch (err) {
        if (!(err instanceof JournalUnavailable)) throw err;
        this.#log.warn({ station: this.#station, err }, `${call.action} not taken in: the station keeps it`);
        return refuse('InternalError', 'not stored, send again');
      }
    };
  }
}
