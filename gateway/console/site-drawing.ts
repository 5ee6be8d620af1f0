// The site as its electrician drew it: what the console needs of site.yaml, without a secret.
import type { SiteDrawing } from '../ports/console.js';
import type { Site } from '../site/topology.js';

export function siteDrawing(site: Site): SiteDrawing {
  const { circuits, meters, stations, csms, tariff } = site;
  const evses = stations.flatMap((station) => station.evses).sort((a, b) => a.number - b.number);
  return {
    site: site.id,
    name: site.name,
    timeZone: site.timeZone,
    nominalVoltage_V: site.nominalVoltage,
    circuits: circuits.map(({ id, fedBy, breaker, meter }) => ({
      circuit: id,
      ...(fedBy !== undefined && { fedBy }),
      breaker_A: breaker,
      ...(meter !== undefined && { meter }),
      evses: evses.filter(({ circuit }) => circuit === id).map(({ number }) => number),
    })),
    meters: meters.map(({ id, device }) => {
      const circuit = circuits.find(({ meter }) => meter === id)?.id;
      return { meter: id, device, ...(circuit !== undefined && { circuit }) };
    }),
    stations: stations.map(({ id, link, evses: own }) => ({
      station: id,
      protocol: link.kind,
      ...(link.kind === 'modbus' && { device: link.device }),
      evses: own.map(({ number }) => number),
    })),
    evses: evses.map(({ number, station, circuit, connectors, maxCurrent, phases, fallbackCurrent }) => ({
      evse: number,
      station,
      circuit,
      connectors: connectors.map(({ number: connector, type }) => ({ connector, type })),
      max_A: maxCurrent,
      phases,
      fallback_A: fallbackCurrent,
    })),
    csms: csms.map(({ id, role, ocpp }) => ({ csms: id, role, version: ocpp })),
    ...(tariff && {
      tariff: {
        currency: tariff.currency,
        energyPrice_perKWh: tariff.energyPrice,
        timePrice_perHour: tariff.timePrice,
        startFee: tariff.startFee,
      },
    }),
  };
}
