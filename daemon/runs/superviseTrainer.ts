/** One trainer process from its supervisor's view: its events, its answers, its end. */
import type { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../protocol/errors.js';
import type { RunEvent } from '../protocol/events.js';
import type { Budget } from '../protocol/plan.js';
import type { FromTrainer, SentError, StopReason, ToTrainer, TrainerRequest } from '../trainer/process/ipc.js';
import { unsaidEnd, type Exit } from './ending.js';
import { LIMITS } from './limits.js';

/** A run with a living trainer. */
export interface RunHandle {
  /** Name of the run folder. */
  readonly id: string;
  /** Absolute path of the run folder. */
  readonly folder: string;
  /** Process id of the trainer. */
  readonly pid: number;
  /** Resident memory of the trainer, bytes, at most a few seconds old; null before its first report. */
  readonly memory: number | null;
  /**
   * Every event, in order, already in the log. The first subscriber gets those since the start, later ones those from now on. Returns the function
   * that ends the subscription.
   */
  onEvent(callback: (event: RunEvent) => void): () => void;
  /** Checkpoints and waits with the trainer alive. Resolves when paused. */
  pause(): Promise<void>;
  /** Continues after `pause`. */
  resume(): Promise<void>;
  /** Checkpoints and ends the trainer; the run can be resumed with `resumeRun`. Resolves when the trainer has ended. */
  stop(reason: StopReason): Promise<void>;
  /** Writes a checkpoint at the next step boundary. Resolves when it is on disk. */
  checkpoint(): Promise<void>;
  /** Whether the trainer continues when this process is gone. */
  outlive(on: boolean): Promise<void>;
  /**
   * Changes the budget from the next LC iteration on; resolves when that is on disk. @throws UserError('budget-impossible') with the nearest valid
   * one.
   */
  setBudget(budget: Budget): Promise<void>;
  /** Resolves, never rejects, with the last event: `done`, `stopped` or `failed` (also when the trainer crashed). */
  readonly done: Promise<RunEvent>;
}

export interface Start {
  readonly resume: boolean;
  /** For a resumed run: the requested engine; null: its own. */
  readonly engine: string | null;
  /** The plan's engine. */
  readonly planned: string;
}

interface SupervisedTrainer extends RunHandle {
  request(request: TrainerRequest): Promise<void>;
  /** Training has begun: if the trainer ends from now on, a run ends. */
  begin(): void;
  /** Kills the trainer: its end is then caused by the supervisor. */
  end(): void;
}

interface Supervision {
  readonly onOutput: ((line: string) => void) | undefined;
  /** Which engine could go on after one that crashed. */
  next(engine: string): Promise<string | null>;
}

export function superviseTrainer(
  child: ChildProcess,
  folder: string,
  { resume, engine: asked, planned }: Start,
  { onOutput, next }: Supervision,
): SupervisedTrainer {
  const id = basename(folder);
  const subscribers = new Set<(event: RunEvent) => void>();
  let backlog: RunEvent[] | null = [];
  let last: RunEvent | null = null;
  let memory: number | null = null;
  let begun = false;
  let endedByUs = false;
  const reached = { engine: asked ?? planned, phase: null as string | null, iteration: 0 };
  const publish = (event: RunEvent) => {
    if (event.event === 'start') reached.engine = event.engine;
    if (event.event === 'phase') {
      reached.phase = event.phase;
      reached.iteration = event.iteration ?? 0;
    }
    if (['done', 'stopped', 'failed'].includes(event.event)) last = event;
    if (!backlog) for (const subscriber of subscribers) subscriber(event);
    else if (backlog.length < LIMITS.backlog || event.event !== 'batch') backlog.push(event);
  };

  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
        onOutput?.(line);
        output.push(line);
        if (output.length > LIMITS.outputTail) output.shift();
      }
    });
  }

  let nextId = 1;
  const waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  child.on('message', (message: FromTrainer) => {
    if (message.type === 'event') return publish(message.event);
    if (message.type === 'memory') {
      memory = message.resident;
      return;
    }
    if (message.type !== 'answer') return;
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) waiter?.reject(asUserError(message.error));
    else waiter?.resolve();
  });

  const ended = new Promise<Exit | Error>((resolve) => {
    child.on('error', resolve);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const done = ended.then(async (how): Promise<RunEvent> => {
    // The trainer's last messages may still be in transit.
    if (child.connected)
      await Promise.race([new Promise((resolve) => child.once('disconnect', resolve)), wait(LIMITS.drainTime)]);
    const tail = output.findLast((line) => /error|fatal|abort|memory|exception|bad_alloc/i.test(line)) ?? null;
    const stage = begun ? 'begun' : resume ? 'resuming' : 'starting';
    const crash = last ? null : await unsaidEnd(how, tail, { folder, ...reached, next, stage, endedByUs });
    if (crash) publish(crash.event);
    const error = crash?.error ?? new UserError('run-invalid', `${id} is not running any more`);
    for (const { reject } of waiting.values())
      reject(last?.event === 'failed' && !crash ? asUserError(last as SentError) : error);
    waiting.clear();
    return last!;
  });

  const request = (message: TrainerRequest): Promise<void> =>
    new Promise((resolve, reject) => {
      const over = () => reject(new UserError('run-invalid', `${id} is not running any more`));
      if (last || !child.connected) return over();
      const own = nextId++;
      waiting.set(own, { resolve, reject });
      child.send({ ...message, id: own } as ToTrainer, (error) => {
        if (error && waiting.delete(own)) over();
      });
    });

  const end = () => {
    endedByUs = true;
    child.kill('SIGKILL');
  };

  return {
    id,
    folder,
    end,
    begin: () => void (begun = true),
    pid: child.pid ?? 0,
    get memory() {
      return memory;
    },
    request,
    done,
    onEvent(callback) {
      subscribers.add(callback);
      const missed = backlog;
      backlog = null;
      missed?.forEach(callback);
      return () => subscribers.delete(callback);
    },
    pause: () => request({ type: 'pause' }),
    resume: () => request({ type: 'resume' }),
    checkpoint: () => request({ type: 'checkpoint' }),
    outlive: (on) => request({ type: 'outlive', on }),
    setBudget: (budget) => request({ type: 'setBudget', budget }),
    async stop(reason) {
      const timer = setTimeout(end, LIMITS.stopTime);
      await request({ type: 'stop', reason }).catch(() => undefined);
      await done;
      clearTimeout(timer);
    },
  };
}

const asUserError = ({ code, message }: SentError): UserError => new UserError(code, message);
