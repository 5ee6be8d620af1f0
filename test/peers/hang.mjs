// Preloaded into the gateway: lets its event loop, or its journal's thread, hang for ever as soon as a file says so.
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const flag = process.env[isMainThread ? 'HANG_MAIN' : 'HANG_WORKER'];
if (flag !== undefined) {
  const look = setInterval(() => {
    if (existsSync(flag)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }, 20);
  look.unref();
}
