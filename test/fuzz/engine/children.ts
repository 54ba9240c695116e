/** Child processes that compute networks. A crash or a hang is the verdict of its network. */
import { Child } from '../children.js';
import type { Task } from './worker.js';
import type { Verdict } from './verdict.js';

const seedOf = (task: Task): number => (typeof task === 'number' ? task : task.seed);

export class Networks {
  readonly #child: Child<Task, Verdict>;

  /** @param script the bundle, which serves when called with `--child`. */
  constructor(script: string) {
    this.#child = new Child({ script, nameOf: (task) => String(seedOf(task)), tasksEach: 500 });
  }

  /** Never rejects for what the network does. */
  async compute(task: Task): Promise<Verdict> {
    const answer = await this.#child.compute(task);
    if ('result' in answer) return answer.result;
    const { what, milliseconds } = answer.death;
    return { seed: seedOf(task), kind: 'crash', what, refusals: [], notes: [], milliseconds };
  }

  close(): void {
    this.#child.close();
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
    const child = new Networks(script);
    try {
      for (let next = tasks.next(); !next.done; next = tasks.next()) report(await child.compute(next.value));
    } finally {
      child.close();
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}
