// Makes the dialer of one CSMS out of its configuration: version, credentials and certificates.
import type { CsmsHost } from '../../gateway/ports/csms.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import { FAULTS } from '../../gateway/kernel/faults.js';
import { seconds } from '../../gateway/kernel/units.js';
import type { Csms } from '../../gateway/site/topology.js';
import { dial } from './client.js';
import type { Trace } from './connection.js';
import type { Dial } from './csms-session.js';

/**
 * @param identity who calls: the site, unless the stations are presented one by one
 * @param trace sees every frame, tokens and all
 */
export const dialCsms =
  (
    csms: Csms,
    host: Pick<CsmsHost, 'setting'>,
    { clock, log }: AdapterContext,
    identity: string = csms.identity,
    trace?: Trace,
  ): Dial =>
  async (handler, onClose) => {
    const outcome = await dial({
      url: csms.url,
      identity,
      version: csms.ocpp === '1.6' ? 'ocpp1.6' : 'ocpp2.0.1',
      ...(csms.securityProfile > 0 && { password: csms.password }),
      ...(csms.certificateAuthority !== undefined && { tls: { ca: csms.certificateAuthority } }),
      pingInterval: seconds(host.setting('WebSocketPingInterval')),
      clock,
      log,
      about: { csms: csms.id },
      handler,
      closed: (code, reason) => onClose(reason === '' ? `closed with code ${code}` : `${reason} (${code})`),
      trace,
    });
    if (outcome.ok) return { connection: outcome.connection };
    switch (outcome.reason) {
      case 'refused': {
        const { status, detail, retryAfter } = outcome;
        return { refused: `HTTP ${status} ${detail}`.trim(), ...(retryAfter !== undefined && { retryAfter }) };
      }
      case 'untrusted':
        return { refused: outcome.detail, fault: FAULTS.csmsUntrusted };
      case 'unreachable':
        return { refused: outcome.detail };
    }
  };
