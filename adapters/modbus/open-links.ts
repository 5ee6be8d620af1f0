// The links of the whole site: one per address, shared by every device that names it, so that no device sees two masters.
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { ModbusConnection } from '../../gateway/site/topology.js';
import { failed, ok, type Result } from '../../gateway/kernel/result.js';
import type { ModbusLink } from './link.js';
import { TcpLink } from './tcp-link.js';

export interface ModbusLinks {
  /** The link to an address, opened at its first request; the error says what cannot be opened. */
  to(connection: ModbusConnection): Result<ModbusLink, string>;
  /** Closes them all. */
  stop(): Promise<void>;
}

export function openModbusLinks(context: AdapterContext): ModbusLinks {
  const links = new Map<string, ModbusLink>();
  return {
    to(connection) {
      if (connection.kind === 'serial') return failed(`serial connection ${connection.path} is not supported`);
      const key = `${connection.host}:${connection.port}`;
      const link = links.get(key) ?? new TcpLink(connection.host, connection.port, context);
      links.set(key, link);
      return ok(link);
    },
    async stop() {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}
