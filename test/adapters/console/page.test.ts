// The console's page in a real browser: on the real gateway with its simulated site, and on a played API where an answer has to be just so.
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t from 'tap';
import { underTest, withGateway } from '../../../gateway/cli-demo-site.js';
import { evseNumber } from '../../../gateway/kernel/ids.js';
import { systemClock } from '../../../gateway/system-clock.js';
import { CAR_MODELS, Car } from '../../../simulation/car.js';
import { fastClock } from '../../../simulation/fast-clock.js';
import { playConsoleApi, type Answers } from '../../fakes/console-api.js';
import {
  barriers,
  NARROW,
  noChromium,
  sharedBrowser,
  PHONE,
  picture,
  sideways,
  visit,
  WIDE,
} from '../../peers/browser.js';

t.setTimeout(180_000);

const open = sharedBrowser(t);

const PAGE = 'out/console-page';
const SPEED = 4;
const SESSION = { name: 'anna', role: 'operator', setup: false };
const YAML = 'site:\n  id: S1\ncircuits:\n  main: { breaker: 63 A }\n';

const PASSWORD = 'a long walk home';

const setupTokenIn = (log: string): string => /"setupToken":"([^"]+)"/.exec(log)?.[1] ?? '';

/** In the diagram; events name it too. */
const evse1 = (page: Page) => page.getByRole('table').getByRole('link', { name: 'EVSE 1', exact: true });

/** Waits until one of these elements shows a current of 5 A or more. */
const carries = (page: Page, selector: string): Promise<void> =>
  page
    .locator(selector)
    .filter({ hasText: /L\d\s*([5-9]|\d{2,})\.\d/ })
    .first()
    .waitFor();

t.test('a car on the simulated site, from its plug to its charge detail record', { skip: noChromium }, async (test) => {
  const data = await mkdtemp(join(tmpdir(), 'forecourt-page-'));
  test.teardown(() => rm(data, { recursive: true, force: true }));
  const browser = await open();
  const clock = fastClock(SPEED, systemClock);
  await withGateway({ dataDirectory: data, authority: '2.0.1', clock }, async (simulated, running) => {
    simulated.connect(underTest(running, simulated).ocppPort);
    const address = `http://127.0.0.1:${running.consolePort}/`;
    const { page, complaints } = await visit(browser, address, { viewport: WIDE, colorScheme: 'light' });
    await page.getByRole('button', { name: 'Make the first user' }).click();
    await page.getByLabel('Set-up token').fill(setupTokenIn(readFileSync(join(data, 'demo.log'), 'utf8')));
    await page.getByLabel('Name').fill('anna');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Password once more').fill(PASSWORD);
    test.same(await barriers(page), [], 'the first set-up');
    await page.getByRole('button', { name: 'Make the user and sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'EVSE 1', exact: true }) });
    await row.getByText('Available').waitFor();

    for (const [index, number] of [1, 2, 4, 5].entries()) {
      const model = CAR_MODELS[index % CAR_MODELS.length];
      if (model === undefined) throw new Error('the simulation has no cars');
      const evse = evseNumber(number);
      const { hardware } = simulated.world.evse(evse);
      hardware.plug(new Car(model, 0.3));
      if (number !== 1) await simulated.chargerOf(evse)?.present(hardware.number, `CARD000${number}`);
    }
    await evse1(page).click();
    await page.getByRole('button', { name: 'Start charging' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start charging' }).click();
    await page.locator('.headline').getByText('Charging', { exact: true }).waitFor();
    await carries(page, '.conductors .amperes');
    await page.locator('.plot canvas').waitFor();
    await picture(page, 'evse-1440-light');
    test.same(await barriers(page), [], 'an EVSE, light');

    await page.getByRole('navigation').getByRole('link', { name: 'Site' }).click();
    await row.getByText('Charging').waitFor();
    await carries(page, '.row.circuit .amperes');
    await picture(page, 'site-1440-light');
    await page.setViewportSize({ width: 1240, height: 700 });
    await picture(page, 'site-1240-light');
    await page.setViewportSize(WIDE);
    test.same(await barriers(page), [], 'the site, light');

    const phone = await visit(browser, address, { viewport: PHONE, colorScheme: 'dark', hasTouch: true });
    await phone.page.getByLabel('Name').fill('anna');
    await phone.page.getByLabel('Password').fill(PASSWORD);
    await phone.page.getByRole('button', { name: 'Sign in' }).click();
    await evse1(phone.page).waitFor();
    await phone.page.getByText('Charging', { exact: true }).first().waitFor();
    await picture(phone.page, 'site-390-dark');
    test.same(await barriers(phone.page), [], 'the site, dark');

    await page.goto(`${address}#/evse/1`);
    await page.getByRole('button', { name: 'Stop charging' }).click();
    await page.getByRole('button', { name: 'Start charging' }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Charges' }).click();
    await page.getByRole('group').filter({ hasText: 'EVSE 1' }).first().waitFor();
    test.same(complaints, [], 'nothing that the policy of the page forbids');
    test.same(phone.complaints, []);
  });
});

const drawing = {
  site: 'S1',
  name: 'Harbour Car Park',
  timeZone: 'Europe/Amsterdam',
  nominalVoltage_V: 230,
  circuits: [{ circuit: 'main', breaker_A: 63, meter: 'grid', evses: [1] }],
  meters: [{ meter: 'grid', device: 'janitza-umg604', circuit: 'main' }],
  stations: [{ station: 'CP01', protocol: 'ocpp', evses: [1] }],
  evses: [
    {
      evse: 1,
      station: 'CP01',
      circuit: 'main',
      connectors: [{ connector: 1, type: 'Type2' }],
      max_A: 32,
      phases: ['L1', 'L2', 'L3'],
      fallback_A: 6,
    },
  ],
  csms: [{ csms: 'operator', role: 'authority', version: 'ocpp2.0.1' }],
};

const three = (value_A: number) => ({ L1: value_A, L2: value_A, L3: value_A });

const status = (current_A: number) => ({
  site: 'S1',
  name: 'Harbour Car Park',
  version: '1.0.0',
  at: '2026-01-01T12:00:00Z',
  startedAt: '2026-01-01T10:00:00Z',
  planAge_s: 0.3,
  stations: [{ station: 'CP01', connected: true, booted: true, since: '2026-01-01T10:00:00Z' }],
  evses: [
    {
      evse: 1,
      station: 'CP01',
      connectors: [{ connector: 1, status: 'Occupied', chargingState: 'Charging' }],
      explanation: 'EVSE 1 was told 16 A, since the car takes no more.',
      limit_A: 16,
      current_A: three(current_A),
      power_W: current_A * 690,
      transaction: { transaction: '0195', startedAt: '2026-01-01T11:00:00Z', idToken: 'CA***(8)', energy_Wh: 5400 },
    },
  ],
  circuits: [
    {
      circuit: 'main',
      breaker_A: 63,
      standing: {
        limit_A: 55,
        limitedBy: 'breaker',
        meter: 'live',
        current_A: three(current_A + 20),
        background_A: three(20),
        granted_A: three(16),
        reserved_A: three(0),
      },
    },
  ],
  csms: [{ csms: 'operator', connected: true, accepted: true, queued: 2, inFlight: false, deadLetters: 2 }],
});

const letters = [17, 18].map((seq) => ({
  seq,
  message: 'ended',
  evse: 1,
  at: '2026-01-01T09:00:00Z',
  refusedAt: '2026-01-01T09:05:00Z',
  attempts: 5,
  reason: 'the CSMS answered InternalError',
}));

const answers = (over: Answers = {}): Answers => ({
  'GET /api/session': SESSION,
  'GET /api/site': drawing,
  'GET /api/events': {
    events: [
      {
        at: '2026-01-01T11:59:00Z',
        kind: 'csms',
        severity: 'warning',
        subject: 'csms/operator',
        text: 'refused a message',
      },
    ],
  },
  'STREAM /api/live': { status: status(12) },
  'STREAM /api/trace': {
    frame: { at: '2026-01-01T12:00:00Z', peer: 'station/CP01', direction: 'in', frame: '[2,"a","Heartbeat",{}]' },
  },
  'GET /api/status': status(12),
  'GET /api/journal': {
    site: 'S1',
    gateway: 'running',
    lastSeq: 18,
    used_bytes: 9e6,
    limit_bytes: 1e9,
    writable: true,
    csms: [],
  },
  'GET /api/journal/operator/dead': { deadLetters: letters },
  'POST /api/journal/operator/redrive': { csms: 'operator', accepted: true, redriven: [17], left: [], unknown: [] },
  'GET /api/transactions': { transactions: [] },
  'GET /api/config': { revision: '3', text: YAML, path: '/etc/forecourt/site.yaml' },
  'GET /api/config/schema': JSON.parse(readFileSync('site-config/site.schema.json', 'utf8')) as object,
  'GET /api/config/history': { changes: [] },
  'GET /api/commission': {
    stations: [
      {
        station: 'CP01',
        steps: [
          { step: 'communication', state: 'passed' },
          { step: 'setpoint', state: 'open' },
          { step: 'pause', evse: 1, state: 'needs-car', detail: 'plug a car in' },
        ],
      },
    ],
  },
  'GET /api/users': { users: [{ name: 'anna', role: 'operator', createdAt: '2026-01-01T10:00:00Z' }] },
  ...over,
});

t.test('signing in, and what a viewer is offered', { skip: noChromium }, async (test) => {
  const browser = await open();
  let signedIn = false;
  const unknown = { status: 401, body: { error: 'nobody is signed in', action: 'sign in' } };
  const api = await playConsoleApi(
    answers({
      'GET /api/session': () => (signedIn ? { body: { ...SESSION, role: 'viewer' } } : unknown),
      'POST /api/session': (body) => {
        signedIn = (body as { password: string }).password === 'right';
        return signedIn
          ? { body: {} }
          : { status: 401, body: { error: 'name or password is wrong', action: 'try again' } };
      },
      'DELETE /api/session': () => {
        signedIn = false;
        return { body: {} };
      },
    }),
    PAGE,
  );
  test.teardown(() => api.close());
  const { page, complaints } = await visit(browser, api.address, { viewport: WIDE });
  await page.getByLabel('Name').fill('anna');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Name or password is wrong. Try again.').waitFor();
  test.same(await barriers(page), []);
  await page.getByLabel('Password').fill('right');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await evse1(page).click();
  await page.getByText('the car takes no more').waitFor();
  test.equal(await page.getByRole('button', { name: /charging|Unlock|Reset/ }).count(), 0, 'no act');
  test.equal(await page.getByRole('link', { name: 'Configuration' }).count(), 0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  test.same(complaints, []);
});

t.test(
  'a connection that is lost is said, what is old is marked, and it comes back',
  { skip: noChromium },
  async (test) => {
    const browser = await open();
    const api = await playConsoleApi(answers(), PAGE);
    test.teardown(() => api.close());
    const { page } = await visit(browser, api.address, { viewport: WIDE });
    await page.getByText('Live', { exact: true }).waitFor();
    api.tell('/api/live', 'status', status(14.5));
    await page.getByText('34.5').first().waitFor();
    api.reachable = false;
    await page.getByText('Gateway not reached').waitFor();
    test.equal(await page.locator('html[data-old]').count(), 1);
    api.reachable = true;
    await page.getByText('Live', { exact: true }).waitFor();
    api.tell('/api/live', 'event', {
      at: '2026-01-01T12:00:00Z',
      kind: 'status',
      severity: 'fault',
      subject: 'evse/1',
      text: 'ground failure',
    });
    await page.getByRole('status').getByText('EVSE 1: ground failure').waitFor();

    // A phone that is woken again while the answer to the time before is still on its way.
    const late: (() => Promise<void>)[] = [];
    let came = (): void => undefined;
    await page.route('**/api/events*', (route) => {
      late.push(() => route.continue());
      came();
    });
    for (const _ of ['once', 'again']) {
      const asked = new Promise<void>((resolve) => {
        came = resolve;
      });
      await page.evaluate(`{
        const now = Date.now;
        Date.now = () => now() + 60_000;
        document.dispatchEvent(new Event('visibilitychange'));
      }`);
      await asked;
    }
    await Promise.all(late.map((go) => go()));
    await page.getByText('Live', { exact: true }).waitFor();
    const event = {
      at: '2026-01-01T12:01:00Z',
      kind: 'limit',
      severity: 'info',
      subject: 'gateway',
      text: 'told once',
    };
    api.tell('/api/live', 'event', event);
    api.tell('/api/live', 'status', status(17.5));
    await page.getByText('37.5').first().waitFor();
    test.equal(await page.getByText('told once').count(), 1, 'it has one connection');
  },
);

t.test('a breaker is edited with a mistake, then on trial, and comes back', { skip: noChromium }, async (test) => {
  const browser = await open();
  const now: { text: string; revision: string; pending?: object } = { text: YAML, revision: '3' };
  const api = await playConsoleApi(
    answers({
      'GET /api/config': () => ({ body: { ...now, path: '/etc/forecourt/site.yaml' } }),
      'POST /api/config/check': (body) => {
        const text = (body as { text: string }).text;
        const line = text.split('\n').findIndex((each) => /breaker: \d+ [^A]/.test(each)) + 1;
        const fault = {
          severity: 'error',
          line,
          column: 11,
          message: 'a current has the unit A',
          action: 'write 80 A',
        };
        const warning = { severity: 'warning', line: 5, column: 3, message: 'deck has no meter' };
        return {
          body:
            line === 0 ? { faults: [warning], review: ['line 5: deck has no meter'] } : { faults: [fault], review: [] },
        };
      },
      'POST /api/config/diff': {
        diff: '@@ -4 +4 @@\n-  main: { breaker: 63 A }\n+  main: { breaker: 80 A }\n',
        effects: [{ what: 'its breaker becomes 80 A', effect: 'live', subject: 'circuit/main' }],
      },
      'POST /api/config/apply': (body) => {
        const { text, confirmWithin_s: within } = body as { text: string; confirmWithin_s: number };
        const until = new Date(Date.now() + within * 1000).toISOString();
        Object.assign(now, { text, revision: '4', pending: { revision: '4', by: 'anna', until } });
        return { status: 202, body: { revision: '4', until, effects: [] } };
      },
    }),
    PAGE,
  );
  test.teardown(() => api.close());
  const { page, complaints } = await visit(browser, `${api.address}/#/configuration`, { viewport: WIDE });
  const text = page.getByRole('textbox', { name: 'site.yaml' });
  await text.waitFor();
  await text.focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('  deck: { fe');
  await page.getByRole('option', { name: /fed-by/ }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('main, breaker: 80 V }');
  test.match(await text.inputValue(), /deck: \{ fed-by: main, breaker: 80 V \}$/);
  await page.getByText('a current has the unit A').waitFor();
  test.equal(await page.locator('.gutter .is-error').innerText(), '5', 'marked at its line');
  await page.getByRole('button', { name: 'Line 5' }).click();
  await picture(page, 'configuration-1440-light');
  test.same(await barriers(page), []);
  await page.keyboard.press('End');
  for (const _ of ' V }') await page.keyboard.press('Backspace');
  await page.keyboard.type(' A }');
  await page.getByText('this can be applied').waitFor();
  test.equal(await page.getByText('deck has no meter').count(), 1, 'the review is said once');
  await page.getByRole('button', { name: 'See the difference' }).click();
  await page.getByText('its breaker becomes 80 A').waitFor();
  await page.getByRole('button', { name: /^Apply/ }).click();
  await page.getByRole('dialog').getByLabel('Why').fill('as on the plan');
  await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click();
  await page.getByText('Configuration on trial').waitFor();
  await page.getByText(/comes back in/).waitFor();
  test.match(api.commands.at(-1), /POST \/api\/config\/apply .*"confirmWithin_s":300,"comment":"as on the plan"/);
  // Its time is over: the gateway went back by itself, and says so.
  delete now.pending;
  Object.assign(now, { text: YAML, revision: '3' });
  api.tell('/api/live', 'event', {
    at: '2026-01-01T12:05:00Z',
    kind: 'configuration',
    severity: 'warning',
    subject: 'gateway',
    text: 'the change of site.yaml was taken back',
  });
  await page.getByText('Configuration on trial').waitFor({ state: 'detached' });
  await page.getByText('revision 3', { exact: true }).waitFor();
  test.equal(await text.inputValue(), YAML);
  test.same(complaints, []);
});

t.test('every page by keyboard, on the narrowest phone, light and dark', { skip: noChromium }, async (test) => {
  const browser = await open();
  let role = SESSION.role;
  const api = await playConsoleApi(
    answers({
      'GET /api/session': () => ({ body: { ...SESSION, role } }),
      'PATCH /api/users/anna': (body) => {
        ({ role } = body as { role: string });
        return { body: {} };
      },
    }),
    PAGE,
  );
  test.teardown(() => api.close());
  const { page, complaints } = await visit(browser, api.address, { viewport: NARROW, colorScheme: 'light' });
  await page.getByRole('heading', { name: 'Site' }).waitFor();
  for (const name of ['Site', 'Charges', 'Events', 'Uplink', 'Trace', 'Configuration', 'Commissioning', 'Users']) {
    const more = page.getByRole('button', { name: 'More', exact: true });
    const link = page.getByRole('navigation').getByRole('link', { name });
    if (!(await link.isVisible())) {
      await more.focus();
      await page.keyboard.press('Enter');
    }
    await link.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name }).waitFor();
    if (name === 'Configuration') await page.getByRole('textbox', { name: 'site.yaml' }).waitFor();
    if (name === 'Commissioning') {
      await page.getByText('Passed', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Begin Pause, EVSE 1 of CP01' }).waitFor();
    }
    if (name === 'Uplink') await page.getByText('the CSMS answered InternalError').first().waitFor();
    test.equal(await sideways(page), 0, `${name} has nothing that stands out at the right`);
    test.same(await barriers(page), [], `${name}, light`);
    await page.emulateMedia({ colorScheme: 'dark' });
    test.same(await barriers(page, 'colours'), [], `${name}, dark`);
    await page.emulateMedia({ colorScheme: 'light' });
  }
  test.same(complaints, []);
  await page.setViewportSize(PHONE);
  await page.goto(`${api.address}/#/uplink`);
  await page.getByRole('checkbox').first().check();
  await page.getByRole('button', { name: 'Send 1 once more' }).click();
  await page.getByRole('status').getByText('1 sent to operator once more').waitFor();
  test.match(api.commands.at(-1), 'POST /api/journal/operator/redrive {"seqs":[17]}');
  await page.goto(`${api.address}/#/trace/station%2FCP01`);
  await page.getByText('Heartbeat').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  const frame = {
    at: '2026-01-01T12:00:01Z',
    peer: 'station/CP01',
    direction: 'out',
    frame: '[3,"a",{"currentTime":"x"}]',
  };
  api.tell('/api/trace', 'frame', frame);
  api.tell('/api/trace', 'frame', { ...frame, frame: '[2,"b","DataTransfer",{}]' });
  await page.getByRole('button', { name: 'Go on (2 new)' }).click();
  await page.getByText('answer to').waitFor();
  await page.getByRole('searchbox').fill('nothing like it');
  await page.getByText('0 messages').waitFor();
  await page.goto(`${api.address}/#/users`);
  await page.getByLabel('Role of anna').selectOption('electrician');
  await page.getByRole('heading', { name: 'Who may sign in' }).waitFor({ state: 'detached' });
  test.equal(await page.getByRole('alert').count(), 0, 'who is no operator any more is not offered the list of users');
});
