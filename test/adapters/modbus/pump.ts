// Moves the fake clock while real sockets are given their turns, until something has happened.
import type { FakeClock } from '../../fakes/fake-clock.js';

const TURNS = 12;

/** Fails after `limit` milliseconds of fake time. */
export async function until(
  clock: FakeClock,
  happened: () => boolean,
  what: string,
  limit = 60_000,
  step = 50,
): Promise<void> {
  for (let spent = 0; spent <= limit; spent += step) {
    await clock.settle(TURNS);
    if (happened()) return;
    await clock.advance(step);
  }
  throw new Error(`did not happen: ${what}`);
}

/** Lets `ms` of fake time pass, sockets included. */
export async function pass(clock: FakeClock, ms: number, step = 50): Promise<void> {
  for (let spent = 0; spent < ms; spent += step) {
    await clock.settle(TURNS);
    await clock.advance(step);
  }
  await clock.settle(TURNS);
}
