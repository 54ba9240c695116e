/** Child processes that compute tasks. If one dies, hangs or takes too much memory, that is the result of its task, and a new one starts. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a child sends: where it is, or the result. */
export type Report<Result> = { readonly stage: string } | { readonly result: Result };

/** The end of a child in the middle of a task. */
export interface Death {
  readonly how: 'crash' | 'hang' | 'memory';
  /** "SIGSEGV at "gradient"". */
  readonly what: string;
  readonly stage: string;
  readonly milliseconds: number;
}

export interface ChildOptions<Task> {
  /** The bundle, which serves when called with `--child`. */
  readonly script: string;
  readonly nameOf: (task: Task) => string;
  /** A child is replaced after so many tasks: what leaks does not add up, and a crash has few tasks before it. */
  readonly tasksEach: number;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly execArgv?: readonly string[];
  /** Bytes of resident memory, watched on Linux. */
  readonly memory?: number;
}

const TIMEOUT = 60_000;
/** Milliseconds between looks at a child's memory. */
const LOOK = 250;
const PAGE = 4096;

function residentMemory(pid: number): number {
  try {
    return PAGE * Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  } catch {
    return 0;
  }
}

export class Child<Task, Result> {
  #process: ChildProcess | undefined;
  #done = 0;
  /** Tasks that the current process did before. */
  #before: string[] = [];

  constructor(private readonly options: ChildOptions<Task>) {}

  /** Never rejects for what the task does. A task that kills a child with others before it is tried alone. */
  async compute(task: Task): Promise<{ readonly result: Result } | { readonly death: Death }> {
    const first = await this.#attempt(task);
    if ('result' in first || this.#before.length === 0) return first;
    // Alone: memory may have been spoilt by a task before this one.
    const before = this.#before;
    this.#before = [];
    const again = await this.#attempt(task);
    if ('death' in again) return again;
    return { death: { ...first.death, what: `${first.death.what}; not when alone, after ${before.slice(-3).join(', ')}` } }; // prettier-ignore
  }

  #attempt(task: Task): Promise<{ readonly result: Result } | { readonly death: Death }> {
    const { script, execArgv = [], timeout = TIMEOUT, memory, tasksEach, nameOf } = this.options;
    if (this.#done++ % tasksEach === 0) this.close();
    const child = (this.#process ??= fork(script, ['--child'], { execArgv: [...execArgv], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' })); // prettier-ignore
    const begun = performance.now();
    let stage = 'start';
    return new Promise((resolve) => {
      let ended: { readonly how: Death['how']; readonly what: string } | undefined;
      const end = (how: Death['how'], what: string): void => {
        ended ??= { how, what };
        child.kill('SIGKILL');
      };
      const timer = setTimeout(() => end('hang', `no answer within ${timeout / 1000} s`), timeout);
      const look = () => memory !== undefined && residentMemory(child.pid!) > memory && end('memory', `more than ${memory / 2 ** 20} MB`); // prettier-ignore
      const looks = memory === undefined ? undefined : setInterval(look, LOOK);
      const finish = () => {
        clearTimeout(timer);
        clearInterval(looks);
        child.removeAllListeners();
      };
      child.on('message', (report: Report<Result>) => {
        if ('stage' in report) return void ({ stage } = report);
        finish();
        this.#before.push(nameOf(task));
        resolve(report);
      });
      child.on('exit', (code, signal) => {
        this.#process = undefined;
        finish();
        const { how, what } = ended ?? { how: 'crash', what: signal ?? `exit ${code}` };
        resolve({ death: { how, what: `${what} at "${stage}"`, stage, milliseconds: Math.round(performance.now() - begun) } }); // prettier-ignore
      });
      child.send(task as object);
    });
  }

  close(): void {
    this.#before = [];
    this.#process?.removeAllListeners();
    this.#process?.disconnect();
    this.#process = undefined;
  }
}

/** Serves tasks of the parent until the parent ends. @param work is called with what to say of the stage */
export function serveTasks<Task, Result>(work: (task: Task, stage: (name: string) => void) => Promise<Result>): void {
  const send = (report: Report<Result>) => process.send!(report);
  process.on('disconnect', () => process.exit());
  // Nobody reads what a child prints.
  process.on('uncaughtException', (error) => {
    send({ stage: `uncaught ${error.message.slice(0, 200)}` });
    process.exit(1);
  });
  process.on('message', (task: Task) => {
    void work(task, (stage) => send({ stage })).then((result) => send({ result }));
  });
}
