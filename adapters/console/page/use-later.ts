// A part of the program that is fetched when it is first needed.
import { useEffect, useState } from 'preact/hooks';

export interface Later<T> {
  readonly part: T | undefined;
  readonly failed: boolean;
}

export function useLater<T>(load: () => Promise<T>): Later<T> {
  const [state, setState] = useState<Later<T>>({ part: undefined, failed: false });
  useEffect(() => {
    let left = false;
    load().then(
      (part) => {
        if (!left) setState({ part, failed: false });
      },
      () => {
        if (!left) setState({ part: undefined, failed: true });
      },
    );
    return () => {
      left = true;
    };
  }, [load]);
  return state;
}
