// What an adapter of a contact is given and what it must offer: it reads a line, again and again, and decides nothing.
import type { Contact } from '../site/topology.js';

export interface ContactHost {
  /** The contact was read. While it cannot be read nothing is said: the core judges how long that may be. */
  read(contact: Contact, closed: boolean): void;
}

/** One contact that is being read. */
export interface ContactDriver {
  stop(): Promise<void>;
}
