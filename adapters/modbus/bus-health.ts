// Names what is wrong with a bus, once per change: counts what its requests came to and tells the log what an electrician should look for.
import { FAULTS, type Fault } from '../../gateway/kernel/faults.js';
import type { Log } from '../../gateway/kernel/log.js';

/** A trouble that is counted is named at so many points; each case adds POINTS, each good answer takes one off. */
const NAMED_AT = 30;
const POINTS = 10;

interface Trouble {
  readonly fault: Fault;
  readonly message: string;
  readonly over: string;
  points: number;
  named: boolean;
}

const trouble = (fault: Fault, message: string, over: string): Trouble => ({
  fault,
  message,
  over,
  points: 0,
  named: false,
});

type Counted = 'silent' | 'garbled' | 'misfit' | 'unasked' | 'late';

export class BusHealth {
  private readonly counted: Readonly<Record<Counted, Trouble>> = {
    silent: trouble(FAULTS.modbusBusSilent, 'nothing on the bus answers', 'the bus answers again'),
    garbled: trouble(FAULTS.modbusGarbled, 'what comes back on the bus is often no frame', 'the bus is clean again'),
    misfit: trouble(FAULTS.modbusMisfit, 'answers do not fit the questions', 'answers fit again'),
    unasked: trouble(FAULTS.modbusUnasked, 'somebody talks on the bus unasked', 'nobody talks unasked any more'),
    late: trouble(FAULTS.modbusLate, 'answers come too late', 'answers come in time again'),
  };
  private readonly unreachable = trouble(FAULTS.modbusUnreachable, 'the bus cannot be opened', 'the bus is open again');
  private readonly silentUnits = new Set<number>();
  private echoTold = false;

  /** @param peer the address or path as in site.yaml, for the log */
  constructor(
    private readonly peer: string,
    private readonly log: Log,
  ) {}

  /** Cannot be opened, or broke while it was needed. */
  lost(reason: string): void {
    this.name(this.unreachable, reason);
  }

  answered(unit: number): void {
    this.clear(this.unreachable);
    for (const each of Object.values(this.counted)) {
      each.points = Math.max(0, each.points - 1);
      if (each.points === 0) this.clear(each);
    }
    // One answer is proof that the line works.
    this.counted.silent.points = 0;
    this.clear(this.counted.silent);
    if (this.silentUnits.delete(unit)) this.log.info({ peer: this.peer, unit }, 'Modbus unit answers again');
  }

  strike(kind: Counted, detail: string): void {
    const counted = this.counted[kind];
    counted.points = Math.min(2 * NAMED_AT, counted.points + POINTS);
    if (counted.points >= NAMED_AT) this.name(counted, detail);
  }

  unitSilent(unit: number, reason: string): void {
    if (this.silentUnits.has(unit)) return;
    this.silentUnits.add(unit);
    const fields = { peer: this.peer, unit, fault: FAULTS.modbusSilent.code, reason };
    this.log.warn(fields, 'Modbus unit does not answer');
  }

  echoing(): void {
    if (this.echoTold) return;
    this.echoTold = true;
    this.log.info({ peer: this.peer }, 'the Modbus adapter echoes what is sent; the echo is dropped');
  }

  private name(each: Trouble, reason: string): void {
    if (each.named) return;
    each.named = true;
    this.log.warn({ peer: this.peer, fault: each.fault.code, reason }, `Modbus: ${each.message}`);
  }

  private clear(each: Trouble): void {
    if (!each.named) return;
    each.named = false;
    this.log.info({ peer: this.peer, fault: each.fault.code }, `Modbus: ${each.over}`);
  }
}
