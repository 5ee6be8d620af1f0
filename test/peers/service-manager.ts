// A service manager's end of the notification socket: every word that the gateway says, in order.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Changes } from './changes.js';

export interface FakeServiceManager {
  /** For NOTIFY_SOCKET. */
  readonly socket: string;
  readonly words: readonly string[];
  /** By `performance.now()`. */
  readonly lastWordAt: number;
  close(): void;
}

/** @param ports tried when the gateway says that it is ready: each is then `<port>=open` or `<port>=closed` in that word */
export async function listenForWords(changes: Changes, ports: readonly number[] = []): Promise<FakeServiceManager> {
  const folder = mkdtempSync(join(tmpdir(), 'notify-'));
  const socket = join(folder, 'socket');
  // Node opens no datagram sockets of the unix family.
  const child = spawn('python3', [resolve('test/peers/notify-socket.py'), socket, ...ports.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const words: string[] = [];
  let listening = false;
  let lastWordAt = performance.now();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (listening) words.push(line);
    listening = true;
    lastWordAt = performance.now();
    changes.happened();
  });
  await changes.until('the notification socket', () => listening);
  return {
    socket,
    words,
    get lastWordAt() {
      return lastWordAt;
    },
    close() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
