// The HTTP side of a charger's connection attempt: which station it asks for, and how it is turned away.
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Identities are at most 48 characters in 2.0.1 (Part 4 section 3.1); 1.6 sets no limit. */
const longestIdentity = 255;

/** The last segment of the path, percent-decoded; undefined when there is none. */
export function requestedIdentity(url: string | undefined): string | undefined {
  const path = url?.split('?', 1)[0] ?? '';
  const segment = path.slice(path.lastIndexOf('/') + 1);
  let identity: string;
  try {
    identity = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  return identity.length === 0 || identity.length > longestIdentity ? undefined : identity;
}

export function refuseUpgrade(stream: Duplex, status: number): void {
  if (stream.destroyed) return;
  const challenge = status === 401 ? 'WWW-Authenticate: Basic realm="OCPP"\r\n' : '';
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    () => stream.destroy(),
  );
}
