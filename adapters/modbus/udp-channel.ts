// Datagrams to one address. Nobody tells whether anyone is there: an address that is empty is one that does not answer.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { OpenChannel } from './channel.js';

export const udpChannel =
  (host: string, port: number): OpenChannel =>
  (events) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    let closed = false;
    const free = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const close = (): void => {
      if (closed) return;
      closed = true;
      socket.close();
    };
    const lost = (reason: string): void => {
      if (closed) return;
      close();
      events.lost(reason);
    };
    socket.on('connect', () => {
      if (!closed) events.opened();
    });
    // Connected: datagrams of anybody else are dropped by the system.
    socket.on('message', (bytes) => {
      if (!closed) events.received(bytes);
    });
    socket.on('error', (err) => lost(err.message));
    socket.connect(port, host);
    return {
      send: (bytes) => {
        if (closed) return;
        socket.send(bytes, (err) => {
          if (err !== null) lost(err.message);
        });
      },
      close: () => {
        close();
        return free;
      },
    };
  };
