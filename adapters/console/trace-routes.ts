// The addresses of the wire trace: frames as they come, and those of the last minutes as a file.
import {
  problem,
  type Asked,
  type ConsoleAnswer,
  type ConsoleRoute,
  type EventReader,
} from '../../gateway/ports/console-routes.js';
import type { SiteDrawing, TraceFilter, TracedFrame, Traces } from '../../gateway/ports/console.js';
import { wholeNumber } from './query.js';

export function traceRoutes(traces: Traces, drawing: () => SiteDrawing): readonly ConsoleRoute[] {
  const filtered = ({ query }: Asked): TraceFilter | ConsoleAnswer => {
    const station = query.get('station') ?? undefined;
    const csms = query.get('csms') ?? undefined;
    const { stations, csms: all } = drawing();
    if (station !== undefined && !stations.some((each) => each.station === station))
      return problem(404, `there is no station ${station} in site.yaml`, 'forecourt status lists the stations');
    if (csms !== undefined && !all.some((each) => each.csms === csms))
      return problem(404, `there is no CSMS ${csms} in site.yaml`, 'forecourt status lists the CSMSs');
    return { ...(station !== undefined && { station }), ...(csms !== undefined && { csms }) };
  };
  return [
    {
      method: 'GET',
      path: '/api/trace',
      access: 'electrician',
      answer: (asked) => {
        const filter = filtered(asked);
        return 'kind' in filter ? filter : { kind: 'events', join: (reader) => follow(traces, filter, reader) };
      },
    },
    {
      method: 'GET',
      path: '/api/trace/download',
      access: 'electrician',
      answer: (asked) => {
        const filter = filtered(asked);
        if ('kind' in filter) return filter;
        const minutes = wholeNumber(asked.query.get('minutes'), 60, 1440);
        if (minutes === undefined) return problem(400, 'minutes is from 1 to 1440', 'leave it away for the last hour');
        const headers = { 'content-disposition': 'attachment; filename="trace.jsonl"' };
        return { kind: 'lines', lines: lines(traces.recent(filter, minutes)), headers };
      },
    },
  ];
}

/** Frames that a slow reader cannot take are lost for him, and counted. */
function follow(traces: Traces, filter: TraceFilter, reader: EventReader): () => void {
  let missed = 0;
  return traces.listen(filter, (frame) => {
    if (!reader.ready) {
      missed += 1;
      return;
    }
    reader.send('frame', JSON.stringify({ ...frame, ...(missed > 0 && { missed }) }));
    missed = 0;
  });
}

async function* lines(frames: Iterable<TracedFrame>): AsyncGenerator<TracedFrame> {
  for (const frame of frames) yield await Promise.resolve(frame);
}
