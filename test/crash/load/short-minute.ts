// Loaded into the gateway under test before its own first line: what it does every minute (checkpoint, trimming) it does
// every quarter of a second, and says so, that it can be killed in the middle of it. Nothing else is changed.
const MINUTE = 60_000;
const SHORT = 250;

const { setInterval: real } = globalThis;

globalThis.setInterval = (action: () => void, interval?: number): NodeJS.Timeout => {
  if (interval !== MINUTE) return real(action, interval);
  return real(() => {
    process.stdout.write(`${JSON.stringify({ level: 20, msg: 'a minute is over' })}\n`);
    action();
  }, SHORT);
};
