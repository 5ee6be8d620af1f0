// Server-sent events: a bounded number of readers, each with at most what he has not taken yet, and signs of life between.
import type { ServerResponse } from 'node:http';
import type { CancelTimer, Clock } from '../../gateway/kernel/clock.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { ConsoleAnswer, EventReader } from '../../gateway/ports/console-routes.js';

type Join = Extract<ConsoleAnswer, { readonly kind: 'events' }>['join'];

/** Pages that are open at a time: each holds a socket and what it has not taken. */
export const MOST_STREAMS = 64;
const SIGN_OF_LIFE = seconds(15);
/** Milliseconds after which a page that lost us asks again. */
const RETRY = 2000;

class Stream implements EventReader {
  readonly #response: ServerResponse;

  constructor(
    response: ServerResponse,
    readonly stays: () => boolean,
  ) {
    this.#response = response;
    response.write(`retry: ${RETRY}\n\n`);
  }

  get ready(): boolean {
    return !this.#response.writableNeedDrain && !this.#response.writableEnded;
  }

  send(event: string, data: string): void {
    this.#response.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  /** Nothing to one that has not even taken what came before: his silence is counted. */
  live(): void {
    if (this.ready) this.#response.write(':\n\n');
  }

  onReady(again: () => void): void {
    this.#response.on('drain', again);
  }

  end(): void {
    this.#response.end();
  }
}

export class EventStreams {
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  #cancel: CancelTimer = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether no more readers are taken. */
  get full(): boolean {
    return this.#streams.size >= MOST_STREAMS;
  }

  /** Resolves when the reader has gone, or may no longer read. */
  open(response: ServerResponse, join: Join, stays: () => boolean): Promise<void> {
    const stream = new Stream(response, stays);
    if (this.#streams.size === 0) this.#cancel = this.#clock.every(SIGN_OF_LIFE, () => this.#live());
    this.#streams.add(stream);
    const leave = join(stream);
    return new Promise((resolve) => {
      response.once('close', () => {
        leave();
        this.#streams.delete(stream);
        if (this.#streams.size === 0) this.#cancel();
        resolve();
      });
    });
  }

  /** Ends the streams of those who may no longer read: they have signed out, or are no users any more. */
  review(): void {
    for (const stream of this.#streams) if (!stream.stays()) stream.end();
  }

  #live(): void {
    this.review();
    for (const stream of this.#streams) stream.live();
  }
}
