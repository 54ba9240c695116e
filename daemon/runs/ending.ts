/** How a trainer ended that could not report it itself: as a message, in the run's log, and with the way out. */
import { placeInRun, type Ending } from '../protocol/ending.js';
import { UserError } from '../protocol/errors.js';
import type { RunEvent } from '../protocol/events.js';
import { appendEvent } from '../trainer/log/appendEvent.js';
import { newestCheckpoint } from '../trainer/checkpoint.js';
import { runPaths } from '../trainer/process/runFolder.js';

/** A signal ended a trainer: a fault of the engine or of the system, not of the user. `ending` contains the way out. */
export class TrainerEnded extends UserError {
  constructor(
    message: string,
    readonly folder: string,
    readonly ending: Ending | null,
  ) {
    super('engine-failed', message, { file: folder });
  }
}

/** How a process ended, as Node.js reports it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Signals that a process raises itself. */
const FATAL: readonly string[] = ['SIGSEGV', 'SIGABRT', 'SIGILL', 'SIGBUS', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

/** The counterpart of signals on Windows: NTSTATUS codes with which a process ends. */
const STATUSES: Readonly<Record<number, string>> = {
  0xc0000005: 'access violation',
  0xc0000006: 'page could not be read',
  0xc0000017: 'no memory',
  0xc000001d: 'illegal instruction',
  0xc0000094: 'division by zero',
  0xc00000fd: 'stack overflow',
  0xc000012d: 'no memory',
  0xc0000374: 'heap corruption',
  0xc0000409: 'aborted',
};
const FIRST_ERROR_STATUS = 0xc0000000;
/** The exit code of Node.js on Windows in place of SIGABRT. */
const ABORTED = 134;

/**
 * @param tail the last line of its libraries' output that looks like a reason; null: none.
 * @returns what ended it and whose fault that is. The system ends a process with SIGKILL when memory runs out, and reports it nowhere else.
 */
export function causeOf({ code, signal }: Exit, tail: string | null): Pick<Ending, 'how' | 'cause'> {
  const short = /out of memory|bad_alloc|heap limit/i.test(tail ?? '');
  if (signal !== null) {
    if (signal === 'SIGKILL' || short) return { how: signal, cause: 'memory' };
    return { how: signal, cause: FATAL.includes(signal) ? 'crash' : 'killed' };
  }
  const status = (code ?? 0) >>> 0;
  if (status >= FIRST_ERROR_STATUS) {
    const name = STATUSES[status];
    const how = `exit code 0x${status.toString(16).toUpperCase()}${name ? ` (${name})` : ''}`;
    return { how, cause: name === 'no memory' || short ? 'memory' : 'crash' };
  }
  return { how: `exit code ${code}`, cause: short ? 'memory' : code === ABORTED ? 'crash' : 'killed' };
}

/** Longest part of a library's last output that a message repeats. */
const WORDS = 300;

/** One sentence: what ended the trainer, and where. */
function endingText(exit: Exit, tail: string | null, { engine, phase, iteration }: EndedRun): string {
  const { how, cause } = causeOf(exit, tail);
  const words = tail ? ` (${tail.trim().slice(0, WORDS)})` : '';
  const by = exit.signal === null ? `ended with ${how}` : `was ended by ${how}`;
  const memory = cause === 'memory' ? ', by hand or perhaps for want of memory' : '';
  return `the trainer (engine ${engine}) ${by} ${placeInRun(phase, iteration)}${memory}${words}`;
}

const wayOn = ({ cause, next, engine }: Ending): string => {
  if (cause === 'memory')
    return 'resume continues from the last checkpoint; a new run with a smaller "training.batchSize" needs less memory';
  if (next !== null) return `resume continues from the last checkpoint, on another engine (${next}) or on its own`;
  return cause === 'crash'
    ? `resume continues from the last checkpoint; no engine after ${engine} can train this model here`
    : 'resume continues from the last checkpoint';
};

export interface EndedRun {
  readonly folder: string;
  /** The engine it trained on, or was to. */
  readonly engine: string;
  /** The last phase that it reported. */
  readonly phase: string | null;
  readonly iteration: number;
  /** Whether it was being started, being resumed, or training. */
  readonly stage: 'starting' | 'resuming' | 'begun';
  /** The supervisor killed it: because it did not start, or did not stop. */
  readonly endedByUs: boolean;
  /** Which engine could go on after a crash. */
  next(engine: string): Promise<string | null>;
}

/** The last event of a trainer that sent none, and the error for those who wait for its answers. */
export interface UnsaidEnd {
  readonly event: Extract<RunEvent, { event: 'failed' }>;
  readonly error: UserError;
}

/**
 * What to report for a trainer that is gone and sent no last event. If the run had begun (or was to resume) and nobody asked for the end, the event
 * goes into the run's log too. An exit code before training is a fault of the installation, not of the engine.
 * @param how an error: it could not be started.
 */
export async function unsaidEnd(how: Exit | Error, tail: string | null, run: EndedRun): Promise<UnsaidEnd> {
  const { stage, endedByUs } = run;
  if (how instanceof Error)
    return unrecorded(new UserError('engine-failed', `the trainer could not be started (${how.message})`));
  if (!endedByUs && (stage === 'begun' || (stage === 'resuming' && how.signal !== null))) {
    const event = await record(how, tail, run);
    return { event, error: new TrainerEnded(event.message, run.folder, event.ending) };
  }
  const text = endingText(how, tail, run);
  if (stage !== 'starting')
    return unrecorded(new UserError('engine-failed', `${text}; resume continues from the last checkpoint`));
  if (endedByUs || how.signal === null)
    return unrecorded(new UserError('engine-failed', `${text}; nothing was written`));
  const way = `${text}; nothing was written; choose another engine ("lc-prune engines" lists them)`;
  return unrecorded(new TrainerEnded(way, run.folder, null));
}

const unrecorded = (error: UserError): UnsaidEnd => ({
  event: { time: Date.now(), event: 'failed', code: error.code, message: error.message },
  error,
});

/**
 * Writes the end into the log under the run's lock, which the dead trainer no longer holds; otherwise only the trainer writes the log. If another
 * trainer holds the run by now, or the disk is full, the event is in no log.
 */
async function record(exit: Exit, tail: string | null, run: EndedRun) {
  const { folder, engine } = run;
  const cause = causeOf(exit, tail);
  const ending: Ending = {
    ...cause,
    engine,
    checkpoint: await newestCheckpoint(runPaths(folder).checkpoints),
    next: cause.cause === 'crash' ? await run.next(engine).catch(() => null) : null,
  };
  const message = `${endingText(exit, tail, run)}; ${wayOn(ending)}`;
  const event = { event: 'failed' as const, code: 'engine-failed', message, ending };
  const time = await appendEvent(folder, event).catch(() => Date.now());
  return { time, ...event };
}
