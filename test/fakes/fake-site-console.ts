// A console's site that says what a test wants it to say, and remembers what it was told to do.
import type {
  CircuitHistory,
  CsmsSummary,
  DeadLetterSummary,
  EvseExplanation,
  EvseHistory,
  ExportedEntry,
  ExportSelection,
  Health,
  JournalOverview,
  ListedTransaction,
  Redrive,
  SiteConsole,
  SiteDrawing,
  SiteStatus,
  TransactionSelection,
} from '../../gateway/ports/console.js';

import { History } from '../../gateway/console/history.js';
import { EventRing } from '../../gateway/console/event-ring.js';
import { evse, site } from '../gateway/views/fixture.js';
import { siteDrawing } from '../../gateway/console/site-drawing.js';

const AT = '2025-03-01T08:00:00.000Z';

export const csmsSummary = (over: Partial<CsmsSummary> = {}): CsmsSummary => ({
  csms: 'operator',
  connected: true,
  accepted: true,
  queued: 0,
  inFlight: false,
  deadLetters: 0,
  delivered: 7,
  refused: 2,
  ...over,
});

export class FakeSiteConsole implements SiteConsole {
  readonly site = 'S1';
  csms: CsmsSummary[] = [csmsSummary()];
  dead: DeadLetterSummary[] = [];
  entries: ExportedEntry[] = [];
  /** Thrown after the entries. */
  breaksOff: Error | undefined;
  statusOf: Health['status'] = 'ok';
  readonly redrives: { readonly csms: string; readonly seqs: readonly number[] | undefined }[] = [];
  readonly selections: ExportSelection[] = [];

  readonly events = new EventRing();
  /** How often the status was made. */
  looks = 0;
  /** Of EVSE 1, in A. */
  limit = 16;
  /** Makes the status as long as a test wants it. */
  padding = 'Site';

  drawing(): SiteDrawing {
    return siteDrawing({ ...site([evse(1)]), id: this.site });
  }

  status(): SiteStatus {
    this.looks += 1;
    return {
      site: this.site,
      name: this.padding,
      version: '1.2.3',
      at: AT,
      startedAt: AT,
      planAge_s: 0.5,
      stations: [
        { station: 'CP1', connected: true, booted: true, since: AT },
        { station: 'CP2', connected: false, booted: false, since: AT },
      ],
      evses: [
        {
          evse: 1,
          station: 'CP1',
          connectors: [{ connector: 1, status: 'Occupied', chargingState: 'Charging' }],
          offered_A: 16,
          limit_A: this.limit,
          explanation: 'EVSE 1 was told 16 A, since the car takes no more.',
          transaction: { transaction: '01957f5e-8a3c-7d10-9f6a-5d1f0c3b2a11', startedAt: AT, idToken: '04***(14)' },
        },
      ],
      circuits: [
        {
          circuit: 'main',
          breaker_A: 63,
          standing: {
            limit_A: 50,
            limitedBy: 'gridOperator',
            meter: 'lost',
            current_A: { L1: 10, L2: 11, L3: 12 },
            background_A: { L1: 1, L2: 1, L3: 1 },
            granted_A: { L1: 16, L2: 16, L3: 16 },
            reserved_A: { L1: 6, L2: 0, L3: 0 },
          },
        },
        { circuit: 'deck', fedBy: 'main', breaker_A: 32 },
      ],
      csms: this.csms,
    };
  }

  explain(evse: number): EvseExplanation | undefined {
    return evse === 1 ? { evse, explanation: 'EVSE 1 was told 16 A, since the car takes no more.' } : undefined;
  }

  health(): Health {
    return { site: this.site, status: this.statusOf, checks: [] };
  }

  journal(): Promise<JournalOverview> {
    return Promise.resolve({
      site: this.site,
      gateway: 'running',
      lastSeq: 12,
      size_bytes: 4096,
      writable: true,
      commits: 5,
      refusedCommits: 1,
      lastFlush_s: 0.002,
      csms: this.csms,
    });
  }

  deadLetters(csms: string): readonly DeadLetterSummary[] | undefined {
    return this.csms.some((each) => each.csms === csms) ? this.dead : undefined;
  }

  redrive(csms: string, seqs: readonly number[] | undefined): Redrive | undefined {
    if (!this.csms.some((each) => each.csms === csms)) return undefined;
    this.redrives.push({ csms, seqs });
    return { csms, accepted: true, redriven: [...(seqs ?? this.dead.map(({ seq }) => seq))], left: [], unknown: [] };
  }

  listed: ListedTransaction[] = [];
  readonly listings: TransactionSelection[] = [];
  readonly history = new History();

  evseHistory(evse: number, minutes: number): EvseHistory | undefined {
    return evse === 1 ? this.history.evse(evse, minutes) : undefined;
  }

  circuitHistory(circuit: string, minutes: number): CircuitHistory | undefined {
    return circuit === 'main' ? this.history.circuit(circuit, 63, minutes) : undefined;
  }

  async *transactions(selection: TransactionSelection): AsyncGenerator<ListedTransaction> {
    this.listings.push(selection);
    for (const one of this.listed) yield await Promise.resolve(one);
  }

  async *export(selection: ExportSelection): AsyncGenerator<ExportedEntry> {
    this.selections.push(selection);
    for (const entry of this.entries) yield await Promise.resolve(entry);
    if (this.breaksOff !== undefined) throw this.breaksOff;
  }
}
