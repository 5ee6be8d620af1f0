// Reports of one station, in the order in which they happened, each repeated unchanged until the gateway has it on disk.
import type { AdapterContext, StationHost } from '../../gateway/ports/station.js';
import type { StationAnswer, StationEvent } from '../../gateway/site/station-event.js';
import { seconds } from '../../gateway/kernel/units.js';

const RETRY = seconds(1);

export class Outbox {
  private readonly waiting: (() => Promise<void>)[] = [];
  private sending: Promise<void> | undefined;
  private stopped = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly station: string,
    private readonly host: StationHost,
    private readonly context: AdapterContext,
  ) {}

  /** Reports that wait, the one under way included. */
  get backlog(): number {
    return this.waiting.length;
  }

  /** `build` is called once, when everything before it has been answered. */
  post<E extends StationEvent>(build: () => E, answered: (answer: StationAnswer<E>) => void = () => undefined): void {
    if (this.stopped) return;
    let event: E | undefined;
    this.waiting.push(async () => {
      event ??= build();
      const answer = await this.host.report(event);
      answered(answer);
    });
    this.sending ??= this.send().finally(() => (this.sending = undefined));
  }

  /** Resolves when nothing more will be reported; what has not been taken is told again after the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.sending;
  }

  private async send(): Promise<void> {
    let failing = false;
    for (;;) {
      const next = this.waiting[0];
      if (next === undefined || this.stopped) return;
      try {
        await next();
        this.waiting.shift();
        failing = false;
      } catch (err) {
        if (!failing) this.context.log.warn({ station: this.station, err }, 'report not taken, repeating it');
        failing = true;
        await this.pause();
      }
    }
  }

  private pause(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.context.clock.after(RETRY, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
