// The wire as it is: every message to and from one charger or CSMS, tokens masked; can be held still, searched and kept as a file.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useConsole } from './console-context.js';
import type { TracedFrame } from '../../../gateway/ports/console.js';
import { frameWords, type FrameWords } from './frame-words.js';
import { Button } from './parts/act.js';
import { Field, has, SearchField } from './parts/form.js';
import { Glyph } from './parts/glyph.js';
import { Panel, Title } from './parts/panel.js';
import { addressOf } from './place.js';

/** More than one reads; older ones are in the file. */
const MOST_FRAMES = 500;
/** Minutes that the file goes back. */
const BACK_MIN = 60;

interface ShownFrame extends TracedFrame {
  readonly number: number;
  readonly words: FrameWords;
}

export function TracePage({ peer }: { readonly peer?: string | undefined }): JSX.Element {
  const { drawing } = useConsole();
  const peers = [
    ...drawing.stations.map(({ station }) => `station/${station}`),
    ...drawing.csms.map(({ csms }) => `csms/${csms}`),
  ];
  return (
    <>
      <Title>Trace</Title>
      <Panel title="Messages on the wire" class="is-trace">
        <div class="filters">
          <Field label="Of">
            <select
              value={peer ?? ''}
              onChange={({ currentTarget }) => {
                location.hash = addressOf({
                  page: 'trace',
                  ...(currentTarget.value !== '' && { peer: currentTarget.value }),
                });
              }}
            >
              <option value="">Choose a charger or CSMS</option>
              {peers.map((each) => (
                <option key={each} value={each}>
                  {each.replace('/', ' ')}
                </option>
              ))}
            </select>
          </Field>
        </div>
        {peer === undefined ? (
          <p class="quiet">Nothing is recorded for the page until one is chosen.</p>
        ) : (
          <Frames key={peer} peer={peer} />
        )}
      </Panel>
    </>
  );
}

function Frames({ peer }: { readonly peer: string }): JSX.Element {
  const [held, setHeld] = useState(false);
  const [words, setWords] = useState('');
  const { frames, lost, missed, clear } = useFrames(peer, held);
  const [kind = '', name = ''] = peer.split('/');
  const query = `${kind}=${encodeURIComponent(name)}`;
  const shown = frames.filter(({ frame, words: { action } }) => has(words, `${action} ${frame}`));
  return (
    <>
      <div class="filters">
        <SearchField words={words} examples="MeterValues, Rejected, a message id" onWords={setWords} />
        <Button onClick={() => setHeld(!held)}>
          {held ? `Go on${missed > 0 ? ` (${missed} new)` : ''}` : 'Pause'}
        </Button>
        <Button onClick={clear}>Clear</Button>
        <a class="button is-plain" href={`/api/trace/download?${query}&minutes=${BACK_MIN}`} download>
          Last hour as a file
        </a>
      </div>
      <p class="quiet" role="status">
        {lost
          ? 'The gateway is not reached; it is tried again.'
          : held
            ? 'Held still.'
            : `${shown.length} messages, newest first.`}
      </p>
      <ol class="frames" aria-label={`Messages of ${name}, newest first`}>
        {shown.map((frame) => (
          <Frame key={frame.number} of={frame} />
        ))}
      </ol>
    </>
  );
}

const KINDS: Readonly<Record<FrameWords['kind'], string>> = {
  call: '',
  result: 'answer to',
  error: 'refusal of',
  other: '',
};

function Frame({ of }: { readonly of: ShownFrame }): JSX.Element {
  const { time } = useConsole();
  const { kind, action, payload } = of.words;
  return (
    <li class={`is-${of.direction} is-${kind}`}>
      <time dateTime={of.at}>{time.millisecond(of.at)}</time>
      <span class="direction">
        <span aria-hidden="true">{of.direction === 'in' ? '→' : '←'}</span>
        <span class="hidden">{of.direction === 'in' ? 'from it' : 'to it'}</span>
      </span>
      <span class="action">
        {kind === 'error' && <Glyph name="fault" />}
        {KINDS[kind] !== '' && <small>{KINDS[kind]} </small>}
        {action === '' && kind !== 'other' ? <small>a call not seen</small> : action}
      </span>
      <code>{payload}</code>
    </li>
  );
}

interface Followed {
  readonly frames: readonly ShownFrame[];
  readonly lost: boolean;
  /** How many came while it was held still. */
  readonly missed: number;
  readonly clear: () => void;
}

function useFrames(peer: string, held: boolean): Followed {
  const all = useRef<ShownFrame[]>([]);
  const [shown, setShown] = useState<readonly ShownFrame[]>([]);
  const [missed, setMissed] = useState(0);
  const [lost, setLost] = useState(false);
  const unseen = useRef(0);
  const still = useRef(held);
  still.current = held;
  useEffect(() => {
    const calls = new Map<string, string>();
    let number = 0;
    let drawn: number | undefined;
    const [kind = '', name = ''] = peer.split('/');
    const source = new EventSource(`/api/trace?${kind}=${encodeURIComponent(name)}`);
    // A busy charger sends many within the time of one drawing.
    const draw = (): void => {
      drawn = undefined;
      if (still.current) setMissed(unseen.current);
      else setShown(all.current);
    };
    source.onopen = () => setLost(false);
    source.onerror = () => setLost(true);
    source.addEventListener('frame', ({ data }: MessageEvent<string>) => {
      const frame = JSON.parse(data) as TracedFrame;
      if (still.current) unseen.current += 1;
      if (calls.size > MOST_FRAMES) calls.clear();
      all.current = [{ ...frame, number: ++number, words: frameWords(frame.frame, calls) }, ...all.current].slice(
        0,
        MOST_FRAMES,
      );
      drawn ??= requestAnimationFrame(draw);
    });
    return () => {
      source.close();
      if (drawn !== undefined) cancelAnimationFrame(drawn);
    };
  }, [peer]);
  useEffect(() => {
    if (held) return;
    unseen.current = 0;
    setMissed(0);
    setShown(all.current);
  }, [held]);
  const clear = useMemo(
    () => () => {
      all.current = [];
      setShown([]);
    },
    [],
  );
  return { frames: shown, lost, missed, clear };
}
