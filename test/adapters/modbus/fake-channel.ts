// A channel without a wire: what is sent is kept, what comes is said by the test.
import type { Channel, ChannelEvents, OpenChannel } from '../../../adapters/modbus/channel.js';

export class FakeChannel {
  /** Since the start, over all connections. */
  readonly sent: Buffer[] = [];
  opened = 0;
  /** Answers what is sent, at once; undefined keeps silent. */
  answer: (frame: Buffer) => Buffer | undefined = () => undefined;
  /** Why it cannot be opened, as long as that is so. */
  trouble: string | undefined;
  #events: ChannelEvents | undefined;

  readonly open: OpenChannel = (events): Channel => {
    this.#events = events;
    queueMicrotask(() => {
      if (this.#events !== events) return;
      if (this.trouble !== undefined) return events.lost(this.trouble);
      this.opened += 1;
      events.opened();
    });
    return {
      send: (bytes) => {
        this.sent.push(bytes);
        const answer = this.answer(bytes);
        if (answer !== undefined) queueMicrotask(() => this.say(answer));
      },
      close: () => {
        if (this.#events === events) this.#events = undefined;
        return Promise.resolve();
      },
    };
  };

  say(bytes: Buffer): void {
    this.#events?.received(bytes);
  }

  breakOff(reason: string): void {
    const events = this.#events;
    this.#events = undefined;
    events?.lost(reason);
  }
}
