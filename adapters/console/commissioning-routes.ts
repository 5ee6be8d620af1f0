// The addresses of the console for setting a site up: chargers that knock, the steps of commissioning, and its report.
import type { CommissioningDesk, NotDone } from '../../gateway/ports/commissioning.js';
import { answer, problem, type ConsoleAnswer, type ConsoleRoute } from '../../gateway/ports/console-routes.js';

const LONGEST_NAME = 100;

export function commissioningRoutes(desk: CommissioningDesk): readonly ConsoleRoute[] {
  const done = (notDone: NotDone | undefined): ConsoleAnswer =>
    notDone === undefined ? answer(desk.commissioning(), 202) : problem(notDone.status, notDone.error, notDone.action);
  return [
    { method: 'GET', path: '/api/unknown-stations', access: 'viewer', answer: () => answer(desk.unknownStations()) },
    { method: 'GET', path: '/api/commission', access: 'viewer', answer: () => answer(desk.commissioning()) },
    {
      method: 'GET',
      path: '/api/commission/report',
      access: 'viewer',
      answer: () => ({ kind: 'text', contentType: 'text/markdown; charset=utf-8', body: desk.commissioningReport() }),
    },
    {
      method: 'POST',
      path: '/api/commission/*/*',
      access: 'electrician',
      answer: ({ parts: [station = '', step = ''], body, caller }) => {
        if (step === 'cancel') return done(desk.cancelCommissioning(station));
        const { evse, by = caller.name } = body;
        if ((evse !== undefined && !Number.isInteger(evse)) || typeof by !== 'string' || by.length > LONGEST_NAME)
          return problem(
            400,
            'evse is a number and by is a name',
            'send {} or for example {"evse":3,"by":"A. Electrician"}',
          );
        // Who has signed in is who did it.
        const who = caller.session === undefined ? by : caller.name;
        return done(desk.commission(station, step, typeof evse === 'number' ? evse : undefined, who));
      },
    },
  ];
}
