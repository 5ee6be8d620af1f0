// What charging profiles mean, written down as plainly as possible and asked second by second: the judge of the real thing.
// Knows nothing of the code under test: no sorting, no breakpoints, no caches. Times are whole seconds since 1970.

/** From one phase to another where each has 230 V: the long side of a triangle with 120 degrees. */
export const VOLTS_BETWEEN = Math.sqrt(230 * 230 + 230 * 230 + 230 * 230);

/** No test sets a higher stack level. */
const HIGHEST = 5;

export interface OracleProfile {
  readonly id: number;
  readonly purpose: 'ChargingStationMaxProfile' | 'TxDefaultProfile' | 'TxProfile';
  readonly level: number;
  readonly kind: 'Absolute' | 'Recurring' | 'Relative';
  /** Seconds between two beginnings of a recurring schedule: 24 hours or 7 days, whatever clocks on walls do. */
  readonly every: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Absent: from the start of charging. */
  readonly start: number | undefined;
  readonly duration: number | undefined;
  readonly watts: boolean;
  readonly periods: readonly { readonly startPeriod: number; readonly limit: number; readonly phases?: 1 | 2 | 3 }[];
}

/** 0 is the whole station. */
export interface Held {
  readonly place: number;
  readonly profile: OracleProfile;
  readonly receivedAt: number;
}

export interface Say {
  /** Ampere per phase. */
  readonly limit: number;
  readonly phases: 1 | 2 | 3 | undefined;
}

export class Oracle {
  /** In the order in which they were set. */
  held: readonly Held[] = [];

  /** @param between the places that are connected between two phases: an ampere there is 398 W */
  constructor(
    readonly version: '1.6' | '2.0.1',
    readonly sees: readonly number[],
    readonly between: readonly number[],
  ) {}

  /** Whether the profile is taken. */
  set(place: number, profile: OracleProfile, now: number): boolean {
    const others = this.held.filter((one) => one.profile.id !== profile.id);
    const alike = others.filter(
      ({ profile: { purpose, level } }) => purpose === profile.purpose && level === profile.level,
    );
    if (this.version === '1.6') {
      const replaced = alike.filter((one) => one.place === place);
      this.held = [...others.filter((one) => !replaced.includes(one)), { place, profile, receivedAt: now }];
      return true;
    }
    for (const one of alike) {
      if (one.place !== place && profile.purpose === 'TxProfile') continue;
      if (one.place !== place && one.place !== 0 && place !== 0) continue;
      if (one.place !== place) return false;
      const apart =
        (one.profile.to !== undefined && profile.from !== undefined && one.profile.to <= profile.from) ||
        (profile.to !== undefined && one.profile.from !== undefined && profile.to <= one.profile.from);
      if (!apart) return false;
    }
    this.held = [...others, { place, profile, receivedAt: now }];
    return true;
  }

  /** What the profiles of one purpose say of a place at a second. */
  lead(purpose: OracleProfile['purpose'], place: number, second: number, charging: number): Say | undefined {
    for (let level = HIGHEST; level >= 0; level--) {
      const here = this.held.filter(
        (one) =>
          one.profile.purpose === purpose && one.profile.level === level && (one.place === place || one.place === 0),
      );
      // In 1.6 the last one written at a level is the only one, for a connector or for all.
      for (const one of this.version === '1.6' ? here.slice(-1) : here) {
        const said = says(one, second, charging, this.between.includes(place));
        if (said !== undefined) return said;
      }
    }
    return undefined;
  }

  /** @param open a transaction runs there: only then a TxProfile counts */
  evse(place: number, second: number, charging: number, open: boolean): Say | undefined {
    if (!this.sees.includes(place)) return undefined;
    const own = open ? this.lead('TxProfile', place, second, charging) : undefined;
    return own ?? this.lead('TxDefaultProfile', place, second, charging);
  }

  cap(second: number): Say | undefined {
    return this.lead('ChargingStationMaxProfile', 0, second, second);
  }
}

function says({ profile, receivedAt }: Held, second: number, charging: number, between: boolean): Say | undefined {
  const { kind, every, from = receivedAt, to, start, duration, watts, periods, purpose } = profile;
  if (second < from || (to !== undefined && second >= to)) return undefined;
  let zero = kind === 'Relative' || start === undefined ? charging : start;
  if (purpose === 'ChargingStationMaxProfile' && (kind === 'Relative' || start === undefined)) zero = from;
  if (kind === 'Recurring') while (zero + every <= second) zero += every;
  const into = second - zero;
  if (into < 0) return undefined;
  if (duration !== undefined && into >= duration) return undefined;
  let said: Say | undefined;
  for (const { startPeriod, limit, phases } of periods) {
    if (startPeriod > into) break;
    const perAmpere = between ? VOLTS_BETWEEN : 230 * (phases ?? 3);
    said = { limit: tenth(watts ? limit / perAmpere : limit), phases };
  }
  return said;
}

/**
 * What flows on L1, L2 and L3 for loads to neutral and from one phase to the next, and the power on each: drawn as arrows.
 * @param between current from L1 to L2, L2 to L3, L3 to L1
 */
export function conductors(toNeutral: readonly number[], between: readonly number[]) {
  return [0, 1, 2].map((phase) => {
    const angle = (which: number): number => (-2 * Math.PI * which) / 3;
    const arrow = (amps: number, at: number): readonly [number, number] => [amps * Math.cos(at), amps * Math.sin(at)];
    // The voltage between two phases is the difference of theirs, and its current has the same direction.
    const direction = (from: number): number => {
      const to = (from + 1) % 3;
      return Math.atan2(Math.sin(angle(from)) - Math.sin(angle(to)), Math.cos(angle(from)) - Math.cos(angle(to)));
    };
    const before = (phase + 2) % 3;
    const arrows = [
      arrow(toNeutral[phase] ?? 0, angle(phase)),
      arrow(between[phase] ?? 0, direction(phase)),
      arrow(-(between[before] ?? 0), direction(before)),
    ];
    const x = arrows.reduce((sum, one) => sum + one[0], 0);
    const y = arrows.reduce((sum, one) => sum + one[1], 0);
    return { amps: Math.sqrt(x * x + y * y), active: x * Math.cos(angle(phase)) + y * Math.sin(angle(phase)) };
  });
}

/** Down to a tenth, but for the noise of binary fractions. */
export const tenth = (value: number): number => {
  const near = Math.round(value * 10);
  return Math.abs(value * 10 - near) < 1e-5 ? near / 10 : Math.floor(value * 10) / 10;
};
