// A titled part of a page.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface PanelProps {
  readonly title: string;
  /** Beside the title: what belongs to the whole panel. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly class?: string;
}

export function Panel({ title, aside, children, class: extra = '' }: PanelProps): JSX.Element {
  const heading = useId();
  return (
    <section class={`panel ${extra}`} aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** The title of a page takes the focus when one comes to it: a screen reader begins there. */
export const PAGE_TITLE = 'page-title';

export function Title({ children }: { readonly children: string }): JSX.Element {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Forecourt`;
  }, [children]);
  useEffect(() => {
    // Whoever came by a link leaves it behind; on a page that was just opened nothing has the focus yet.
    if (document.activeElement !== document.body) title.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 id={PAGE_TITLE} ref={title} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Words and numbers by name: `Energy 12.40 kWh`. */
export const Facts = ({
  of,
}: {
  readonly of: readonly (readonly [name: string, value: ComponentChildren] | undefined)[];
}): JSX.Element => (
  <dl class="facts">
    {of.map(
      (fact) =>
        fact !== undefined && (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ),
    )}
  </dl>
);
