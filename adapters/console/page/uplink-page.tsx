// The way to the clouds: how each CSMS stands, what waits for it, what it refused for good, and the journal that holds it all.
import type { JSX } from 'preact';
import { useConsole } from './console-context.js';
import type { CsmsSummary, JournalOverview } from '../../../gateway/ports/console.js';
import { DeadLetters } from './dead-letters.js';
import { bytes, duration } from './format.js';
import { Field } from './parts/form.js';
import { State } from './parts/glyph.js';
import { Facts, Panel, Title } from './parts/panel.js';
import { Problem } from './parts/problem.js';
import { addressOf } from './place.js';
import { useAsked } from './use-asked.js';

const EACH_MS = 5_000;

export function UplinkPage(): JSX.Element {
  const { live } = useConsole();
  const { answer, problem } = useAsked<JournalOverview>('/api/journal', EACH_MS);
  return (
    <>
      <Title>Uplink</Title>
      {live.status?.csms.length === 0 && <p>site.yaml names no CSMS: nothing leaves this site.</p>}
      <div class="cards">
        {live.status?.csms.map((csms) => (
          <Csms key={csms.csms} of={csms} />
        ))}
      </div>
      <Panel title="Journal">
        <Problem of={problem} />
        {answer !== undefined && <Journal of={answer} />}
      </Panel>
    </>
  );
}

function Csms({ of }: { readonly of: CsmsSummary }): JSX.Element {
  const { drawing } = useConsole();
  const drawn = drawing.csms.find(({ csms }) => csms === of.csms);
  const shed = Object.entries(of.shed ?? {}).filter(([, count]) => (count ?? 0) > 0);
  return (
    <Panel title={of.csms} aside={drawn !== undefined && `${drawn.role}, OCPP ${drawn.version.replace('ocpp', '')}`}>
      <p class="headline">
        <CsmsState of={of} />
      </p>
      {of.lastError !== undefined && <p class="explanation">Last error: {of.lastError}</p>}
      <Facts
        of={[
          ['Waiting', `${of.queued}${of.inFlight ? ', one on its way' : ''}`],
          of.oldestAge_s === undefined ? undefined : ['Oldest', `${duration(of.oldestAge_s)} old`],
          of.delivered === undefined ? undefined : ['Delivered', of.delivered],
          of.refused === undefined ? undefined : ['Refused', of.refused],
          ['Dead letters', of.deadLetters],
          shed.length === 0
            ? undefined
            : ['Given up for want of room', shed.map(([kind, count]) => `${count ?? 0} ${kind}`).join(', ')],
        ]}
      />
      <p>
        <a href={addressOf({ page: 'trace', peer: `csms/${of.csms}` })}>Its messages</a>
      </p>
      {of.deadLetters > 0 && <DeadLetters csms={of.csms} count={of.deadLetters} />}
    </Panel>
  );
}

function CsmsState({ of: { connected, accepted } }: { readonly of: CsmsSummary }): JSX.Element {
  if (!connected) return <State glyph="away" word="Not connected" />;
  return accepted ? <State glyph="good" word="Accepted" /> : <State glyph="warning" word="Does not accept this site" />;
}

function Journal({ of }: { readonly of: JournalOverview }): JSX.Element {
  const { used_bytes: used, limit_bytes: limit, free_bytes: free } = of;
  return (
    <>
      <p class="headline">
        {of.writable === false ? (
          <State glyph="fault" word={`Cannot be written ${of.fault ?? ''}`} />
        ) : (
          <State glyph="good" word="Written without fault" />
        )}
      </p>
      {used !== undefined && limit !== undefined && (
        <Field label={`${bytes(used)} of ${bytes(limit)} used`}>
          <meter min={0} max={limit} high={limit * 0.9} value={used} />
        </Field>
      )}
      <Facts
        of={[
          ['Last entry', of.lastSeq],
          free === undefined ? undefined : ['Free on its disk', bytes(free)],
          of.lastFlush_s === undefined ? undefined : ['Last write took', `${Math.round(of.lastFlush_s * 1000)} ms`],
          of.commits === undefined ? undefined : ['Writes', of.commits],
          of.refusedCommits === undefined || of.refusedCommits === 0
            ? undefined
            : ['Refused writes', of.refusedCommits],
        ]}
      />
    </>
  );
}
