/** Child processes that compute networks. If one dies or hangs, that is the verdict of its network, and a new one starts. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Report, Task } from './worker.js';
import type { Verdict } from './verdict.js';

const timeoutMs = 60_000;
/** A child is replaced after so many networks: what leaks does not add up, and a crash has few networks before it. */
const networksEach = 500;

const seedOf = (task: Task): number => (typeof task === 'number' ? task : task.seed);

export class Child {
  #process: ChildProcess | undefined;
  #done = 0;
  /** Networks that the current process computed before. */
  #before: number[] = [];

  /** @param script the bundle, which serves when called with `--child`. */
  constructor(private readonly script: string) {}

  /** Never rejects for what the network does. */
  async compute(task: Task): Promise<Verdict> {
    const verdict = await this.#attempt(task);
    if (verdict !== null) return verdict;
    const before = this.#before;
    const crash = this.#crash;
    this.#before = [];
    // Alone: memory may have been spoilt by a network before this one.
    const again = before.length > 0 ? await this.#attempt(task) : null;
    const what = again === null ? crash.what : `${crash.what}; not when alone, after ${before.slice(-3).join(', ')}`;
    this.#before = [];
    return { seed: seedOf(task), kind: 'crash', what, refusals: [], notes: [], milliseconds: crash.milliseconds };
  }

  #crash = { what: '', milliseconds: 0 };

  /** @returns null if the process died; `#crash` then has the reason. */
  #attempt(task: Task): Promise<Verdict | null> {
    if (this.#done++ % networksEach === 0) this.close();
    const child = (this.#process ??= fork(this.script, ['--child'], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' })); // prettier-ignore
    const begun = performance.now();
    let stage = 'start';
    return new Promise((resolve) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, timeoutMs);
      const finish = (verdict: Verdict | null) => {
        clearTimeout(timer);
        child.removeAllListeners();
        if (verdict) this.#before.push(seedOf(task));
        resolve(verdict);
      };
      child.on('message', (report: Report) => {
        if ('stage' in report) ({ stage } = report);
        else finish(report.verdict);
      });
      child.on('exit', (code, signal) => {
        this.#process = undefined;
        const how = late ? `no answer within ${timeoutMs / 1000} s` : (signal ?? `exit ${code}`);
        this.#crash = { what: `${how} at "${stage}"`, milliseconds: Math.round(performance.now() - begun) };
        finish(null);
      });
      child.send(task);
    });
  }

  close(): void {
    this.#before = [];
    this.#process?.removeAllListeners();
    this.#process?.disconnect();
    this.#process = undefined;
  }
}

/** Computes tasks on several children at once. @param tasks drawn from as they go. @param report called for each verdict. */
export async function computeAll(
  script: string,
  jobs: number,
  tasks: Iterator<Task>,
  report: (verdict: Verdict) => void,
): Promise<void> {
  const work = async () => {
    const child = new Child(script);
    try {
      for (let next = tasks.next(); !next.done; next = tasks.next()) report(await child.compute(next.value));
    } finally {
      child.close();
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}
