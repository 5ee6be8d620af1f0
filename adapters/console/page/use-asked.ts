// Something asked of the gateway by a part of the page: asked at once, again when its address changes, and each so often.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask, refusedBy, type Refused } from './api.js';

export interface Asked<T> {
  /** The last answer, kept while a later question fails. */
  readonly answer: T | undefined;
  readonly problem: Refused | undefined;
  readonly again: () => void;
}

/**
 * @param path undefined: nothing is asked
 * @param each_ms how often it is asked again; undefined: only when told to
 */
export function useAsked<T>(path: string | undefined, each_ms?: number): Asked<T> {
  const [state, setState] = useState<{ path: string | undefined; answer?: T; problem?: Refused }>({ path });
  const turn = useRef(0);
  const again = useCallback(() => {
    const mine = ++turn.current;
    if (path === undefined) return;
    ask<T>(path).then(
      (answer) => {
        if (mine === turn.current) setState({ path, answer });
      },
      (err: unknown) => {
        const problem = refusedBy(err);
        if (mine === turn.current)
          setState((before) => (before.path === path ? { ...before, problem } : { path, problem }));
      },
    );
  }, [path]);
  useEffect(() => {
    again();
    const timer = each_ms === undefined ? undefined : setInterval(again, each_ms);
    return () => {
      turn.current++;
      clearInterval(timer);
    };
  }, [again, each_ms]);
  const own = state.path === path;
  return { answer: own ? state.answer : undefined, problem: own ? state.problem : undefined, again };
}
