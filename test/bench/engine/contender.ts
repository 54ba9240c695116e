/** A contender: a process that trains a problem on request, and is stopped while another one runs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A request, one JSON line on stdin; the answer is one line on stdout. */
export type Command =
  | { readonly cmd: 'losses'; readonly steps: number }
  | { readonly cmd: 'time'; readonly steps: number }
  | { readonly cmd: 'peak' };

/** The first line that a contender reads, as JSON. */
export interface Task {
  /** Samples of a step. */
  readonly batch: number;
}

export interface ContenderSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
}

export class Contender {
  readonly rates: number[] = [];
  /** Samples per second of processor time, all threads together: what other programs on the machine change least. */
  readonly cpuRates: number[] = [];
  /** Its own words about versions and device. */
  about = '';
  private readonly answers: AsyncIterator<string>;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    this.answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** @throws Error with the process's last words, when it cannot take the problem. */
  static async start({ name, command, env = {} }: ContenderSpec, problem: Task): Promise<Contender> {
    const [file, ...args] = command;
    const child = spawn(file!, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdin.on('error', () => {});
    const contender = new Contender(name, child);
    const failed = new Promise<never>((_, reject) => {
      child.on('error', reject);
      child.on('exit', () =>
        reject(new Error(/^\w*Error: .*/m.exec(errors)?.[0] ?? (errors.trim().split('\n').at(-1) || 'it ended'))),
      );
    });
    failed.catch(() => {});
    child.stdin.write(`${JSON.stringify(problem)}\n`);
    const ready = await Promise.race([contender.answers.next(), failed]);
    if (ready.done) return failed;
    contender.about = (JSON.parse(ready.value) as { about: string }).about;
    child.kill('SIGSTOP');
    return contender;
  }

  async ask<T>(command: Command): Promise<T> {
    this.child.kill('SIGCONT');
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`${this.name} ended`);
    this.child.kill('SIGSTOP');
    return JSON.parse(value) as T;
  }

  /** Samples per second over `steps` steps. */
  async rate({ batch }: Task, steps: number): Promise<number> {
    const { seconds, cpuSeconds } = await this.ask<{ seconds: number; cpuSeconds: number }>({ cmd: 'time', steps });
    this.cpuRates.push((steps * batch) / cpuSeconds);
    return (steps * batch) / seconds;
  }

  end(): void {
    this.child.kill('SIGCONT');
    this.child.kill('SIGKILL');
  }
}
