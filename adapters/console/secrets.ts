// Passwords as scrypt hashes with their parameters beside them, tokens by chance, and digests of tokens.
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../../gateway/ports/console-users.js';

/** What OWASP recommends for 32 MiB: about a third of a second on the processor of a small box. */
const COST = { ln: 15, r: 8, p: 3 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Of what is read from the file: more would exhaust the box. */
const LARGEST_COST = { ln: 17, r: 16, p: 8 } as const;

interface Hash {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

const HASH = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,})\$([A-Za-z0-9+/]{16,})$/;

function parsed(text: string): Hash | undefined {
  const [, ln, r, p, salt = '', key = ''] = HASH.exec(text) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const bearable = cost.ln >= 10 && cost.ln <= LARGEST_COST.ln && cost.r >= 1 && cost.r <= LARGEST_COST.r;
  if (!bearable || cost.p < 1 || cost.p > LARGEST_COST.p) return undefined;
  return { ...cost, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') };
}

const derived = (password: string, { ln, r, p, salt }: Omit<Hash, 'key'>, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const N = 2 ** ln;
    scrypt(password.normalize('NFC'), salt, length, { N, r, p, maxmem: 256 * N * r }, (err, key) => {
      if (err) reject(err);
      else resolve(key);
    });
  });

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** One password at a time is worked on: each takes 32 MiB and a thread, and the disk needs threads too. */
export function scryptSecrets(): Secrets {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = randomBytes(SALT_BYTES);
        const key = await derived(password, { ...COST, salt }, KEY_BYTES);
        return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${base64(salt)}$${base64(key)}`;
      }),
    verify: (password, hash) =>
      inTurn(async () => {
        const known = hash === undefined ? undefined : parsed(hash);
        const against = known ?? { ...COST, salt: Buffer.alloc(SALT_BYTES), key: Buffer.alloc(KEY_BYTES) };
        const key = await derived(password, against, against.key.length);
        return timingSafeEqual(key, against.key) && known !== undefined;
      }),
    token: () => randomBytes(24).toString('base64url'),
    digest: (token) => createHash('sha256').update(token).digest('base64url'),
  };
}
