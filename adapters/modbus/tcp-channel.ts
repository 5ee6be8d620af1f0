// A TCP connection to a Modbus device, a gateway or a serial server.
import { connect } from 'node:net';
import type { OpenChannel } from './channel.js';

export const tcpChannel =
  (host: string, port: number): OpenChannel =>
  (events) => {
    const socket = connect({ host, port, noDelay: true });
    let closed = false;
    const lost = (reason: string): void => {
      if (closed) return;
      closed = true;
      socket.destroy();
      events.lost(reason);
    };
    socket.on('connect', () => {
      if (!closed) events.opened();
    });
    socket.on('data', (bytes) => {
      if (!closed) events.received(bytes);
    });
    socket.on('error', (err) => lost(err.message));
    socket.on('close', () => lost('connection closed by the device'));
    return {
      send: (bytes) => void socket.write(bytes),
      close: () => {
        closed = true;
        if (socket.closed) return Promise.resolve();
        return new Promise((resolve) => {
          socket.once('close', () => resolve());
          socket.destroy();
        });
      },
    };
  };
