// deploy/openapi.yaml describes every address and no other, and what is answered is what it says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { actRoutes } from '../../../adapters/console/act-routes.js';
import { commissioningRoutes } from '../../../adapters/console/commissioning-routes.js';
import { configurationRoutes } from '../../../adapters/console/configuration-routes.js';
import { LiveFeed } from '../../../adapters/console/live.js';
import { recordRoutes } from '../../../adapters/console/record-routes.js';
import { openConsole } from '../../../adapters/console/server.js';
import { siteRoutes } from '../../../adapters/console/routes.js';
import { traceRoutes } from '../../../adapters/console/trace-routes.js';
import { userRoutes } from '../../../adapters/console/user-routes.js';
import { siteFiles } from '../../../adapters/site-files/site-files.js';
import { composeConfiguration } from '../../../gateway/compose-configuration.js';
import { WireTrace } from '../../../gateway/console/wire-trace.js';
import type { CommissioningDesk, CommissioningOverview } from '../../../gateway/ports/commissioning.js';
import type { ActAnswer, SiteActs } from '../../../gateway/ports/console-acts.js';
import { loadSiteText } from '../../../site-config/loader.js';
import { devices } from '../../site-config/devices.js';
import { FakeClock } from '../../fakes/fake-clock.js';
import { FakeSiteConsole } from '../../fakes/fake-site-console.js';
import { openUsers } from '../../fakes/fake-users.js';
import { recordingLog } from '../../fakes/recording-log.js';

interface Operation {
  readonly 'x-access': string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

const text = readFileSync('deploy/openapi.yaml', 'utf8');
const description = parse(text) as { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
const METHODS = ['get', 'post', 'patch', 'delete'];

const operations = new Map(
  Object.entries(description.paths).flatMap(([path, of]) =>
    Object.entries(of)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation as Operation] as const),
  ),
);

const yes: ActAnswer = { status: 'Accepted' };
const acts: SiteActs = {
  start: () => Promise.resolve(yes),
  stop: () => Promise.resolve(yes),
  unlock: () => Promise.resolve({ status: 'Unlocked' }),
  changeAvailability: () => Promise.resolve({ status: 'Scheduled' }),
  reserve: () => Promise.resolve({ status: 'Rejected', reason: 'occupied', detail: 'it is in use' }),
  release: () => Promise.resolve(yes),
  need: () => Promise.resolve({ status: 'Accepted', detail: 'kept' }),
  reset: () => Promise.resolve(yes),
};

const AT = '2025-03-01T08:00:00Z';
const overview: CommissioningOverview = {
  site: 'S1',
  stations: [
    {
      station: 'CP1',
      steps: [
        { step: 'communication', state: 'passed', detail: 'it answers', at: AT, by: 'anna' },
        { step: 'phases', evse: 1, state: 'needs-car' },
      ],
    },
  ],
};
const desk: CommissioningDesk = {
  unknownStations: () => ({
    site: 'S1',
    stations: [{ station: 'CP9', remoteAddress: '10.0.0.9', attempts: 2, firstAt: AT, lastAt: AT }],
  }),
  commissioning: () => overview,
  commission: (station) =>
    station === 'CP1' ? undefined : { status: 404, error: 'there is no such station', action: 'forecourt status' },
  cancelCommissioning: () => undefined,
  commissioningReport: () => '# Report',
};

const siteText = (breaker_A: number): string => `site: { id: S1, time-zone: Europe/Berlin }
data-directory: data
circuits: { main: { breaker: ${breaker_A} A } }
stations: { CP1: { circuit: main, password: in-the-open-12345, evses: [{ number: 1, max-current: 16 A, fallback-current: 6 A }] } }
`;

/** Of a real site.yaml: what is answered is made in many places. */
function openConfiguration(t: Test, clock: FakeClock) {
  const folder = t.testdir({ 'site.yaml': siteText(63), data: {} });
  const path = join(folder, 'site.yaml');
  const loaded = loadSiteText(siteText(63), path, { devices, env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const files = siteFiles(path, join(folder, 'data'));
  const running = {
    site: loaded.value.site,
    clock,
    log: recordingLog(),
    told: () => undefined,
    putInForce: () => Promise.resolve(),
  };
  return composeConfiguration({ files, text: siteText(63), devices: () => devices, env: {} }, running);
}

async function opened(t: Test) {
  const clock = new FakeClock();
  const site = new FakeSiteConsole();
  const { users } = await openUsers(clock);
  const configuration = await openConfiguration(t, clock);
  t.teardown(() => configuration.stop());
  const own = [
    ...actRoutes('S1', acts, () => clock.now()),
    ...traceRoutes(new WireTrace(clock), () => site.drawing()),
    ...configurationRoutes('S1', configuration),
    ...commissioningRoutes(desk),
  ];
  const routes = [
    ...siteRoutes(
      site,
      () => ({ contentType: 'text/plain', text: () => Promise.resolve(''), close: () => undefined }),
      new LiveFeed(site, clock),
    ),
    ...recordRoutes(site),
    ...userRoutes('S1', users),
    ...own,
  ];
  return { clock, site, users, own, routes };
}

void t.test('every address is described with who may use it, and every description has its address', async (t) => {
  const { routes } = await opened(t);
  const blank = (path: string): string => path.replaceAll(/\{\w+\}/g, '*');
  const described = new Map([...operations].map(([name, operation]) => [blank(name), operation['x-access']]));
  const built = new Map(routes.map(({ method, path, access }) => [`${method} ${path}`, access]));
  t.same([...described.keys()].sort(), [...built.keys()].sort());
  for (const [name, access] of built) t.equal(described.get(name), access, name);
});

void t.test('what is answered is as it is described', async (t) => {
  const { clock, site, users, own } = await opened(t);
  const server = await openConsole(
    { host: '127.0.0.1', port: 0, names: [] },
    { site, users, routes: own },
    { clock, log: recordingLog() },
  );
  t.teardown(() => server.close());
  site.events.add({ at: 'x', kind: 'limit', severity: 'info', subject: 'circuit/main', text: 'full', fault: 'FC-B06' });
  site.listed = [
    {
      transaction: 'a',
      station: 'CP1',
      evse: 1,
      startedAt: '2025-03-01T08:00:00Z',
      open: true,
      cost: { amount: 1, currency: 'EUR' },
    },
  ];
  site.dead = [{ seq: 3, message: 'ended', refusedAt: '2025-03-01T08:00:00Z', attempts: 3, reason: 'no' }];
  site.history.sample(site.status(), clock.now());
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(description, 'openapi');
  let cookie = '';
  const ask = async (method: string, path: string, pattern = path, body?: object): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { ...(method !== 'GET' && { 'content-type': 'application/json' }), cookie },
      ...(body && { body: JSON.stringify(body) }),
    });
    cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    const value: unknown = await answer.json();
    const described = operations.get(`${method} ${pattern}`)?.responses[String(answer.status)];
    const schema = described?.content?.['application/json']?.schema ?? { $ref: '#/components/schemas/Problem' };
    const { $ref } = schema as { readonly $ref: string };
    t.ok(
      ajv.validate({ $ref: `openapi${$ref}` }, value),
      `${method} ${path} ${answer.status}: ${ajv.errorsText()} ${JSON.stringify(value).slice(0, 300)}`,
    );
    return answer.status;
  };
  for (const path of [
    '/health',
    '/api/status',
    '/api/site',
    '/api/events',
    '/api/transactions',
    '/api/journal',
    '/api/session',
    '/api/users',
    '/api/config',
    '/api/config/schema',
    '/api/commission',
    '/api/unknown-stations',
  ])
    t.equal(await ask('GET', path), 200, path);
  for (const what of ['explain', 'history'])
    t.equal(await ask('GET', `/api/evses/1/${what}`, `/api/evses/{evse}/${what}`), 200);
  t.equal(await ask('GET', '/api/circuits/main/history', '/api/circuits/{circuit}/history'), 200);
  t.equal(await ask('GET', '/api/journal/operator/dead', '/api/journal/{csms}/dead'), 200);
  t.equal(await ask('POST', '/api/journal/operator/redrive', '/api/journal/{csms}/redrive', {}), 200);
  const bodies: Readonly<Record<string, readonly [object, number]>> = {
    start: [{}, 200],
    stop: [{}, 200],
    unlock: [{}, 200],
    availability: [{ operative: false }, 200],
    reserve: [{ idToken: 'CARD', minutes: 5 }, 409],
    release: [{}, 200],
    needs: [{ energy_Wh: 1000, departure: null }, 200],
  };
  for (const [act, [body, status]] of Object.entries(bodies))
    t.equal(await ask('POST', `/api/evses/1/${act}`, `/api/evses/{evse}/${act}`, body), status, act);
  t.equal(await ask('POST', '/api/stations/CP1/reset', '/api/stations/{station}/reset', { kind: 'soft' }), 200);
  t.equal(await ask('GET', '/api/evses/9/explain', '/api/evses/{evse}/explain'), 404);
  const config = (what: string, body: object): Promise<number> =>
    ask('POST', `/api/config/${what}`, `/api/config/${what}`, body);
  const wrong = siteText(63).replace('circuits', 'circuitz');
  for (const text of [siteText(50), wrong]) {
    t.equal(await config('check', { text }), 200);
    t.equal(await config('diff', { text }), 200);
  }
  t.equal(await config('apply', { text: wrong }), 422);
  t.equal(await config('apply', { text: siteText(50), confirmWithin_s: 60, comment: 'a try' }), 202);
  t.equal(await config('apply', { text: siteText(40) }), 409);
  for (const path of ['/api/config', '/api/config/history']) t.equal(await ask('GET', path), 200, path);
  t.equal(await config('keep', {}), 200);
  t.equal(await config('keep', { revision: '9' }), 404);
  t.equal(await config('revert', { revision: '1' }), 200);
  t.equal(await config('revert', { revision: '9' }), 404);
  const step = '/api/commission/{station}/{step}';
  t.equal(await ask('POST', '/api/commission/CP1/setpoint', step, { evse: 1 }), 202);
  t.equal(await ask('POST', '/api/commission/CP9/setpoint', step, {}), 404);
  t.equal(await ask('POST', '/api/commission/CP1/cancel', step, {}), 202);
  const anna = { name: 'anna', password: 'correct horse' };
  t.equal(await ask('POST', '/api/setup', '/api/setup', { token: users.setupToken, ...anna }), 200);
  t.equal(
    await ask('POST', '/api/users', '/api/users', { name: 'ben', password: 'battery staple', role: 'viewer' }),
    201,
  );
  t.equal(await ask('PATCH', '/api/users/ben', '/api/users/{name}', { role: 'electrician' }), 200);
  t.equal(await ask('GET', '/api/users'), 200);
  t.equal(await ask('DELETE', '/api/users/ben', '/api/users/{name}'), 200);
  t.equal(await ask('POST', '/api/session', '/api/session', anna), 200);
  t.equal(await ask('DELETE', '/api/session'), 200);
  t.equal(await ask('GET', '/api/status'), 401);
});

void t.test('frames are traced without tokens and passwords, within their room', (t) => {
  const clock = new FakeClock();
  const trace = new WireTrace(clock);
  const heard: string[] = [];
  const stop = trace.listen({ station: 'CP1' }, ({ peer, direction, frame }) =>
    heard.push(`${peer} ${direction} ${frame}`),
  );
  const see = (frame: unknown, peer = 'station/CP1') =>
    trace.saw(peer, 'in', typeof frame === 'string' ? frame : JSON.stringify(frame));
  see([2, '1', 'Authorize', { idTag: '04A2B3C4D5E6F7' }]);
  see([2, '2', 'Authorize', { idToken: { idToken: '04A2B3C4D5E6F7', type: 'ISO14443' } }]);
  see([2, '3', 'ChangeConfiguration', { key: 'AuthorizationKey', value: 'SECRETSECRET' }]);
  see([
    2,
    '4',
    'SetVariables',
    { setVariableData: [{ variable: { name: 'BasicAuthPassword' }, attributeValue: 'SECRETSECRET' }] },
  ]);
  see([2, '5', 'DataTransfer', { data: JSON.stringify({ idTag: '04A2B3C4D5E6F7', other: 1 }) }]);
  see([2, '6', 'MeterValues', { sampledValue: [{ value: 'SECRETSECRET', format: 'SignedData' }] }]);
  see('{"idTag":"04A2B3C4D5E6F7"');
  see([3, '7', {}], 'csms/operator');
  t.equal(heard.length, 7, 'only what was asked for');
  t.notMatch(heard.join('\n'), /A2B3C4|SECRETSECRET/);
  t.match(heard[0], /station\/CP1 in \[2,"1","Authorize",\{"idTag":"04\*\*\*\(14\)"\}\]/);
  t.match(heard[1], /"type":"ISO14443"/);
  stop();
  see([3, '8', {}]);
  t.equal(heard.length, 7);
  t.equal([...trace.recent({}, 5)].length, 9);
  t.equal([...trace.recent({ csms: 'operator' }, 5)].length, 1);
  for (let n = 0; n < 100_000; n++) see(`[2,"${n}","Heartbeat",{}]${' '.repeat(400)}`);
  const kept = [...trace.recent({}, 5)];
  t.ok(kept.length < 20_000 && kept.length > 15_000, `${kept.length} of 100,000 are kept`);
  t.match(kept.at(-1)?.frame, /99999/);
  t.end();
});
