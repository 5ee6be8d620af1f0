// HTTP Basic authentication as OCPP uses it: the identity as user name, the password as text (2.0.1) or raw bytes (1.6).
import { createHash, timingSafeEqual } from 'node:crypto';
import type { OcppVersion } from './contract.js';

/** What an Authorization header says: `user:password` as bytes, for a 1.6 key is not text. */
export type Credentials = Buffer;

/** @returns undefined when the header is missing or of another scheme */
export function credentialsFrom(header: string | undefined): Credentials | undefined {
  const encoded = header === undefined ? undefined : /^basic ([\w+/=-]{1,1024})$/i.exec(header.trim())?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

/** An AuthorizationKey of OCPP 1.6 is 16 to 20 bytes in hexadecimal (1.6 security whitepaper, A00); anything else is text. */
const hexKey = /^(?:[\da-f]{2}){16,20}$/i;

const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/**
 * Whether the credentials are this identity's: the user name has to be the identity, the password may come in either version's
 * encoding, since chargers mix them up. Takes the same time wherever the difference is.
 */
export function credentialsMatch(credentials: Credentials | undefined, identity: string, password: string): boolean {
  if (credentials === undefined) return false;
  const given = digest(credentials);
  const asText = timingSafeEqual(given, digest(userAndPassword(identity, Buffer.from(password, 'utf8'))));
  const asKey =
    hexKey.test(password) && timingSafeEqual(given, digest(userAndPassword(identity, Buffer.from(password, 'hex'))));
  return asText || asKey;
}

/** The header by which we sign in to a CSMS: a 1.6 password that looks like an AuthorizationKey goes as raw bytes. */
export function basicHeader(version: OcppVersion, identity: string, password: string): string {
  const bytes = Buffer.from(password, version === 'ocpp1.6' && hexKey.test(password) ? 'hex' : 'utf8');
  return `Basic ${userAndPassword(identity, bytes).toString('base64')}`;
}

const userAndPassword = (identity: string, password: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${identity}:`, 'utf8'), password]);
