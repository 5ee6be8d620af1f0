// The steps by which a new connection is set up: each asked once, failures logged, and an end where nobody answers.
import { FAULTS } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { CommandOutcome } from '../../gateway/site/station-command.js';
import type { AskOptions, Attachment, ChargerLink, Reply } from './charger-link.js';
import type { Payload } from './contract.js';
import { textOf } from './fields.js';

const STEP_TIME = seconds(15);
/** Set-up gives way to everything else. */
const PRIORITY = 2;

/** The charger stopped answering: there is no use in going on, and none in trying again on this connection. */
class Unresponsive extends Error {}

export class SetUpSteps {
  readonly attachment: Attachment;
  readonly #link: ChargerLink;
  readonly #log: Log;
  readonly #station: string;
  #unanswered = 0;

  constructor(attachment: Attachment, link: ChargerLink, log: Log, station: string) {
    this.attachment = attachment;
    this.#link = link;
    this.#log = log;
    this.#station = station;
  }

  /** Whether the connection that is being set up is still the current one. */
  get current(): boolean {
    return this.#link.attachment === this.attachment;
  }

  /** Runs the steps to their end or to the first sign that nobody answers. Never rejects. */
  async run(steps: () => Promise<void>): Promise<void> {
    try {
      await steps();
      this.#log.info({ station: this.#station }, 'charger set up');
    } catch (err) {
      if (err instanceof Unresponsive) this.#log.warn({ station: this.#station }, `set-up ended early: ${err.message}`);
      else this.#log.error({ station: this.#station, err }, 'set-up failed');
    }
  }

  options(priority = PRIORITY): AskOptions {
    return { deadline: this.#link.deadline(STEP_TIME), priority };
  }

  async ask(action: string, payload: Payload): Promise<Reply> {
    const reply = await this.#link.ask(this.attachment, action, payload, this.options());
    this.#count(reply.kind);
    return reply;
  }

  /** The same account for a step that is made of a command. */
  taken(outcome: CommandOutcome): void {
    this.#count(outcome.status === 'Offline' ? 'offline' : outcome.status === 'Uncertain' ? 'uncertain' : 'answered');
  }

  #count(kind: Reply['kind']): void {
    if (kind === 'offline') throw new Unresponsive('the link is gone');
    this.#unanswered = kind === 'uncertain' ? this.#unanswered + 1 : 0;
    if (this.#unanswered >= 2) throw new Unresponsive('two steps without an answer');
  }

  refused(step: string, reply: Reply): void {
    const said = reply.kind === 'answered' ? textOf(reply.payload, 'status') : 'detail' in reply ? reply.detail : '';
    const fault = FAULTS.setupIncomplete.code;
    this.#log.warn({ station: this.#station, fault, step, said }, 'a step of the set-up was not accepted');
  }
}
