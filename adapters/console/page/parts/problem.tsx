// What went wrong and what to do about it, as the gateway said it.
import type { JSX } from 'preact';
import type { Refused } from '../api.js';
import { Glyph } from './glyph.js';

export const Problem = ({ of }: { readonly of: Refused | undefined }): JSX.Element | null =>
  of === undefined ? null : (
    <div class="problem" role="alert">
      <Glyph name="fault" />
      <p>
        <strong>{sentence(of.message)}</strong> <span>{sentence(of.action)}</span>
      </p>
    </div>
  );

/** After an update of the gateway the page of before asks for files that are gone. */
export const NotFetched = (): JSX.Element => (
  <p class="problem" role="alert">
    This part of the page could not be fetched. Load the page again.
  </p>
);

function sentence(text: string): string {
  const whole = text.trim();
  if (whole === '') return '';
  return `${whole.charAt(0).toUpperCase()}${whole.slice(1)}${/[.?!]$/.test(whole) ? '' : '.'}`;
}
