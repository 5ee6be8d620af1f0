// Symbols of a wiring plan, drawn after IEC 60617: supply, circuit breaker, energy meter.
import type { JSX } from 'preact';

/** Contact that opens, with the cross of a breaker (IEC 60617 S00287). */
export const BreakerSymbol = (): JSX.Element => (
  <svg class="symbol breaker" viewBox="0 0 24 30" aria-hidden="true" focusable="false">
    <path d="M12 0v8M12 30v-7L5 9M8.8 4.8l6.4 6.4m0-6.4-6.4 6.4" />
  </svg>
);

export const SupplySymbol = (): JSX.Element => (
  <svg class="symbol supply" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <circle cx="12" cy="8" r="6" />
    <circle cx="12" cy="15" r="6" />
    <path d="M12 21v3" />
  </svg>
);

export const MeterSymbol = (): JSX.Element => (
  <svg class="symbol meter-symbol" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d="M1.5 1.5h13v13h-13zM1.5 5h13" />
    <path d="M4 8l1.2 4L6.7 8l1.5 4L9.4 8m1.6 0v4m0-2h2m0-2v4" class="thin" />
  </svg>
);
