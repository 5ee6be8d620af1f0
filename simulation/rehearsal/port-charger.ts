// A charger without a protocol: it meets the gateway at the station port, so that a site of any chargers is tried out alike.
import type { Clock } from '../../gateway/kernel/clock.js';
import { stationTransactionId, type EvseNumber, type StationTransactionId } from '../../gateway/kernel/ids.js';
import { ampere, seconds, type Milliseconds } from '../../gateway/kernel/units.js';
import type { StationDriver, StationHost } from '../../gateway/ports/station.js';
import type { Capabilities } from '../../gateway/site/capabilities.js';
import type { MeterValue, ReadingContext, SampledValue } from '../../gateway/site/metering.js';
import type { CommandOutcome, StationCommand } from '../../gateway/site/station-command.js';
import type { ChargingState, StationEvent, TransactionReported } from '../../gateway/site/station-event.js';
import { isDirectCurrent, type Evse, type Station } from '../../gateway/site/topology.js';
import type { Car } from '../car.js';
import type { EvseHardware } from '../evse.js';

/** Between two samples of a transaction: what the gateway asks of chargers of either kind. */
const SAMPLE_INTERVAL = seconds(10);
/** Below this no car charges (IEC 61851-1), in A. */
const LEAST_OFFER = 6;
/** What a charger for direct current takes from the grid for one watt into the car. */
const DC_LOSS = 1.06;
/** From the loss of its gateway to the fallback current, in ms. */
const FALLS_BACK_AFTER = 60_000;

interface Socket {
  readonly evse: Evse;
  readonly hardware: EvseHardware;
  session:
    | { readonly id: StationTransactionId; readonly token: string; seqNo: number; state: ChargingState }
    | undefined;
}

export class PortCharger implements StationDriver {
  readonly #sockets: ReadonlyMap<EvseNumber, Socket>;
  readonly #speaksModbus: boolean;
  #host: StationHost | undefined;
  #sessions = 0;

  /**
   * @param answersAfter from a command to its answer
   * @param failed the gateway could not take something in: whatever follows means nothing
   */
  constructor(
    readonly station: Station,
    hardware: (evse: EvseNumber) => EvseHardware,
    readonly clock: Clock,
    readonly answersAfter: Milliseconds,
    readonly failed: (err: unknown) => void,
  ) {
    this.#speaksModbus = station.link.kind === 'modbus';
    this.#sockets = new Map(
      station.evses.map((evse) => [evse.number, { evse, hardware: hardware(evse.number), session: undefined }]),
    );
  }

  /** Says that it is there, and begins to send samples. @param sampleFrom until the first one, so that not all come at once */
  connect(host: StationHost, sampleFrom: Milliseconds): void {
    this.#host = host;
    const { station, clock } = this;
    for (const { evse, hardware } of this.#sockets.values())
      hardware.limit(this.#speaksModbus ? evse.maxCurrent : evse.fallbackCurrent);
    this.#report({ type: 'connected', station: station.id, capabilities: this.#capabilities() });
    this.#report({
      type: 'booted',
      station: station.id,
      inventory: { vendor: 'simulated', model: 'charger' },
      at: clock.now(),
    });
    for (const socket of this.#sockets.values()) this.#status(socket);
    clock.after(sampleFrom, () => {
      clock.every(SAMPLE_INTERVAL, () => {
        for (const socket of this.#sockets.values())
          if (socket.session !== undefined)
            this.#transaction(socket, 'updated', 'MeterValuePeriodic', 'Sample.Periodic');
      });
    });
  }

  /** A driver plugs in and shows a card. */
  plug(number: EvseNumber, car: Car, token: string): void {
    const socket = this.#sockets.get(number);
    if (socket === undefined) return;
    socket.hardware.plug(car);
    socket.hardware.enable(true);
    const id = stationTransactionId(`${this.station.id}-${++this.#sessions}`);
    socket.session = { id, token, seqNo: 0, state: 'EVConnected' };
    this.#status(socket);
    this.#transaction(socket, 'started', 'Authorized', 'Transaction.Begin');
  }

  unplug(number: EvseNumber): void {
    const socket = this.#sockets.get(number);
    if (socket === undefined) return;
    this.#end(socket);
    socket.hardware.unplug();
    this.#status(socket);
  }

  /** After each step of the hardware: tells what has changed. */
  look(): void {
    for (const socket of this.#sockets.values()) {
      const { session } = socket;
      const state = stateOf(socket.hardware);
      if (session === undefined || session.state === state) continue;
      session.state = state;
      this.#status(socket);
      this.#transaction(socket, 'updated', 'ChargingStateChanged', 'Sample.Periodic');
    }
  }

  execute(command: StationCommand): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      this.clock.after(this.answersAfter, () => resolve(this.#obey(command)));
    });
  }

  stop(): Promise<void> {
    this.#host = undefined;
    return Promise.resolve();
  }

  #obey(command: StationCommand): CommandOutcome {
    switch (command.type) {
      case 'setLimit': {
        const socket = this.#sockets.get(command.evse);
        // A limit for a transaction that is over meanwhile has nothing to hold on to (OCPP TxProfile).
        if (!this.#speaksModbus && socket?.session === undefined) return { status: 'Rejected' };
        socket?.hardware.limit(command.current);
        return { status: 'Accepted' };
      }
      case 'requestStop': {
        const socket = this.#sockets.get(command.evse);
        if (socket !== undefined) this.#end(socket);
        return { status: 'Accepted' };
      }
      case 'changeAvailability':
      case 'trigger':
      case 'setVariable':
        return { status: 'Accepted' };
      default:
        return { status: 'NotSupported' };
    }
  }

  #end(socket: Socket): void {
    if (socket.session === undefined) return;
    socket.hardware.enable(false);
    this.#transaction(socket, 'ended', 'EVDeparted', 'Transaction.End');
    socket.session = undefined;
    if (!this.#speaksModbus) socket.hardware.limit(socket.evse.fallbackCurrent);
  }

  #status({ evse, hardware, session }: Socket): void {
    this.#report({
      type: 'status',
      station: this.station.id,
      evse: evse.number,
      connector: evse.connectors[0]?.number ?? 1,
      status: hardware.car === undefined ? 'Available' : 'Occupied',
      chargingState: session?.state ?? (hardware.car === undefined ? 'Idle' : 'EVConnected'),
      at: this.clock.now(),
    });
  }

  #transaction(
    { evse, hardware, session }: Socket,
    kind: TransactionReported['kind'],
    trigger: TransactionReported['trigger'],
    context: ReadingContext,
  ): void {
    if (session === undefined) return;
    this.#report({
      type: 'transaction',
      station: this.station.id,
      kind,
      evse: evse.number,
      connector: evse.connectors[0]?.number ?? 1,
      stationTransactionId: session.id,
      seqNo: session.seqNo++,
      at: this.clock.now(),
      trigger,
      chargingState: session.state,
      ...(kind === 'started' && { idToken: { idToken: session.token, type: 'ISO14443' as const } }),
      meterValues: [sample(evse, hardware, this.clock, context)],
      offline: false,
      ...(kind === 'ended' && { stoppedReason: 'EVDisconnected' as const }),
    });
  }

  #report(event: StationEvent): void {
    this.#host?.report(event).catch(this.failed);
  }

  #capabilities(): Capabilities {
    return {
      protocol: this.#speaksModbus ? 'modbus' : 'ocpp2.0.1',
      currentLimit: true,
      fallback: true,
      fallbackAfter: FALLS_BACK_AFTER,
      reservation: false,
      remoteStart: true,
      unlock: false,
      localList: false,
      phaseSwitching: false,
      trigger: false,
      reader: !this.#speaksModbus,
    };
  }
}

function stateOf(hardware: EvseHardware): ChargingState {
  if (hardware.charging) return 'Charging';
  return hardware.offered >= LEAST_OFFER ? 'SuspendedEV' : 'SuspendedEVSE';
}

/** A charger for direct current measures what goes into the car, and says nothing of the grid. */
function sample(evse: Evse, hardware: EvseHardware, clock: Clock, context: ReadingContext): MeterValue {
  const direct = isDirectCurrent(evse);
  const conductors = direct ? [] : (['L1', 'L2', 'L3'] as const).slice(0, hardware.conductors);
  const sampled: SampledValue[] = [
    { value: hardware.register, measurand: 'Energy.Active.Import.Register', context },
    { value: hardware.power / (direct ? DC_LOSS : 1), measurand: 'Power.Active.Import', context },
    ...conductors.map((phase, conductor) => ({
      value: hardware.currents[conductor as 0 | 1 | 2],
      measurand: 'Current.Import' as const,
      phase,
      context,
    })),
    { value: ampere(hardware.offered), measurand: 'Current.Offered', context },
  ];
  return { at: clock.now(), sampled };
}
