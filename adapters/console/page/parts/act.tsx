// A command to the gateway: busy while it is carried out, its end announced, a refusal shown where it was given.
import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ask, refusedBy, type Method, type Refused } from '../api.js';
import { useConsole } from '../console-context.js';

export interface Command {
  readonly path: string;
  readonly method?: Method;
  readonly body?: object;
  /** Said when it was carried out. */
  readonly done: string;
  /** A refusal that is shown elsewhere than at what was pressed. @returns whether it is */
  readonly refused?: (by: Refused) => boolean;
}

export interface Acting {
  readonly busy: boolean;
  readonly problem: Refused | undefined;
  /** @returns the answer; undefined when it was refused */
  readonly act: <T>(command: Command) => Promise<T | undefined>;
  readonly clear: () => void;
}

export function useAct(): Acting {
  const { announce } = useConsole();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Refused>();
  const running = useRef(false);
  const act = async <T,>({ path, method = 'POST', body, done, refused }: Command): Promise<T | undefined> => {
    // A second press while the first is on its way is the same wish.
    if (running.current) return undefined;
    running.current = true;
    setBusy(true);
    setProblem(undefined);
    try {
      const answer = await ask<T>(path, method, body);
      announce(detailOf(answer) ?? done);
      return answer;
    } catch (err) {
      const by = refusedBy(err);
      if (refused?.(by) !== true) setProblem(by);
      return undefined;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, problem, act, clear: () => setProblem(undefined) };
}

/** What the gateway has to say of an act that it took: that it was put off, for example. */
function detailOf(answer: unknown): string | undefined {
  const detail = typeof answer === 'object' && answer !== null ? (answer as { detail?: unknown }).detail : undefined;
  return typeof detail === 'string' ? detail : undefined;
}

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick?: () => void;
  readonly kind?: 'main' | 'plain' | 'danger';
  readonly type?: 'button' | 'submit';
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly label?: string;
}

/** Stays where it is and keeps the focus while it is busy: a disabled button loses it. */
export const Button = ({
  children,
  onClick,
  kind = 'plain',
  type = 'button',
  busy = false,
  disabled = false,
  label,
}: ButtonProps): JSX.Element => (
  <button
    type={type}
    class={`button is-${kind}`}
    aria-disabled={busy || disabled}
    aria-busy={busy}
    {...(label !== undefined && { 'aria-label': label })}
    onClick={(event) => {
      if (busy || disabled) event.preventDefault();
      else onClick?.();
    }}
  >
    {children}
  </button>
);
