// A broker in memory, for tests: acknowledges at once, later or never, and goes away when told.
import type { TelemetryLink, TelemetryListener } from '../../gateway/ports/telemetry.js';

export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

export class FakeTelemetryLink implements TelemetryLink {
  connected = false;
  stopped = false;
  /** False: publications wait for `acknowledge`. */
  answers = true;
  /** Publications that are refused once, by their place in `published`. */
  readonly refuse = new Set<number>();
  readonly published: Published[] = [];
  #listener: TelemetryListener | undefined;
  #waiting: ((taken: boolean) => void)[] = [];

  get inFlight(): number {
    return this.#waiting.length;
  }

  start(listener: TelemetryListener): void {
    this.#listener = listener;
  }

  up(): void {
    this.connected = true;
    this.#listener?.connected();
  }

  down(): void {
    this.connected = false;
    for (const settle of this.#waiting.splice(0)) settle(false);
    this.#listener?.disconnected('connection closed');
  }

  receive(topic: string, payload: string): void {
    this.#listener?.message(topic, payload);
  }

  acknowledge(): void {
    for (const settle of this.#waiting.splice(0)) settle(true);
  }

  publish(
    topic: string,
    payload: string,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): Promise<boolean> {
    if (!this.connected) return Promise.resolve(false);
    const place = this.published.push({ topic, payload, ...options }) - 1;
    if (this.refuse.delete(place)) return Promise.resolve(false);
    if (this.answers) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  stop(): Promise<void> {
    this.stopped = true;
    return Promise.resolve();
  }

  /** Payloads of a topic, parsed, the oldest first. */
  of(topic: string): unknown[] {
    return this.published.filter((each) => each.topic === topic).map(({ payload }) => JSON.parse(payload) as unknown);
  }
}
