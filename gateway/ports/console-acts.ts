// What somebody at the site may do to it: the same that a CSMS may, with the same care, in the site's own numbers.

/** How an act ended. What was accepted by nobody is `Rejected`, with the reason in words. */
export interface ActAnswer {
  readonly status: 'Accepted' | 'Scheduled' | 'Unlocked' | 'Rejected';
  /** Only with `Rejected`. */
  readonly reason?: ActRefusal;
  readonly detail?: string;
}

export type ActRefusal =
  | 'no-such-evse'
  | 'no-such-station'
  | 'transaction-open'
  | 'no-transaction'
  | 'out-of-service'
  | 'offline'
  | 'reserved'
  | 'not-authorized'
  | 'no-reservation'
  | 'occupied'
  | 'no-car'
  | 'not-supported'
  | 'charger'
  /** Sent, and not answered: it may have been done. */
  | 'uncertain';

export interface SiteActs {
  /**
   * Starts charging, or tells the charger to as soon as a car is plugged in.
   * @param idToken judged as if it were presented there; absent: the site's own token, which needs nobody's leave
   */
  start(evse: number, idToken: string | undefined, by: string): Promise<ActAnswer>;
  stop(evse: number, by: string): Promise<ActAnswer>;
  /** Lets the cable go; a transaction that is open there ends. */
  unlock(evse: number, by: string): Promise<ActAnswer>;
  /** Outlives a restart; a charger that is away is told when it returns. */
  changeAvailability(evse: number, operative: boolean, by: string): Promise<ActAnswer>;
  /** Replaces what was reserved there from here. @param minutes from now */
  reserve(evse: number, idToken: string, minutes: number, by: string): Promise<ActAnswer>;
  /** Ends the reservation that names the EVSE, whoever made it; its CSMS is told. */
  release(evse: number, by: string): Promise<ActAnswer>;
  /** What the car there needs, until it leaves. */
  need(evse: number, needs: WantedNeeds, by: string): Promise<ActAnswer>;
  reset(station: string, kind: 'soft' | 'hard', by: string): Promise<ActAnswer>;
}

/** Absent: as before. null: no longer. */
export interface WantedNeeds {
  /** In ms since 1970. */
  readonly departure?: number | null;
  /** From now on. */
  readonly energy_Wh?: number | null;
}
