// A serial port, such as an RS-485 adapter on USB. Opened exclusively; the port vanishes when the adapter is unplugged.
import type { ModbusConnection } from '../../gateway/site/topology.js';
import type { OpenChannel } from './channel.js';

type SerialConnection = ModbusConnection & { readonly kind: 'serial' };

const reasonOf = (err: unknown): string => (err instanceof Error ? err.message : String(err));

export const serialChannel =
  ({ path, baudRate, parity, stopBits }: SerialConnection): OpenChannel =>
  (events) => {
    let closed = false;
    const lost = (reason: string): void => {
      if (closed) return;
      closed = true;
      events.lost(reason);
    };
    // A native module: read only where a site has a serial bus.
    const opening = import('serialport').then(({ SerialPort }) => {
      const port = new SerialPort({ path, baudRate, parity, stopBits, dataBits: 8, autoOpen: false });
      port.on('data', (bytes: Buffer) => {
        if (!closed) events.received(bytes);
      });
      port.on('error', (err) => lost(err.message));
      port.on('close', () => lost('the port has gone'));
      return new Promise<typeof port>((resolve, reject) =>
        port.open((err) => (err === null ? resolve(port) : reject(err))),
      );
    });
    opening.then(
      () => {
        if (!closed) events.opened();
      },
      (err: unknown) => lost(reasonOf(err)),
    );
    return {
      send: (bytes) => {
        opening.then(
          (port) => {
            if (!closed) port.write(bytes);
          },
          (err: unknown) => lost(reasonOf(err)),
        );
      },
      close: async () => {
        closed = true;
        const port = await opening.catch(() => undefined);
        // An error means that the port has gone already.
        if (port?.isOpen === true) await new Promise<void>((resolve) => port.close(() => resolve()));
      },
    };
  };
