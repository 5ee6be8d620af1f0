// How often somebody may try to sign in: by address and by name, such that nobody is locked out for ever.
import { seconds, type Milliseconds } from '../kernel/units.js';

/** A bucket of attempts that fills up again by one in `refill`. */
interface Kind {
  readonly most: number;
  readonly refill: Milliseconds;
}

const BY_ADDRESS: Kind = { most: 10, refill: seconds(30) };
/** An attacker of many addresses. */
const BY_NAME: Kind = { most: 20, refill: seconds(30) };
/** Names and addresses that are remembered at a time. */
const MOST_BUCKETS = 2000;

interface Bucket {
  readonly left: number;
  readonly at: Milliseconds;
}

export interface Attempt {
  readonly name: string;
  /** As `addressGroup` makes it. */
  readonly address: string;
  /** This name has signed in from this address before, or it is the box itself: what others did to the name does not count. */
  readonly familiar: boolean;
}

export class SignInLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes an attempt. @returns how long to wait first; undefined: it may be made */
  attempt({ name, address, familiar }: Attempt, now: Milliseconds): Milliseconds | undefined {
    const asked = [
      { key: `address ${address}`, kind: BY_ADDRESS },
      ...(familiar ? [] : [{ key: `name ${name}`, kind: BY_NAME }]),
    ].map((one) => ({ ...one, left: this.#left(one.key, one.kind, now) }));
    const empty = asked.filter(({ left }) => left < 1);
    if (empty.length > 0)
      return seconds(Math.ceil(Math.max(...empty.map(({ kind, left }) => ((1 - left) * kind.refill) / 1000))));
    for (const { key, left } of asked) this.#set(key, { left: left - 1, at: now });
    return undefined;
  }

  /** It was the right password: neither counts. */
  succeeded({ name, address }: Pick<Attempt, 'name' | 'address'>): void {
    this.#buckets.delete(`address ${address}`);
    this.#buckets.delete(`name ${name}`);
  }

  #left(key: string, { most, refill }: Kind, now: Milliseconds): number {
    const bucket = this.#buckets.get(key);
    return bucket === undefined ? most : Math.min(most, bucket.left + (now - bucket.at) / refill);
  }

  #set(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    // The one that was used longest ago is the fullest.
    if (this.#buckets.size <= MOST_BUCKETS) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

/** What counts as one address: of IPv6 the network, for each machine has as many addresses in it as it likes. */
export function addressGroup(address: string): string {
  const plain = address.replace(/^::ffff:/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const filled =
    tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return filled
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
