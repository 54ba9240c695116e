/**
 * One run, two resumes of the real command at once: one of them in a namespace of process ids of its own, as in a container beside its host. Needs
 * `npm run build`, and the right to make namespaces. LC_PRUNE_NAMESPACES: rounds (default 2); `npm run test:namespaces` does ten.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFile, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';

const ROUNDS = Number(process.env['LC_PRUNE_NAMESPACES'] ?? 2);
const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;
const canUnshare =
  process.platform === 'linux' &&
  spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
if (!canUnshare) console.log('skipped: namespaces of process ids cannot be made here');

class Resumed {
  output = '';
  readonly ended: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    readonly isApart: boolean,
  ) {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = new Promise((done) => child.on('close', (code) => done(code)));
  }

  static start(args: readonly string[], cwd: string, isApart: boolean): Resumed {
    const command = [...(isApart ? UNSHARE : []), process.execPath, resolve('dist', 'cli.mjs'), ...args];
    return new Resumed(spawn(command[0]!, command.slice(1), { cwd }), isApart);
  }

  get isTraining(): boolean {
    return /"event":"iteration"/.test(this.output);
  }

  get isRefused(): boolean {
    return /is working on this run|is being worked on by|is taking over this run/.test(this.output);
  }

  /** Ctrl-C, or the end of its machine. */
  async signal(name: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const { pid } = this.child;
    const inside = this.isApart && name === 'SIGINT';
    const target = inside ? Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')) : pid!;
    process.kill(target, name);
  }
}

const until = async (what: string, check: () => boolean, outputs: () => string) => {
  for (const end = Date.now() + 60_000; !check(); await wait(20))
    if (Date.now() > end) throw new Error(`no ${what} within a minute:\n${outputs()}`);
};

describe.runIf(canUnshare)('a run that two processes want to continue, one in a container', () => {
  let ws: TinyWorkspace;
  let run: string;
  const json = (name: string) => ['resume', name, '--json'];
  beforeAll(async () => {
    const schedule = { ...TINY_PLAN.schedule, iterations: 60, epochs: 400, tolerance: 0 };
    ws = await tinyWorkspace({ ...TINY_PLAN, schedule });
    const first = Resumed.start(['run', 'tiny.prune.json', '--json'], ws.folder, false);
    await until(
      'iteration',
      () => first.isTraining,
      () => first.output,
    );
    await first.signal('SIGINT');
    expect(await first.ended).toBe(130);
    run = /lc-prune resume (\S+?)[\s"]/.exec(first.output)![1]!;
  }, 90_000);
  afterAll(() => ws.remove());
  const lock = () => join(ws.folder, run, 'lock');

  it(`is continued by exactly one, ${ROUNDS} times`, { timeout: ROUNDS * 60_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const both = [false, true].map((isApart) => Resumed.start(json(run), ws.folder, isApart));
      const outputs = () => both.map(({ output }) => output).join('\n----\n');
      await until(
        'winner and refusal',
        () => both.some((one) => one.isTraining) && both.some((one) => one.isRefused),
        outputs,
      );
      // Time for a second winner to show itself.
      await wait(500);
      expect(
        both.filter((one) => one.isTraining),
        outputs(),
      ).toHaveLength(1);
      const winner = both.find((one) => one.isTraining)!;
      expect(winner.isRefused, outputs()).toBe(false);
      await winner.signal('SIGINT');
      expect(await winner.ended, outputs()).toBe(130);
      expect(await both.find((one) => one !== winner)!.ended).not.toBe(0);
    }
    const log = await readFile(join(ws.folder, run, 'events.jsonl'), 'utf8');
    const events = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; iteration?: number });
    const numbers = events.filter(({ event }) => event === 'iteration').map(({ iteration }) => iteration!);
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  it(
    'is taken over from a container that ended with its machine, and the log says so',
    { timeout: 120_000 },
    async () => {
      const apart = Resumed.start(json(run), ws.folder, true);
      await until(
        'iteration',
        () => apart.isTraining,
        () => apart.output,
      );
      await apart.signal('SIGKILL');
      await apart.ended;
      const here = Resumed.start(json(run), ws.folder, false);
      await here.ended;
      // It may still live.
      expect(here.isRefused, here.output).toBe(true);
      const old = new Date(Date.now() - 90_000);
      await utimes(lock(), old, old);
      const later = Resumed.start(json(run), ws.folder, false);
      await until(
        'iteration',
        () => later.isTraining,
        () => later.output,
      );
      expect(later.output).toMatch(/"taken-over".*in another container of .* has given no sign of life/);
      await later.signal('SIGINT');
      expect(await later.ended).toBe(130);
    },
  );
});
