// What a charger says in a visit, in the words of its version.
import type { Payload } from '../../peers/wire-record.js';
import type { Visit } from './visit.js';

/** One EVSE of a charger. */
export interface Place {
  /** From 1: connectorId in 1.6, evseId in 2.0.1. */
  readonly id: number;
  /** Its number on the site. */
  readonly evse: number;
  /** Wh. */
  register: number;
  status: 'free' | 'plugged' | 'charging' | 'paused' | 'over';
  /** A CSMS has asked for a start, and has not got it yet. */
  startAsked: { readonly token: string; readonly remoteStartId: number | undefined } | undefined;
  stopAsked: boolean;
}

export interface Dialect {
  status(place: Place, at: number): Payload;
  authorize(token: string): readonly [action: string, payload: Payload];
  /** @param early before the driver is known; 1.6 has no such start */
  start(
    place: Place,
    visit: Visit,
    at: number,
    remoteStartId: number | undefined,
    early: boolean,
  ): readonly [action: string, payload: Payload];
  started(place: Place, visit: Visit, answer: Payload): void;
  identify?(place: Place, visit: Visit, at: number): readonly [action: string, payload: Payload];
  values(place: Place, visit: Visit, at: number, milestone: boolean): readonly [action: string, payload: Payload];
  /** The car pauses or goes on; undefined where the status alone says it. */
  state(place: Place, at: number): readonly [action: string, payload: Payload] | undefined;
  stop(place: Place, visit: Visit, at: number): readonly [action: string, payload: Payload];
  transaction(place: Place): string | undefined;
}
