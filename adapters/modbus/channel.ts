// One opened way to a bus or device, whatever it is made of: bytes out, bytes in, and the word that it is gone.

export interface ChannelEvents {
  readonly opened: () => void;
  readonly received: (bytes: Buffer) => void;
  /** It could not be opened, or is gone. Never after `close`. */
  readonly lost: (reason: string) => void;
}

export interface Channel {
  /** Only after `opened`; bytes that cannot be sent end in `lost`, or in silence. */
  send(bytes: Buffer): void;
  /** Resolves when the port or socket is free. */
  close(): Promise<void>;
}

/** Begins to open; no event comes before it has returned. */
export type OpenChannel = (events: ChannelEvents) => Channel;
