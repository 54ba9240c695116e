/** The windows of one test on one workspace, over the fake engine (everything else is the product's); nothing outlives the test. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { FakeEngine, WHOLE_PLAN } from '../trainer/fakeEngine.js';
import { Window } from './window.js';

const plan = { ...WHOLE_PLAN, engine: 'fake' };

export class Windows {
  planPath = '';
  readonly #open: Window[] = [];

  #engine: FakeEngine | undefined;

  /** Builds the fakes before the tests of a file; each test has its own workspace, and leaves no window or trainer behind. */
  static prepare(): Windows {
    const windows = new Windows();
    beforeAll(async () => {
      windows.#engine = await FakeEngine.build();
    });
    beforeEach(() => windows.#openWorkspace());
    afterEach(() => windows.#closeAll());
    afterAll(() => windows.#engine?.remove());
    return windows;
  }

  get engine(): FakeEngine {
    return this.#engine!;
  }

  /** A new workspace with a plan. */
  async #openWorkspace(): Promise<void> {
    await this.engine.openWorkspace();
    this.planPath = join(this.engine.workspace, 'fake.prune.json');
    await writeFile(this.planPath, '{}');
  }

  /** Opens a window that takes over what is left. */
  async open({ keepTraining = true, stepMs = 3, loadMs = 0 } = {}): Promise<Window> {
    const { script, trainer, workspace } = this.engine;
    const env = {
      FAKE_TRAINER: trainer.path,
      FAKE_PLAN: JSON.stringify(plan),
      FAKE_STEP_MS: String(stepMs),
      FAKE_LOAD_MS: String(loadMs),
      FAKE_CHECKPOINT_MS: '1000',
    };
    const window = await Window.open({ script, workspace, keepTraining, env });
    this.#open.push(window);
    return window;
  }

  /** Starts a run of the plan in a window. @returns its name. */
  async start(window: Window, compare?: 'magnitude'[]): Promise<string> {
    const params = { planPath: this.planPath, engine: 'fake', ...(compare && { compare }) };
    return (await window.client.ask('lc/start', params)).run;
  }

  /** Closes the windows and ends their trainers. */
  async #closeAll(): Promise<void> {
    for (const window of this.#open.splice(0)) {
      if (window.daemon.alive) window.client.notify('lc/keepTraining', { on: false });
      for (const { run } of window.daemon.alive ? await window.client.ask('lc/runs', null) : []) {
        const pid = await window.trainerOf(run);
        if (pid !== null) process.kill(pid, 'SIGKILL');
      }
      await window.close();
      expect(window.daemon.stderr).not.toMatch(/uncaught|unhandled/i);
    }
    this.engine.killOwners();
  }
}

/** As `expect.poll`, with a time limit for a busy machine. */
export const soon = <T>(what: () => T, timeout = 15_000) => expect.poll(what, { timeout });
