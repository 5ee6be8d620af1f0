// The time of this device, for ages and countdowns that go on while nothing else happens.
import { useEffect, useState } from 'preact/hooks';

/** ms since 1970, at least as new as each second. */
export function useNow(): number {
  const [now_ms, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now_ms;
}
