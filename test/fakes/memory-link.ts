// A Modbus link without a bus: every request is put to the slaves' own code at once, and all of them are kept.
import type { ModbusFault, ModbusLink } from '../../adapters/modbus/link.js';
import { decodePdu, encodePdu, type ModbusRequest } from '../../adapters/modbus/pdu.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import { answerTo, type SlaveUnit } from '../../simulation/modbus-slave.js';

export class MemoryLink implements ModbusLink {
  readonly requests: ModbusRequest[] = [];
  silent = false;

  constructor(private readonly units: ReadonlyMap<number, SlaveUnit>) {}

  read(unit: number, fc: 3 | 4, address: number, count: number): Promise<Result<Buffer, ModbusFault>> {
    return Promise.resolve(this.ask({ kind: 'read', unit, fc, address, count }));
  }

  readBit(unit: number, fc: 1 | 2, address: number): Promise<Result<boolean, ModbusFault>> {
    const answer = this.ask({ kind: 'bit', unit, fc, address });
    return Promise.resolve(answer.ok ? ok(((answer.value[0] ?? 0) & 1) === 1) : answer);
  }

  write(unit: number, fc: 5 | 6 | 16, address: number, words: Buffer): Promise<Result<void, ModbusFault>> {
    const answer = this.ask({ kind: 'write', unit, fc, address, words });
    return Promise.resolve(answer.ok ? ok(undefined) : answer);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  private ask(request: ModbusRequest): Result<Buffer, ModbusFault> {
    const unit = this.units.get(request.unit);
    if (this.silent || unit === undefined) return failed({ kind: 'timeout' });
    this.requests.push(request);
    unit.onRequest?.();
    // Listeners may have put another in its place.
    const now = this.units.get(request.unit) ?? unit;
    return decodePdu(answerTo(now, { fc: request.fc, pdu: encodePdu(request) }), request);
  }
}
