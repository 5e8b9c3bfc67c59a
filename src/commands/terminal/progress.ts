import { Writable } from 'node:stream';
import type { Log } from '../../base/log.ts';
import type { CycleEvent } from '../../cycle/events.ts';
import { type CommandIo, type TextStream, widthOf } from '../command-io.ts';
import { grouped } from './text-style.ts';

/**
 * Shows how far long work has come: a bar on a terminal, a line in the log every ten seconds elsewhere. Own code rather than
 * cli-progress: the log is written to the same terminal, and its lines have to go above the bar.
 */
export interface Progress {
  /** Hears the events of a cycle. */
  readonly observe: (event: CycleEvent) => void;
  /** Where the log writes meanwhile. */
  readonly stream: Writable;
  /** Gets the lines where there is no bar. */
  readonly useLog: (log: Log) => void;
  /** Takes the bar away. Nothing is shown any more. */
  readonly stop: () => void;
}

const redrawEveryMs = 100;
const lineEveryMs = 10_000;

/** Starts at once: something is to be seen before the first answer. `label` says what is going on: `applying`. */
export function openProgress(
  { err }: Pick<CommandIo, 'err'>,
  { label, quiet }: { readonly label: string; readonly quiet: boolean },
): Progress {
  let state: State = { done: 0, total: undefined, begun: undefined };
  const facts = () => factsOf(state, performance.now());
  const shown = quiet
    ? silent(err)
    : err.isTTY
      ? bar(err, () => barText(label, facts(), widthOf(err)))
      : lines(err, label, facts);
  return {
    ...shown,
    observe: (event) => {
      if (event.kind !== 'progress') return;
      const { done, total } = event;
      state = { done, total, begun: state.begun ?? { at: performance.now(), done } };
    },
  };
}

interface State {
  readonly done: number;
  readonly total: number | undefined;
  /** The first progress: what went before it is no work that tells the rate. */
  readonly begun: { readonly at: number; readonly done: number } | undefined;
}

interface Facts {
  readonly done: number;
  readonly total: number | undefined;
  readonly perSecond: number;
  /** `undefined`: not known yet. */
  readonly secondsLeft: number | undefined;
}

function factsOf({ done, total, begun }: State, now: number): Facts {
  const elapsedMs = begun === undefined ? 0 : now - begun.at;
  const perSecond = begun === undefined || elapsedMs <= 0 ? 0 : ((done - begun.done) / elapsedMs) * 1000;
  const known = total !== undefined && perSecond > 0;
  return { done, total, perSecond, secondsLeft: known ? Math.ceil((total - done) / perSecond) : undefined };
}

/** `applying  [=====     ]  1 200 of 4 210  120/s  25s left`, as much of it as `width` takes. */
export function barText(
  label: string,
  { done, total, perSecond, secondsLeft }: Facts,
  width: number,
): string {
  if (done === 0) return `${label} ...`.slice(0, width - 1);
  const rate = `${grouped(Math.round(perSecond))}/s`;
  if (total === undefined) return `${label}  ${grouped(done)}  ${rate}`.slice(0, width - 1);
  const numbers = `${grouped(done)} of ${grouped(total)}  ${rate}${secondsLeft === undefined ? '' : `  ${leftText(secondsLeft)} left`}`;
  const room = Math.min(40, width - 1 - label.length - numbers.length - 6);
  if (room < 5) return `${label}  ${numbers}`.slice(0, width - 1);
  const filled = Math.min(room, Math.floor((done / Math.max(1, total)) * room));
  return `${label}  [${'='.repeat(filled)}${' '.repeat(room - filled)}]  ${numbers}`;
}

function leftText(seconds: number): string {
  if (seconds < 100) return `${seconds}s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3600)}h`;
}

type Shown = Omit<Progress, 'observe'>;

function silent(err: TextStream): Shown {
  return { stream: passTo(err), useLog: () => {}, stop: () => {} };
}

const clearLine = '\r\u001b[K';

function bar(err: TextStream, text: () => string): Shown {
  let drawn = '';
  const draw = () => {
    const next = text();
    if (next === drawn) return;
    drawn = next;
    err.write(`${clearLine}${drawn}`);
  };
  draw();
  const timer = setInterval(draw, redrawEveryMs);
  timer.unref();
  return {
    // A log line takes the place of the bar, and the bar moves below it.
    stream: passTo(err, (chunk) => (drawn === '' ? chunk : `${clearLine}${chunk}${drawn}`)),
    useLog: () => {},
    stop: () => {
      clearInterval(timer);
      if (drawn !== '') err.write(clearLine);
      drawn = '';
    },
  };
}

function lines(err: TextStream, label: string, facts: () => Facts): Shown {
  let log: Log | undefined;
  let lastDone = 0;
  const timer = setInterval(() => {
    const { done, total, perSecond, secondsLeft } = facts();
    if (done === lastDone) return;
    lastDone = done;
    const left = secondsLeft === undefined ? undefined : leftText(secondsLeft);
    log?.info(label, { event: 'progress', done, total, rate: `${Math.round(perSecond)}/s`, left });
  }, lineEveryMs);
  timer.unref();
  return {
    stream: passTo(err),
    useLog: (given) => {
      log = given;
    },
    stop: () => clearInterval(timer),
  };
}

/** A stream of its own, so that whoever ends it does not end the process's. */
function passTo(err: TextStream, around: (chunk: string) => string = (chunk) => chunk): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      err.write(around(chunk.toString()));
      done();
    },
  });
}
