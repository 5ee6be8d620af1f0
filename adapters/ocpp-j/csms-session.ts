// One charging station's session with one CSMS, over as many sockets as it takes: dial, back-off, Boot, heartbeat, who may speak when.
import type { BootReason, CsmsHost, Priority, StationIdentity } from '../../gateway/ports/csms.js';
import type { AdapterContext } from '../../gateway/ports/station.js';
import type { CancelTimer } from '../../gateway/kernel/clock.js';
import { FAULTS, type Fault } from '../../gateway/kernel/faults.js';
import { type Milliseconds, milliseconds, minutes, seconds } from '../../gateway/kernel/units.js';
import type { CallAnswer, CallHandler, CallOptions, CallOutcome, IncomingCall } from './contract.js';
import type { OcppConnection, Payload } from './contract.js';
import { PRIORITIES } from './csms-delivery.js';
import { gate } from './csms-gate.js';
import { heartbeatTimer } from './csms-heartbeat.js';
import type { Commander } from './csms-route.js';
import { parseTime } from './csms-time.js';
import { reconnectWaits } from './backoff.js';

/**
 * One attempt to reach the CSMS. Never rejects. `handler` answers the CSMS's calls from the first moment on; `onClose`
 * comes once when the connection that was given has gone, whoever ended it, `close` included.
 */
export type Dial = (
  handler: CallHandler,
  onClose: (reason: string) => void,
) => Promise<{ readonly connection: OcppConnection } | DialFailure>;

export interface DialFailure {
  /** For the log. */
  readonly refused: string;
  /** The CSMS asks not to be called again any earlier. */
  readonly retryAfter?: Milliseconds;
  /** FC-C02 unless given. */
  readonly fault?: Fault;
}

/** What differs between the versions. */
export interface Dialect {
  boot(identity: StationIdentity, reason: BootReason): Payload;
  answer(call: IncomingCall, command: Commander): Promise<CallAnswer>;
}

export interface CsmsSession {
  /** The socket is up. */
  readonly connected: boolean;
  readonly accepted: boolean;
  start(): void;
  /** Refused as `closed` while Boot is not accepted; `whilePending`: the CSMS asked for it, so it may leave before that. */
  call(action: string, payload: Payload, priority: Priority, whilePending?: boolean): Promise<CallOutcome>;
  /** Whether the CSMS answers something harmless (Heartbeat) just now, whatever it says. */
  probe(): Promise<boolean>;
  reboot(reason: BootReason): void;
  /** A Heartbeat now; resolves when it has been answered, or will not be. */
  askTime(): Promise<void>;
  stop(): Promise<void>;
}

/** A link that held for so long has proven itself: the waits before the next attempts start over. */
const STABLE = seconds(60);
/** A CSMS that asks for more (Retry-After) is called again after this: it may have come back under another address. */
const LONGEST_RETRY_AFTER = minutes(60);
/** A CALL without an answer for so long, or for a third of its time-out, makes us look whether the link is half open. */
const SUSPICIOUS_SILENCE = seconds(10);

/** `none`: not asked yet, or asked and not answered. */
type BootState = 'none' | 'pending' | 'rejected' | 'accepted';

/**
 * BootNotification goes out when the process starts, on `reboot`, and when the CSMS answers SecurityError because it has
 * forgotten the station; never on a plain reconnect (2.0.1 Part 4 section 5.3, OCPP-J 1.6 section 5.4).
 * `host.heartbeatInterval` must be what `host.setting('HeartbeatInterval')` says from then on.
 * @param random numbers in [0, 1) for the back-off
 */
export function openCsmsSession(
  host: CsmsHost,
  dialect: Dialect,
  { clock, log }: AdapterContext,
  dial: Dial,
  random: () => number = Math.random,
): CsmsSession {
  let boot: BootState = 'none';
  let bootReason = host.bootReason;
  let connection: OcppConnection | undefined;
  let dialing = false;
  let stopped = false;
  let started = false;
  /** Rises with every BootNotification and every socket: an answer to an older one is of no interest. */
  let round = 0;
  /** On the monotonic clock. */
  let nextBoot = 0;
  let forgotten = false;
  let triggered = false;
  let cancelRetry: CancelTimer = () => {};
  let closing: (() => void) | undefined;
  let stopping: Promise<void> | undefined;

  const up = (): boolean => boot === 'accepted' && connection !== undefined;
  const timeout = (): number => seconds(host.setting('MessageTimeout') || 30);
  const waits = (): Iterator<Milliseconds, never> =>
    reconnectWaits(
      {
        waitMinimum: seconds(host.setting('RetryBackOffWaitMinimum')),
        randomRange: seconds(host.setting('RetryBackOffRandomRange')),
        repeatTimes: host.setting('RetryBackOffRepeatTimes'),
      },
      random,
    );
  /** undefined: no attempt has failed since the last stable link. */
  let dialWaits: Iterator<Milliseconds, never> | undefined;
  let upSince = clock.monotonic();
  let bootWaits = waits();
  const heartbeat = heartbeatTimer(
    clock,
    () => seconds(host.setting('HeartbeatInterval')),
    () => void sendHeartbeat(),
  );
  const later = (delay: Milliseconds, action: () => void): void => {
    cancelRetry();
    cancelRetry = clock.after(delay, action);
  };

  async function connect(): Promise<void> {
    if (stopped || dialing || connection) return;
    dialing = true;
    let gone: string | undefined;
    let mine: OcppConnection | undefined;
    const result = await dial(handle, (reason) => {
      gone = reason;
      if (mine && connection === mine) lost(reason);
    });
    dialing = false;
    if ('refused' in result) return retry(result);
    mine = result.connection;
    if (gone !== undefined || !mine.open) return retry({ refused: gone ?? 'closed at once' });
    connection = mine;
    round++;
    forgotten = false;
    if (stopped) mine.close(1000, 'stopping');
    else if (boot === 'accepted') linkUp(false);
    else bootWhenDue();
  }

  function retry({ refused: reason, retryAfter = milliseconds(0), fault = FAULTS.csmsRefused }: DialFailure): void {
    if (stopped) return closing?.();
    dialWaits ??= waits();
    const asked = Math.min(retryAfter, LONGEST_RETRY_AFTER);
    const delay = milliseconds(Math.max(dialWaits.next().value, asked));
    log.warn({ csms: host.csms, fault: fault.code, reason, retryAfter: delay }, 'No link to the CSMS');
    later(delay, () => void connect());
  }

  function lost(reason: string): void {
    const wasUp = up();
    connection = undefined;
    round++;
    heartbeat.stop();
    if (wasUp) {
      // A link that comes and goes is dialled less and less often; one that held begins anew, with what the CSMS has set.
      if (clock.monotonic() - upSince >= STABLE) dialWaits = undefined;
      host.linkDown(reason);
    }
    retry({ refused: reason });
  }

  function linkUp(booted: boolean): void {
    bootWaits = waits();
    upSince = clock.monotonic();
    heartbeat.start();
    host.linkUp(booted);
  }

  async function sendBoot(): Promise<void> {
    const socket = connection;
    if (!socket) return;
    cancelRetry();
    const mine = ++round;
    const outcome = await socket.call('BootNotification', dialect.boot(host.identity, bootReason), options(0));
    if (mine !== round || outcome.kind === 'closed') return;
    if (outcome.kind === 'result') return bootAnswered(outcome.payload);
    log.warn({ csms: host.csms, outcome }, 'BootNotification not answered');
    bootAgainAfter(0);
    // A CSMS that always takes a little longer than we wait would never see the station otherwise.
    if (outcome.kind !== 'timeout') return;
    const late = await outcome.late;
    if (late !== undefined && mine === round) bootAnswered(late);
  }

  function bootAnswered({ status, interval, currentTime }: Payload): void {
    cancelRetry();
    const at = parseTime(currentTime);
    if (at !== undefined) host.timeFromCsms(at);
    const wait = typeof interval === 'number' && interval > 0 ? interval : 0;
    if (status === 'Accepted') {
      boot = 'accepted';
      if (wait > 0) host.heartbeatInterval(wait);
      linkUp(true);
    } else {
      boot = status === 'Rejected' ? 'rejected' : 'pending';
      log.warn(
        { csms: host.csms, fault: FAULTS.csmsRefused.code, status, interval: wait },
        'CSMS has not accepted the station',
      );
      bootAgainAfter(wait);
    }
  }

  /** @param wait seconds, as the CSMS asked; 0: the station's own back-off (B02.FR.07, B03.FR.06) */
  function bootAgainAfter(wait: number): void {
    nextBoot = clock.monotonic() + (wait > 0 ? seconds(wait) : bootWaits.next().value);
    bootWhenDue();
  }

  /** The wait that the CSMS asked for outlasts the socket: a new one is no reason to ask again early. */
  function bootWhenDue(): void {
    const wait = nextBoot - clock.monotonic();
    if (wait > 0) later(milliseconds(wait), () => void sendBoot());
    else void sendBoot();
  }

  async function sendHeartbeat(): Promise<void> {
    heartbeat.sent();
    const outcome = await call('Heartbeat', {}, 'status', true);
    if (outcome.kind === 'result') {
      const at = parseTime(outcome.payload['currentTime']);
      if (at !== undefined) host.timeFromCsms(at);
    } else if (outcome.kind !== 'closed') log.warn({ csms: host.csms, outcome }, 'Heartbeat not answered');
  }

  function options(priority: number): CallOptions {
    const time = timeout();
    // A CSMS that wants no pings is not pinged; then the system notices a half-open socket, after a quarter of an hour.
    const pings = host.setting('WebSocketPingInterval') > 0;
    const probeAfter = milliseconds(Math.min(SUSPICIOUS_SILENCE, time / 3));
    return { timeout: time, priority, late: true, ...(pings && { probeAfter }) };
  }

  async function call(
    action: string,
    payload: Payload,
    priority: Priority,
    whilePending = false,
  ): Promise<CallOutcome> {
    const socket = connection;
    const may = boot === 'accepted' || (boot === 'pending' && (whilePending || triggered));
    if (!socket || !may) return { kind: 'closed', sent: false };
    const outcome = await socket.call(action, payload, options(PRIORITIES[priority]));
    if (outcome.kind !== 'error' || outcome.code !== 'SecurityError' || forgotten || socket !== connection || !up())
      return outcome;
    // A CSMS that lost its own memory refuses everything until the station has booted (B02.FR.09): not the message's fault.
    forgotten = true;
    log.warn({ csms: host.csms, action }, 'CSMS no longer knows the station: booting again');
    reboot(host.bootReason);
    return { kind: 'closed', sent: false };
  }

  function reboot(reason: BootReason): void {
    const wasUp = up();
    bootReason = reason;
    boot = 'none';
    nextBoot = 0;
    heartbeat.stop();
    if (wasUp) host.linkDown('booting again');
    void sendBoot();
  }

  const command = gate(
    {
      get accepted() {
        return boot === 'accepted';
      },
      sendHeartbeat: () => void sendHeartbeat(),
      // What the station may say while Boot is pending it may still say while it asks again.
      sendBoot: () => {
        bootReason = 'Triggered';
        nextBoot = 0;
        void sendBoot();
      },
      asTriggered: (action) => {
        triggered = true;
        try {
          action();
        } finally {
          triggered = false;
        }
      },
    },
    (asked) => host.command(asked),
  );

  async function handle(incoming: IncomingCall): Promise<CallAnswer> {
    // B03.FR.08; 1.6 leaves it open.
    if (boot === 'rejected')
      return { kind: 'error', code: 'SecurityError', description: 'BootNotification is rejected' };
    return dialect.answer(incoming, command);
  }

  return {
    get connected() {
      return connection !== undefined;
    },
    get accepted() {
      return up();
    },
    start() {
      if (started) return;
      started = true;
      void connect();
    },
    call,
    async probe() {
      const outcome = await call('Heartbeat', {}, 'transaction');
      return outcome.kind === 'result' || outcome.kind === 'error';
    },
    reboot,
    askTime: sendHeartbeat,
    stop() {
      stopping ??= new Promise<void>((resolve) => {
        stopped = true;
        cancelRetry();
        heartbeat.stop();
        closing = resolve;
        if (connection) connection.close(1000, 'stopping');
        else if (!dialing) resolve();
      });
      return stopping;
    },
  };
}
