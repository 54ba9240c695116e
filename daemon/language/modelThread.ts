/** A thread that works on model files (dist/modelWorker.mjs): it does one job after the other, and its answers are plain data. */
import { parentPort, Worker } from 'node:worker_threads';
import { UserError } from '../protocol/errors.js';

interface Asked {
  readonly id: number;
  readonly job: string;
  readonly params: unknown;
}

/** Errors lose their class on the way between threads. */
type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly user?: Pick<UserError, 'code' | 'details'> } }; // prettier-ignore

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class ModelThread {
  #worker: Worker | undefined;
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();
  #idle: NodeJS.Timeout | undefined;

  /** @param lifetime milliseconds for which the thread, with what it holds, outlives its last answer. */
  constructor(
    private readonly script: string,
    private readonly lifetime: number,
  ) {}

  /** @throws the error of the job: UserErrors as they were thrown. */
  ask<T>(job: string, params: unknown): Promise<T> {
    clearTimeout(this.#idle);
    return new Promise<T>((resolve, reject) => {
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve, reject });
      const worker = (this.#worker ??= this.#start());
      worker.postMessage({ id, job, params } satisfies Asked);
    });
  }

  #start(): Worker {
    // Parsing 20 MB makes many short-lived objects: with a small young generation, a third of the time goes into garbage collection.
    const resourceLimits = { maxYoungGenerationSizeMb: 192 };
    const worker = new Worker(this.script, { stdout: true, stderr: true, resourceLimits });
    worker.unref();
    const failed = (error: Error): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const { reject } of waiting) reject(error);
    };
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.once('error', failed).once('exit', () => failed(new Error('the reader of the model ended early')));
    return worker;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.#end(), this.lifetime).unref();
    if ('result' in answer) return waiting?.resolve(answer.result as never);
    const { message, user } = answer.error;
    waiting?.reject(user ? new UserError(user.code, message, user.details) : new Error(message));
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}

type Job = (params: never) => Promise<unknown>;

/** The thread's side: does what is asked, in order. */
export function serveJobs(jobs: Readonly<Record<string, Job>>): void {
  let last: Promise<void> = Promise.resolve();
  const answer = async ({ id, job, params }: Asked): Promise<Answer> => {
    try {
      return { id, result: await jobs[job]!(params as never) };
    } catch (error) {
      const { message } = error as Error;
      return { id, error: { message, ...(error instanceof UserError && { user: { code: error.code, details: error.details } }) } }; // prettier-ignore
    }
  };
  parentPort!.on('message', (asked: Asked) => {
    last = last.then(async () => parentPort!.postMessage(await answer(asked)));
  });
}
