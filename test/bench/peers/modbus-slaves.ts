// The devices of the Modbus benchmark, in a process of their own: TCP slaves, and units on an RTU line behind a TCP port.
// Tells its ports by IPC; the message { flood: bytes, pace: bytes a millisecond } makes the line babble.
import { startModbusSlave } from '../../../simulation/modbus-slave.js';
import { startRtuSlave } from '../../../simulation/rtu-slave.js';

export interface Ports {
  readonly tcp: readonly number[];
  readonly rtu: number;
}

export interface Flood {
  readonly flood: number;
  readonly pace: number;
}

const [tcpCount = 50, unitCount = 32, dead = 0] = process.argv.slice(2).map(Number);

const holding = new Map(Array.from({ length: 200 }, (_, i) => [i, i]));
const slaves = await Promise.all(
  Array.from({ length: tcpCount }, () => startModbusSlave({ units: new Map([[1, { holding }]]) })),
);
const units = new Map(Array.from({ length: unitCount }, (_, i) => [i + 1, { holding }]));
const line = await startRtuSlave({
  units,
  answer: ({ unit }, plain) => (unit > unitCount - dead ? undefined : plain),
});

/** xorshift: the same noise on every run. */
let state = 0x9e37_79b9;
const noise = Buffer.alloc(1 << 20);
for (let i = 0; i < noise.length; i++) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  noise[i] = state;
}

process.on('message', ({ flood, pace }: Flood) => {
  const begun = performance.now();
  let said = 0;
  const timer = setInterval(() => {
    const due = Math.min(flood, (performance.now() - begun) * pace);
    while (said < due) {
      const at = said % (noise.length - pace);
      line.say(noise.subarray(at, at + pace));
      said += pace;
    }
    if (said < flood) return;
    clearInterval(timer);
    process.send?.('flooded');
  }, 1);
});

process.send?.({ tcp: slaves.map(({ port }) => port), rtu: line.port } satisfies Ports);
