// Finds half-open sockets: pings at an interval and counts any frame, ping or pong as a sign of life.
import type { WebSocket } from 'ws';
import type { Clock } from '../../gateway/kernel/clock.js';
import type { Milliseconds } from '../../gateway/kernel/units.js';

export interface Liveness {
  /** A frame came. */
  heard(): void;
  /** Pings now; true when a sign of life comes within `timeout`. */
  probe(timeout: Milliseconds): Promise<boolean>;
  stop(): void;
}

/** @param interval 0: pings only when probed */
export function watchLiveness(socket: WebSocket, clock: Clock, interval: Milliseconds, dead: () => void): Liveness {
  let alive = true;
  let probes: ((alive: boolean) => void)[] = [];

  const settle = (answer: boolean): void => {
    const waiting = probes;
    probes = [];
    for (const resolve of waiting) resolve(answer);
  };
  const heard = (): void => {
    alive = true;
    if (probes.length > 0) settle(true);
  };
  const tick = (): void => {
    if (!alive) return dead();
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  };
  const cancel = interval > 0 ? clock.every(interval, tick) : undefined;
  socket.on('pong', heard);
  socket.on('ping', heard);

  return {
    heard,
    probe: (timeout) =>
      new Promise((resolve) => {
        const cancelTimeout = clock.after(timeout, () => resolve(false));
        probes.push((answer) => {
          cancelTimeout();
          resolve(answer);
        });
        if (socket.readyState === socket.OPEN) socket.ping();
      }),
    stop: () => {
      cancel?.();
      settle(false);
    },
  };
}
