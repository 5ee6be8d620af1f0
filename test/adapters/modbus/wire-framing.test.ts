// RTU and ASCII framing against every kind of odd answer, and against bytes that nobody would send.
import fc from 'fast-check';
import t from 'tap';
import { asciiShape } from '../../../adapters/modbus/ascii-shape.js';
import type { Verdict } from '../../../adapters/modbus/framing.js';
import { decodePdu, type ModbusRequest } from '../../../adapters/modbus/pdu.js';
import { rtuShape } from '../../../adapters/modbus/rtu-shape.js';
import { WireFraming } from '../../../adapters/modbus/wire-framing.js';
import { rtuFrame } from '../../../simulation/rtu-slave.js';

const read = (count = 2, unit = 1, address = 10): ModbusRequest => ({ kind: 'read', unit, fc: 3, address, count });
const input: ModbusRequest = { kind: 'read', unit: 1, fc: 4, address: 0, count: 1 };
const one: ModbusRequest = { kind: 'write', unit: 1, fc: 6, address: 10, words: Buffer.from([0, 1]) };
const many: ModbusRequest = { kind: 'write', unit: 1, fc: 16, address: 10, words: Buffer.from([0, 1, 0, 2]) };
const coil: ModbusRequest = { kind: 'bit', unit: 1, fc: 1, address: 3 };

const answer = rtuFrame(1, Buffer.from([3, 4, 0, 1, 0, 2]));
const words = '00010002';

const shown = (verdict: Verdict | undefined): string => {
  if (verdict === undefined) return 'waits';
  if (verdict.outcome.ok) return verdict.outcome.value.toString('hex');
  const { error } = verdict.outcome;
  return error.kind === 'exception' ? `exception ${error.code}` : error.kind;
};

/** What the chunks come to, of which the last one may bring it. */
function taken(framing: WireFraming, request: ModbusRequest, ...chunks: readonly Buffer[]): string {
  framing.begin(request);
  for (const chunk of chunks) {
    const verdict = framing.take(chunk);
    if (verdict !== undefined) return shown(verdict);
  }
  return framing.missed().cause;
}

const fresh = (): WireFraming => new WireFraming(rtuShape);

t.test('a request is the bytes of the specification', (test) => {
  const bytes = (request: ModbusRequest): string => fresh().begin(request).toString('hex');
  test.equal(bytes(read(3, 0x11, 0x6b)), '1103006b00037687');
  test.equal(bytes(one), rtuFrame(1, Buffer.from([6, 0, 10, 0, 1])).toString('hex'));
  test.equal(bytes(many), rtuFrame(1, Buffer.from([16, 0, 10, 0, 2, 4, 0, 1, 0, 2])).toString('hex'));
  test.equal(new WireFraming(asciiShape).begin(read(2, 1, 10)).toString('latin1'), ':0103000A0002F0\r\n');
  test.end();
});

const GARBAGE = Buffer.from('00ff13a5016e', 'hex');
const cases: readonly {
  readonly name: string;
  readonly chunks: readonly Buffer[];
  readonly comes: string;
  readonly request?: ModbusRequest;
}[] = [
  { name: 'the answer', chunks: [answer], comes: words },
  { name: 'the answer in single bytes', chunks: [...answer].map((byte) => Buffer.from([byte])), comes: words },
  { name: 'garbage before it', chunks: [Buffer.concat([GARBAGE, answer])], comes: words },
  { name: 'garbage after it', chunks: [Buffer.concat([answer, GARBAGE])], comes: words },
  { name: 'garbage alone', chunks: [GARBAGE], comes: 'garbled' },
  { name: 'half of it', chunks: [answer.subarray(0, 5)], comes: 'garbled' },
  { name: 'half of it, then all of it', chunks: [answer.subarray(0, 5), answer], comes: words },
  { name: 'nothing', chunks: [], comes: 'silence' },
  { name: 'a broken checksum', chunks: [Buffer.from(answer).fill(0x55, 4, 5)], comes: 'garbled' },
  { name: 'another unit', chunks: [rtuFrame(2, answer.subarray(1, -2))], comes: 'misfit' },
  { name: 'another unit, then ours', chunks: [rtuFrame(2, answer.subarray(1, -2)), answer], comes: words },
  { name: 'another function', chunks: [rtuFrame(1, Buffer.from([4, 4, 0, 1, 0, 2]))], comes: 'misfit' },
  { name: 'fewer registers', chunks: [rtuFrame(1, Buffer.from([3, 2, 0, 1]))], comes: 'misfit' },
  {
    name: 'a late answer of another length, then ours',
    chunks: [rtuFrame(1, Buffer.from([3, 2, 0, 1])), answer],
    comes: words,
  },
  { name: 'an exception', chunks: [rtuFrame(1, Buffer.from([0x83, 2]))], comes: 'exception 2' },
  {
    name: 'an exception that nobody has defined',
    chunks: [rtuFrame(1, Buffer.from([0x83, 0xe7]))],
    comes: 'exception 231',
  },
  { name: 'an exception to another function', chunks: [rtuFrame(1, Buffer.from([0x84, 2]))], comes: 'misfit' },
  { name: 'a function that does not exist', chunks: [rtuFrame(1, Buffer.from([0x63, 2, 0]))], comes: 'garbled' },
  { name: "another master's question", chunks: [rtuFrame(9, Buffer.from([3, 0, 1, 0, 2]))], comes: 'misfit' },
  { name: 'two answers at once', chunks: [Buffer.concat([answer, answer])], comes: words },
  {
    // The values that it brings are those of a frame of ours.
    name: 'an answer of another unit with ours inside',
    chunks: [rtuFrame(2, Buffer.concat([Buffer.from([3, answer.length + 1]), answer, Buffer.from([0])]))],
    comes: 'misfit',
  },
  { name: 'several written', request: many, chunks: [rtuFrame(1, Buffer.from([16, 0, 10, 0, 2]))], comes: '' },
  {
    name: 'several written elsewhere',
    request: many,
    chunks: [rtuFrame(1, Buffer.from([16, 0, 11, 0, 2]))],
    comes: 'misfit',
  },
  { name: 'an input register', request: input, chunks: [rtuFrame(1, Buffer.from([4, 2, 0, 7]))], comes: '0007' },
  { name: 'a coil', request: coil, chunks: [rtuFrame(1, Buffer.from([1, 1, 1]))], comes: '01' },
];

for (const { name, chunks, comes, request = read() } of cases) {
  t.test(`RTU, ${name}: ${comes || 'done'}`, (test) => {
    test.equal(taken(fresh(), request, ...chunks), comes);
    test.end();
  });
}

t.test('ASCII: the answer, garbage around it, odd ends and checksums', (test) => {
  const line = (unit: number, pdu: Buffer): Buffer => asciiShape.encode(unit, pdu);
  const good = line(1, answer.subarray(1, -2));
  const ascii = (...chunks: readonly Buffer[]): string => taken(new WireFraming(asciiShape), read(), ...chunks);
  test.equal(ascii(good), words);
  test.equal(ascii(Buffer.from(good.toString('latin1').toLowerCase(), 'latin1')), words);
  test.equal(ascii(...[...good].map((byte) => Buffer.from([byte]))), words);
  test.equal(ascii(Buffer.from(':0103'), good), words);
  test.equal(ascii(Buffer.from(':0103FFFF\r\n::\r'), good), words);
  test.equal(ascii(line(2, answer.subarray(1, -2))), 'misfit');
  test.equal(ascii(line(1, Buffer.from([0x83, 4]))), 'exception 4');
  test.equal(ascii(good.subarray(0, -1)), 'garbled');
  test.equal(ascii(Buffer.from(good).fill('7', 9, 10)), 'garbled');
  test.end();
});

t.test('an adapter that echoes: the echo is dropped, and never taken for the answer to a write', (test) => {
  const framing = fresh();
  const echo = (request: ModbusRequest): Buffer => Buffer.from(framing.begin(request));
  test.equal(taken(framing, one, echo(one)), 'misfit', 'nothing is known yet: a copy may be the echo of a dead line');
  test.equal(taken(framing, one, echo(one), echo(one)), '', 'two copies are an echo and an answer');
  test.ok(framing.echoing);
  test.equal(taken(framing, one, echo(one)), 'silence', 'the echo alone is none');
  test.equal(taken(framing, read(), Buffer.concat([echo(read()), answer])), words);
  test.equal(taken(framing, read(), echo(read()).subarray(0, 3), echo(read()).subarray(3)), 'silence');
  const wide = rtuFrame(1, Buffer.from([16, 0, 10, 0, 2]));
  test.equal(taken(framing, many, echo(many).subarray(0, 9), Buffer.concat([echo(many).subarray(9), wide])), '');
  test.equal(taken(framing, one, echo(one), rtuFrame(1, Buffer.from([0x86, 3]))), 'exception 3');
  test.equal(taken(framing, read(), answer), words, 'an echo that was garbled');
  test.equal(taken(framing, one, echo(one)), 'silence', 'is no reason to believe the next one');
  test.end();
});

t.test('an adapter that does not echo: the answer to a write is believed once something was read', (test) => {
  const framing = fresh();
  test.equal(taken(framing, read(), answer), words);
  test.notOk(framing.echoing);
  test.equal(taken(framing, one, Buffer.from(framing.begin(one))), '');
  test.equal(taken(framing, one, rtuFrame(1, Buffer.from([6, 0, 10, 0, 2]))), 'misfit', 'another value');
  test.end();
});

/** Whether a frame that answers the request stands anywhere in the bytes; slow, and by the simulator's own checksum. */
function mayAnswer(bytes: Buffer, request: ModbusRequest, outcome: string): boolean {
  for (let at = 0; at + 5 <= bytes.length; at++) {
    for (let end = at + 5; end <= Math.min(bytes.length, at + 256); end++) {
      if (bytes[at] !== request.unit) break;
      const pdu = bytes.subarray(at + 1, end - 2);
      if (rtuFrame(request.unit, pdu).compare(bytes, at, end) !== 0) continue;
      if (shown({ outcome: decodePdu(pdu, request), inStep: true }) === outcome) return true;
    }
  }
  return false;
}

const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  fc.constantFrom(answer, ...cases.flatMap(({ chunks }) => chunks)),
  fc
    .tuple(fc.constantFrom(answer, rtuFrame(1, Buffer.from([0x83, 2]))), fc.nat(20), fc.nat(255))
    .map(([frame, at, value]) => Buffer.from(frame).fill(value, at % frame.length, (at % frame.length) + 1)),
  fc.tuple(fc.constantFrom(answer), fc.nat(9)).map(([frame, cut]) => Buffer.from(frame.subarray(0, cut))),
);
const requests = fc.constantFrom(read(), read(1), input, one, many, coil);

t.test(
  'no bytes make it fail, and no value comes that the checksum, unit, function and length do not vouch for',
  (test) => {
    fc.assert(
      fc.property(requests, fc.array(pieces, { maxLength: 8 }), fc.boolean(), (request, chunks, known) => {
        const framing = fresh();
        if (known) taken(framing, read(), answer);
        const outcome = taken(framing, request, ...chunks);
        const missed = ['silence', 'garbled', 'misfit'].includes(outcome);
        return missed || mayAnswer(Buffer.concat(chunks), request, outcome);
      }),
      { numRuns: 3000 },
    );
    test.end();
  },
);

t.test('whatever went before, the next answer is found, however it is cut', (test) => {
  const cuts = fc.array(fc.nat(answer.length), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), fc.uint8Array({ maxLength: 12 }), cuts, (before, noise, at) => {
      const framing = fresh();
      taken(framing, read(1, 1), ...before);
      const ends = [...new Set([0, ...at, answer.length])].sort((a, b) => a - b);
      const parts = ends.slice(1).map((end, i) => answer.subarray(ends[i], end));
      return taken(framing, read(), Buffer.from(noise), ...parts) === words;
    }),
    // Noise that happens to end in a checksum swallows what it spans, once in some ten thousand runs.
    { numRuns: 1000, seed: 485 },
  );
  test.end();
});

t.test('a flood of garbage costs no memory and little time, and an answer in it is found', (test) => {
  const flood = Buffer.alloc(1_000_000);
  for (let i = 0; i < flood.length; i++) flood[i] = (i * 2_654_435_761) >>> 13;
  const framing = fresh();
  framing.begin(read());
  for (let at = 0; at < flood.length; at += 1000) test.equal(framing.take(flood.subarray(at, at + 1000)), undefined);
  test.equal(shown(framing.take(answer)), words);
  test.end();
});

t.test('ASCII: no bytes make it fail', (test) => {
  const line = asciiShape.encode(1, answer.subarray(1, -2));
  const scrap = fc.oneof(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(
      line,
      Buffer.from(':'),
      Buffer.from('\r'),
      Buffer.from('\r\n'),
      Buffer.from('0103'),
      line.subarray(0, 9),
    ),
  );
  fc.assert(
    fc.property(requests, fc.array(scrap, { maxLength: 8 }), (request, chunks) => {
      const outcome = taken(new WireFraming(asciiShape), request, ...chunks);
      return outcome !== words || Buffer.concat(chunks).includes(line);
    }),
    { numRuns: 1000 },
  );
  test.end();
});
