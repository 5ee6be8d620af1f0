// The site of the demo: a small car park with three protocols, a lift, two meters and two clouds.
import { circuitId, csmsId, evseNumber, meterId, stationId, type CircuitId } from '../gateway/kernel/ids.js';
import { ampere, minutes, seconds, volt } from '../gateway/kernel/units.js';
import type { Circuit, Csms, Evse, ModbusConnection, Phase, Site, Station } from '../gateway/site/topology.js';
import type { OcppVersion } from '../adapters/ocpp-j/contract.js';
import { buildingLoad, type Load } from './building-load.js';

const WIRED: readonly (readonly Phase[])[] = [
  ['L1', 'L2', 'L3'],
  ['L2', 'L3', 'L1'],
  ['L3', 'L1', 'L2'],
];

const address = (last: number): ModbusConnection => ({ kind: 'tcp', host: `10.0.0.${last}`, port: 502 });

function evses(station: string, circuit: string, numbers: readonly number[], maxCurrent: number): readonly Evse[] {
  return numbers.map((number, i) => ({
    number: evseNumber(number),
    station: stationId(station),
    stationEvse: i + 1,
    connectors: [{ number: 1, type: 'Type2' }],
    circuit: circuitId(circuit),
    maxCurrent: ampere(maxCurrent),
    minCurrent: ampere(6),
    fallbackCurrent: ampere(6),
    phases: WIRED[number % WIRED.length] ?? ['L1', 'L2', 'L3'],
    rotationKnown: true,
  }));
}

const ocpp = (id: string, circuit: string, ...numbers: number[]): Station => ({
  id: stationId(id),
  link: { kind: 'ocpp', securityProfile: 0 },
  evses: evses(id, circuit, numbers, 32),
  start: { kind: 'authorized' },
});

const modbus = (id: string, circuit: string, number: number, device: string, maxCurrent: number): Station => ({
  id: stationId(id),
  link: { kind: 'modbus', device, connection: address(20 + number) },
  evses: evses(id, circuit, [number], maxCurrent),
  start: { kind: 'authorized' },
});

const CIRCUITS: readonly Circuit[] = [
  {
    id: circuitId('main'),
    breaker: ampere(125),
    margin: ampere(8),
    meter: meterId('grid'),
    whenMeterLost: ampere(40),
  },
  { id: circuitId('deck-1'), fedBy: circuitId('main'), breaker: ampere(63), margin: ampere(0) },
  {
    id: circuitId('deck-2'),
    fedBy: circuitId('main'),
    breaker: ampere(50),
    margin: ampere(5),
    meter: meterId('deck-2'),
    whenMeterLost: ampere(20),
  },
];

/** What a charger of the demo speaks; the others answer Modbus. */
export const demoVersion = (station: Station): OcppVersion | undefined =>
  station.id === 'CP03' ? 'ocpp2.0.1' : undefined;

export const demoLoads: ReadonlyMap<CircuitId, Load> = new Map([
  [circuitId('main'), buildingLoad({ base: ampere(28), lift: ampere(9), rideEvery: 45 })],
  [circuitId('deck-2'), buildingLoad({ base: ampere(4), lift: ampere(0), rideEvery: 60 })],
]);

export interface DemoSiteOptions {
  readonly dataDirectory: string;
  /** Which version of OCPP the authority speaks; the observer speaks the other one. */
  readonly authority: '1.6' | '2.0.1';
}

/** Ports are 0, and addresses those of the wiring plan: the simulation replaces them. */
export function demoSite({ dataDirectory, authority }: DemoSiteOptions): Site {
  const csms = (id: string, ocppVersion: Csms['ocpp'], role: Csms['role']): Csms => ({
    id: csmsId(id),
    url: 'ws://127.0.0.1:0',
    ocpp: ocppVersion,
    role,
    securityProfile: 0,
    identity: 'DEMO-01',
    present: 'site',
    resetScope: 'gateway',
    sendMinusOne: true,
  });
  return {
    id: 'DEMO-01',
    name: 'Demonstration Car Park',
    timeZone: 'Europe/Amsterdam',
    nominalVoltage: volt(230),
    circuits: CIRCUITS,
    meters: [
      { id: meterId('grid'), device: 'janitza-umg604', connection: address(5) },
      { id: meterId('deck-2'), device: 'carlo-gavazzi-em24-ethernet', connection: address(6) },
    ],
    stations: [
      ocpp('CP01', 'deck-1', 1),
      ocpp('CP02', 'deck-1', 2, 3),
      ocpp('CP03', 'deck-2', 4, 5),
      modbus('WB06', 'deck-1', 6, 'alfen-eve-ng9xx', 32),
      modbus('WB07', 'deck-2', 7, 'keba-p30', 16),
      modbus('WB08', 'deck-2', 8, 'phoenix-charx-sec', 16),
    ],
    csms: [
      csms('operator', authority, 'authority'),
      csms('landlord', authority === '1.6' ? '2.0.1' : '1.6', 'observer'),
    ],
    authorization: {
      offline: 'known-only',
      cacheEntries: 500,
      cacheLifetime: minutes(7 * 24 * 60),
      timeout: seconds(10),
      localTokens: [],
      stopOnInvalidId: true,
      listsInChargers: true,
    },
    balancing: { strategy: 'fair', rotation: minutes(15) },
    tariff: { currency: 'EUR', energyPrice: 0.39, timePrice: 0, startFee: 0.35 },
    listen: { ocpp: { host: '127.0.0.1', port: 0 } },
    telemetry: { localBroker: { host: '127.0.0.1', port: 0 } },
    console: { host: '127.0.0.1', port: 0, names: [], startToken: 'CONSOLE' },
    dataDirectory,
    journal: { sizeLimit: 1e9, keepBills: minutes(400 * 24 * 60) },
  };
}
