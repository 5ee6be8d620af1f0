// The link and a meter profile against pymodbus, a slave that nobody here wrote, in every framing. Skipped where it is not installed.
import t from 'tap';
import { ModbusDevice } from '../../../adapters/modbus/device.js';
import { openModbusLink } from '../../../adapters/modbus/open-links.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { recordingLog } from '../../fakes/recording-log.js';
import { noPymodbus, pymodbus } from './peers.js';

import { meter } from '../../fakes/profiles.js';

const janitzaUmg604 = meter('janitza-umg604');

for (const framing of ['tcp', 'rtu', 'ascii'] as const) {
  t.test(`reads, writes and exceptions as pymodbus has them: ${framing}`, { skip: noPymodbus }, async (test) => {
    const port = await pymodbus(test, framing);
    const kind = framing === 'tcp' ? 'tcp' : 'rtu-over-tcp';
    const context = { clock: systemClock, log: recordingLog() };
    const link = openModbusLink({ kind, host: '127.0.0.1', port }, context, framing === 'ascii' ? 'ascii' : 'rtu');
    test.teardown(() => link.stop());

    const device = new ModbusDevice(link, janitzaUmg604, { instance: 1 });
    const currents = ['Current.Import.L1', 'Current.Import.L2', 'Current.Import.L3', 'Energy.Active.Import.Register'];
    const values = await device.read(currents);
    test.same(values.ok ? [...values.value.values()] : values.error, [10.5, -3.25, 0, 123_456]);

    test.ok((await link.write(1, 6, 5, Buffer.from([0x12, 0x34]), {})).ok);
    test.ok((await link.write(1, 16, 6, Buffer.from([0, 1, 0, 2]), {})).ok);
    const back = await link.read(1, 3, 5, 3, {});
    test.equal(back.ok ? back.value.toString('hex') : back.error.kind, '123400010002');
    const input = await link.read(1, 4, 0, 1, {});
    test.equal(input.ok ? input.value.readUInt16BE(0) : input.error.kind, 77);
    test.same(await link.readBit(1, 1, 3, {}), { ok: true, value: true });
    test.same(await link.readBit(1, 1, 4, {}), { ok: true, value: false });
    test.match(await link.read(1, 3, 5000, 1, {}), { ok: false, error: { kind: 'exception', code: 2 } });
    const both = await Promise.all([link.read(1, 3, 5, 1, {}), link.read(2, 3, 5, 1, {})]);
    test.same(
      both.map((each) => (each.ok ? each.value.toString('hex') : each.error.kind)),
      ['1234', '0000'],
    );
  });
}
