// What a building takes beside the chargers: a base by time of day, a lift whose motor starts hard, and lights on one phase.
import { ampere, type Ampere, type Timestamp } from '../gateway/kernel/units.js';
import { perPhase, type PerPhase } from '../gateway/site/topology.js';

/** Current per phase at a moment: a function of time, so that two looks at one moment agree. */
export type Load = (at: Timestamp) => PerPhase<Ampere>;

export interface BuildingSettings {
  /** Average of the base load per phase. */
  readonly base: Ampere;
  /** The lift's running current on each phase. */
  readonly lift: Ampere;
  /** Seconds between two rides, on average. */
  readonly rideEvery: number;
}

const RIDE_SECONDS = 14;
/** A star-delta start draws about three times the running current, for about a second. */
const INRUSH = { factor: 3, seconds: 1 };

export function buildingLoad({ base, lift, rideEvery }: BuildingSettings): Load {
  return (at) => {
    const seconds = at / 1000;
    const hour = (seconds / 3600) % 24;
    const day = 1 + 0.3 * Math.sin(((hour - 9) / 24) * 2 * Math.PI);
    const flicker = 1 + 0.03 * Math.sin(seconds / 7) + 0.02 * Math.sin(seconds / 2.3);
    const slot = Math.floor(seconds / rideEvery);
    const sinceStart = seconds - slot * rideEvery - scatter(slot) * (rideEvery - RIDE_SECONDS);
    const riding = sinceStart >= 0 && sinceStart < RIDE_SECONDS;
    const motor = riding ? lift * (sinceStart < INRUSH.seconds ? INRUSH.factor : 1) : 0;
    return perPhase((phase) => ampere(base * day * flicker * (phase === 'L1' ? 1.15 : 1) + motor));
  };
}

export const NO_LOAD: Load = () => perPhase(() => ampere(0));

/** From 0 up to 1, the same for the same number. */
const scatter = (number: number): number => {
  const mixed = Math.sin(number * 12.9898) * 43_758.5453;
  return mixed - Math.floor(mixed);
};
