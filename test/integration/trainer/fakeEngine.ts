/**
 * The product over a fake engine: the daemon, the trainer, and a process that supervises a run as the command line does.
 * Built once for a test file; each test has a workspace of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { PLAN } from '../../unit/trainer/fakeRun.js';
import { temporaryFolder } from '../server/harness.js';
import { bundleTrainer, type Bundle } from './bundle.js';

/** A plan that trains all iterations, even if the weights meet the budget early. */
export const WHOLE_PLAN = { ...PLAN, schedule: { ...PLAN.schedule, tolerance: 0 } };

/** A run under a separate process. */
export interface Supervised {
  readonly owner: ChildProcess;
  /** Process id of the trainer. */
  readonly pid: number;
  readonly run: string;
  readonly folder: string;
}

export class FakeEngine {
  workspace = '';
  #serial = 0;
  readonly #owners: ChildProcess[] = [];

  private constructor(
    /** The daemon's script. */
    readonly script: string,
    readonly trainer: Bundle,
    readonly supervisor: Bundle,
    readonly scratch: { readonly path: string; remove(): Promise<void> },
  ) {}

  static async build(): Promise<FakeEngine> {
    const scratch = await temporaryFolder();
    const script = await bundle('test/fixtures/daemon/fakeDaemon.ts', join(scratch.path, 'dist'));
    const trainer = await bundleTrainer('test/integration/trainer/fakeTrainer.ts');
    const supervisor = await bundleTrainer('test/integration/trainer/supervise.ts');
    return new FakeEngine(script, trainer, supervisor, scratch);
  }

  /** Before each test. */
  async openWorkspace(): Promise<void> {
    this.workspace = join(this.scratch.path, `workspace${this.#serial++}`);
    await mkdir(this.workspace);
  }

  /** Starts (or with `run` resumes) a run under a separate process; resolves when it trains. @param env behaviour of the trainer. */
  async elsewhere({ run = '', env = {} }: { run?: string; env?: Record<string, string> } = {}): Promise<Supervised> {
    const plan = join(this.workspace, 'plan.json');
    await writeFile(plan, JSON.stringify(WHOLE_PLAN));
    const args = [this.supervisor.path, plan, this.workspace, this.trainer.path, ...(run ? [run] : [])];
    const owner = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.endWithTest(owner);
    const [line] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
    const runs = join(this.workspace, '.lcprune', 'runs');
    const [name] = run ? [run] : await readdir(runs);
    return { owner, pid: Number(line), run: name!, folder: join(runs, name!) };
  }

  /** Has a process killed after the test. */
  endWithTest(owner: ChildProcess): void {
    this.#owners.push(owner);
  }

  /** Ends what a test has started. */
  killOwners(): void {
    for (const owner of this.#owners.splice(0)) owner.kill('SIGKILL');
  }

  async remove(): Promise<void> {
    await Promise.all([this.trainer.remove(), this.supervisor.remove(), this.scratch.remove()]);
  }
}
