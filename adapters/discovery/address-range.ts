// Which addresses are looked at: private networks written as 10.0.0.0/24, one after the other, and never the whole world.
import { failed, ok, type Result } from '../../gateway/kernel/result.js';

/** The largest network that is looked at unless a larger one is asked for by name. */
const USUAL_PREFIX = 22;
/** The largest that is looked at at all: 65,534 addresses. */
const LEAST_PREFIX = 16;

interface Network {
  readonly first: number;
  readonly size: number;
}

/** RFC 1918, RFC 3927 and the box itself: whoever looks elsewhere knocks at doors of strangers. */
const PRIVATE: readonly Network[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
].map((text) => {
  const [address = '', prefix = ''] = text.split('/');
  return { first: numberOf(address) ?? 0, size: 2 ** (32 - Number(prefix)) };
});

/** @returns the addresses of hosts in `text` (10.0.0.0/24, or one address), in order, or why it is not looked at */
export function hostsIn(text: string): Result<readonly string[], string> {
  const [address = '', prefixText = '32', ...more] = text.split('/');
  const number = numberOf(address);
  const prefix = /^\d{1,2}$/.test(prefixText) ? Number(prefixText) : NaN;
  if (number === undefined || !(prefix <= 32) || more.length > 0)
    return failed(`${text} is no network: write for example 10.0.0.0/24, or one address`);
  if (prefix < LEAST_PREFIX) return failed(`${text} is too large to be asked address by address: write a /16 or less`);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(number / size) * size;
  if (!PRIVATE.some((network) => first >= network.first && first + size <= network.first + network.size))
    return failed(`${text} is not a private network: devices of a site are at 10., 172.16. to 172.31. or 192.168.`);
  // The first and last of a network are no hosts, save in the smallest.
  const edge = size > 2 ? 1 : 0;
  return ok(Array.from({ length: size - 2 * edge }, (_, i) => addressOf(first + edge + i)));
}

export interface Interface {
  readonly address: string;
  readonly netmask: string;
  readonly internal: boolean;
}

/** The networks that the box itself is in, none larger than a /22: of a larger one the part around the box. */
export function ownNetworks(interfaces: readonly Interface[]): readonly string[] {
  const networks = interfaces.flatMap(({ address, netmask, internal }) => {
    const mask = numberOf(netmask);
    const number = numberOf(address);
    if (internal || mask === undefined || number === undefined) return [];
    const prefix = Math.max(USUAL_PREFIX, 32 - Math.round(Math.log2(2 ** 32 - mask)));
    const size = 2 ** (32 - prefix);
    const text = `${addressOf(Math.floor(number / size) * size)}/${prefix}`;
    return hostsIn(text).ok ? [text] : [];
  });
  return [...new Set(networks)];
}

function numberOf(address: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
