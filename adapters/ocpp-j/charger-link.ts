// One charger over all its connections: which one is current, when it may be spoken to, and how a question to it ends.
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { seconds, type Milliseconds } from '../../gateway/kernel/units.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { CallOutcome, OcppConnection, Payload } from './contract.js';

/** How a question to a charger ended, seen from above the wire. */
export type Reply =
  | { readonly kind: 'answered'; readonly payload: Payload }
  /** The charger's CALLERROR: it has certainly not done it. */
  | { readonly kind: 'refused'; readonly unsupported: boolean; readonly detail: string }
  /** Sent, and no usable answer: it may have been done. `late`, where it was asked for: the answer if it comes after all. */
  | { readonly kind: 'uncertain'; readonly detail: string; readonly late?: Promise<Payload> }
  /** Never sent. */
  | { readonly kind: 'offline' };

export interface AskOptions {
  /** On the clock's monotonic scale; no answer by then is `uncertain`. */
  readonly deadline: Milliseconds;
  readonly priority?: number;
  /** An answer that comes after the deadline is of use. */
  readonly late?: boolean;
}

/** No command takes longer (aggregation section 3). */
export const COMMAND_TIME = seconds(15);
/** What the gateway asks by itself: a charger that drops its connection at it so many times in a row is not asked again. */
const SPARED_AFTER = 2;
const OWN_ACTIONS: ReadonlySet<string> = new Set([
  'GetConfiguration',
  'ChangeConfiguration',
  'GetVariables',
  'SetVariables',
  'ClearChargingProfile',
  'SetChargingProfile',
  'TriggerMessage',
  'GetLocalListVersion',
  'SendLocalList',
]);
/** Behind commands and what drivers wait for. */
const PATIENT = 2;
/** A charger that comes back without a BootNotification and stays quiet is spoken to after this. */
const QUIET_TIME = seconds(20);

interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

const gate = (): Gate => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
};

/** What belongs to one connection and is forgotten with it. */
export interface Attachment {
  readonly connection: OcppConnection;
  /** Open once the charger may be sent anything at all. */
  readonly approachable: Gate;
  /** Open once set-up has put the charger's profiles in order, so that a limit written now stays. */
  readonly profilesReady: Gate;
}

interface Session extends Attachment {
  begun: boolean;
  bootRefused: boolean;
  /** Accepted, and still left alone. */
  booting: boolean;
  cancelQuiet: CancelTimer;
}

const replyFrom = (outcome: CallOutcome): Reply => {
  switch (outcome.kind) {
    case 'result':
      return { kind: 'answered', payload: outcome.payload };
    case 'error':
      return {
        kind: 'refused',
        unsupported: outcome.code === 'NotImplemented' || outcome.code === 'NotSupported',
        detail: outcome.description === '' ? outcome.code : `${outcome.code}: ${outcome.description}`,
      };
    case 'invalid':
      return { kind: 'uncertain', detail: outcome.reason };
    case 'timeout':
      return { kind: 'uncertain', detail: 'no answer in time' };
    case 'closed':
      return outcome.sent ? { kind: 'uncertain', detail: 'the link was lost before the answer' } : { kind: 'offline' };
  }
};

/** The answer whenever it comes; pending for ever where none does. */
const answerAfterAll = (call: Promise<CallOutcome>): Promise<Payload> =>
  new Promise((resolve) => {
    const came = (outcome: CallOutcome): void => {
      if (outcome.kind === 'result') resolve(outcome.payload);
      else if (outcome.kind === 'timeout' && outcome.late !== undefined) resolve(outcome.late);
    };
    void call.then(came);
  });

/** What a command becomes when the charger's own word is not there. */
export const outcomeWithout = (reply: Exclude<Reply, { kind: 'answered' }>): CommandOutcome => {
  switch (reply.kind) {
    case 'refused':
      return { status: reply.unsupported ? 'NotSupported' : 'Rejected', detail: reply.detail };
    case 'uncertain':
      return { status: 'Uncertain', detail: reply.detail };
    case 'offline':
      return { status: 'Offline' };
  }
};

/**
 * The current connection of one charger and the moment from which it may be spoken to: after an accepted boot, after its
 * first other message, or after 20 s of quiet, since some chargers fall into a boot loop when called any earlier.
 */
export class ChargerLink {
  readonly #clock: Clock;
  readonly #setUp: (attachment: Attachment) => Promise<void>;
  #session: Session | undefined;
  /** Connections lost in a row while an action was unanswered. */
  readonly #losses = new Map<string, number>();

  /** @param setUp runs once per connection, as soon as the charger may be spoken to; must not reject */
  constructor(clock: Clock, setUp: (attachment: Attachment) => Promise<void>) {
    this.#clock = clock;
    this.#setUp = setUp;
  }

  get attachment(): Attachment | undefined {
    return this.#session;
  }

  attach(connection: OcppConnection): void {
    const session: Session = {
      connection,
      approachable: gate(),
      profilesReady: gate(),
      begun: false,
      bootRefused: false,
      booting: false,
      cancelQuiet: () => undefined,
    };
    session.cancelQuiet = this.#clock.after(QUIET_TIME, () => this.#begin(session));
    this.#session = session;
  }

  /** Whether there was a connection to let go of. */
  detach(): boolean {
    const session = this.#session;
    if (!session) return false;
    this.#session = undefined;
    session.cancelQuiet();
    // Whoever waits is let through and finds the link gone.
    session.approachable.open();
    session.profilesReady.open();
    return true;
  }

  /**
   * The charger has been told whether it is accepted; called once that answer has left.
   * @param quiet left alone for so long first
   */
  bootAnswered(accepted: boolean, quiet?: Milliseconds): void {
    const session = this.#session;
    if (!session) return;
    session.bootRefused = !accepted;
    // A station that is told to wait is quiet because it was told to.
    session.cancelQuiet();
    session.booting = accepted && quiet !== undefined;
    if (!accepted) return;
    if (quiet === undefined) this.#begin(session);
    else session.cancelQuiet = this.#clock.after(quiet, () => this.#begin(session));
  }

  /** Another message than a boot has been answered: the charger considers itself booted. */
  messageAnswered(): void {
    const session = this.#session;
    if (session && !session.bootRefused && !session.booting) this.#begin(session);
  }

  #begin(session: Session): void {
    if (session.begun || session !== this.#session) return;
    session.begun = true;
    session.cancelQuiet();
    session.approachable.open();
    void this.#setUp(session).finally(() => session.profilesReady.open());
  }

  /** A deadline `after` from now, on the scale that `ask` reads. */
  deadline(after: Milliseconds): Milliseconds {
    return (this.#clock.monotonic() + after) as Milliseconds;
  }

  /** For what can wait: the time of a command, behind everything else. */
  patient(): AskOptions {
    return { deadline: this.deadline(COMMAND_TIME), priority: PATIENT };
  }

  /** Waits for the gate; false where the deadline comes first or the connection goes. */
  async pass(attachment: Attachment, through: Gate, deadline: Milliseconds): Promise<boolean> {
    const passed = await this.#inTime(
      through.passed.then(() => true),
      deadline,
    );
    return passed === true && attachment === this.#session;
  }

  /** One question to the charger on `attachment`; never rejects. */
  async ask(attachment: Attachment, action: string, payload: Payload, options: AskOptions): Promise<Reply> {
    const left = options.deadline - this.#clock.monotonic();
    if (attachment !== this.#session || !attachment.connection.open || left <= 0) return { kind: 'offline' };
    // Some firmware falls over at one message: asked again at every set-up, it would never stay connected.
    if ((this.#losses.get(action) ?? 0) >= SPARED_AFTER) {
      return { kind: 'refused', unsupported: true, detail: `the charger drops its connection at ${action}` };
    }
    const call = attachment.connection.call(action, payload, {
      timeout: left,
      ...(options.priority !== undefined && { priority: options.priority }),
      ...(options.late === true && { late: true }),
    });
    // The wire counts from sending; a call that waits behind others has to end in time as well.
    const outcome = await this.#inTime(call, options.deadline);
    if (outcome !== undefined && OWN_ACTIONS.has(action)) this.#count(action, outcome);
    const reply = outcome && replyFrom(outcome);
    if (reply !== undefined && reply.kind !== 'uncertain') return reply;
    const late = options.late === true ? answerAfterAll(call) : undefined;
    return { kind: 'uncertain', detail: reply?.detail ?? 'no answer in time', ...(late && { late }) };
  }

  #count(action: string, outcome: CallOutcome): void {
    if (outcome.kind === 'closed' && outcome.sent) this.#losses.set(action, (this.#losses.get(action) ?? 0) + 1);
    else if (outcome.kind !== 'closed') this.#losses.delete(action);
  }

  async #inTime<T>(promise: Promise<T>, deadline: Milliseconds): Promise<T | undefined> {
    let cancel: CancelTimer = () => undefined;
    const late = new Promise<undefined>((resolve) => {
      const left = Math.max(0, deadline - this.#clock.monotonic()) as Milliseconds;
      cancel = this.#clock.after(left, () => resolve(undefined));
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      cancel();
    }
  }
}
