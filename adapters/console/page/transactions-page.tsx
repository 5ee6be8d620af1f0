// Transactions and their charge detail records, newest first, and the same as a file for a spreadsheet.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole } from './console-context.js';
import type { ListedTransaction } from '../../../gateway/ports/console.js';
import { duration, energy, money, secondsBetween, spaced } from './format.js';
import { State } from './parts/glyph.js';
import { Field } from './parts/form.js';
import { Facts, Panel, Title } from './parts/panel.js';
import { Problem } from './parts/problem.js';
import { addressOf } from './place.js';
import { useAsked } from './use-asked.js';

const PORTION = 100;
/** Open ones grow. */
const EACH_MS = 10_000;

export function TransactionsPage(): JSX.Element {
  const { drawing, time } = useConsole();
  const [days, setDays] = useState<{ from: string; to: string }>({ from: '', to: '' });
  const [evse, setEvse] = useState('');
  const [limit, setLimit] = useState(PORTION);
  const query = new URLSearchParams();
  if (days.from !== '') query.set('from', time.instant(`${days.from}T00:00`));
  if (days.to !== '') query.set('to', time.instant(`${dayAfter(days.to)}T00:00`));
  if (evse !== '') query.set('evse', evse);
  const filter = query.toString();
  query.set('limit', String(limit));
  const { answer, problem } = useAsked<{ transactions: readonly ListedTransaction[] }>(
    `/api/transactions?${query.toString()}`,
    EACH_MS,
  );
  const shown = answer?.transactions ?? [];
  return (
    <>
      <Title>Charges</Title>
      <Panel
        title="Transactions and charge detail records"
        aside={
          <a class="button is-plain" href={`/api/transactions.csv${filter === '' ? '' : `?${filter}`}`} download>
            CSV
          </a>
        }
      >
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <Field label="From day">
            <input
              type="date"
              value={days.from}
              onInput={({ currentTarget }) => setDays({ ...days, from: currentTarget.value })}
            />
          </Field>
          <Field label="To day, included">
            <input
              type="date"
              value={days.to}
              onInput={({ currentTarget }) => setDays({ ...days, to: currentTarget.value })}
            />
          </Field>
          <Field label="EVSE">
            <select value={evse} onChange={({ currentTarget }) => setEvse(currentTarget.value)}>
              <option value="">All</option>
              {drawing.evses.map((each) => (
                <option key={each.evse} value={each.evse}>
                  {each.evse} ({each.station})
                </option>
              ))}
            </select>
          </Field>
        </form>
        <Problem of={problem} />
        {answer === undefined && problem === undefined && <p class="quiet">Asking for the transactions …</p>}
        {answer !== undefined && shown.length === 0 && <p class="quiet">No transactions in this time.</p>}
        {shown.length > 0 && <Transactions of={shown} />}
        {shown.length === limit && (
          <button type="button" class="button is-plain" onClick={() => setLimit(limit + PORTION)}>
            Show {PORTION} more
          </button>
        )}
      </Panel>
    </>
  );
}

const Transactions = ({ of }: { readonly of: readonly ListedTransaction[] }): JSX.Element => (
  <ul class="transactions">
    {of.map((each) => (
      <Transaction key={each.transaction} of={each} />
    ))}
  </ul>
);

function Transaction({ of }: { readonly of: ListedTransaction }): JSX.Element {
  const { time, live } = useConsole();
  const now = live.status?.at ?? new Date().toISOString();
  const lasting = duration(secondsBetween(of.startedAt, of.endedAt ?? now));
  return (
    <li>
      <details>
        <summary>
          <span class="when">
            <time dateTime={of.startedAt}>{time.moment(of.startedAt, now)}</time>
          </span>
          <span class="which">EVSE {of.evse}</span>
          <span class="how">
            {of.open ? (
              <State glyph="charging" word="Open" />
            ) : (
              <State glyph="good" word={of.reason === undefined ? 'Ended' : spaced(of.reason)} />
            )}
          </span>
          <span class="number">{of.energy_Wh === undefined ? '–' : energy(of.energy_Wh)}</span>
          <span class="number">{lasting}</span>
          <span class="number cost">{of.cost === undefined ? '' : money(of.cost)}</span>
        </summary>
        <Facts
          of={[
            ['Transaction', <code>{of.transaction}</code>],
            ['EVSE', <a href={addressOf({ page: 'evse', evse: of.evse })}>{of.evse}</a>],
            ['Driver', of.idToken === undefined ? 'not known' : <code>{of.idToken}</code>],
            ['Began', `${time.day(of.startedAt)} ${time.time(of.startedAt)}`],
            of.endedAt === undefined ? undefined : ['Ended', `${time.day(of.endedAt)} ${time.time(of.endedAt)}`],
            of.reason === undefined ? undefined : ['Ended by', spaced(of.reason)],
            of.energy_Wh === undefined ? undefined : ['Energy', energy(of.energy_Wh)],
            of.cost === undefined ? undefined : ['Cost', money(of.cost)],
          ]}
        />
      </details>
    </li>
  );
}

function dayAfter(day: string): string {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
