/** "Resume On...": a run asks the daemon, a sweep goes on by the command line. */
import { beforeEach, expect, test, vi } from 'vitest';
import { issueText } from '../../../daemon/protocol/issueText.js';
import { RunOn } from '../../../daemon/protocol/runs/runOn.js';
import { onOption, resumeOnCommand } from '../../../extension/commands/resumeOn.js';
import { window, workspace } from './vscode.js';

// The bundle that talks to the daemon needs an editor; these are its parts.
vi.mock('../../../extension/client.js', () => ({ issueText, RunOn }));

const BOX = { command: 'ssh box {cmd}' };
const RUN = { run: '/w/.lcprune/runs/a', name: 'a', plan: 'a', started: 1 };
let offered: { id: string }[] = [];
let answer = '';
beforeEach(() => {
  Object.assign(workspace, { getConfiguration: () => ({ get: () => ({ box: BOX }) }) });
  Object.assign(window, {
    showQuickPick: async (items: typeof offered) => {
      offered = items;
      return items.find(({ id }) => id === answer);
    },
  });
});

function command() {
  const request = vi.fn(async (method: string, _params: unknown) => (method === 'lc/plan' ? { plan: { runOn: { slurm: {} } } } : null)); // prettier-ignore
  const services = {
    context: { workspaceState: { get: () => undefined, update: async () => {} } },
    daemon: { request },
    sweeps: { load: async () => {} },
    monitor: { whileAsked: (_run: unknown, _text: string, asked: Promise<unknown>) => asked },
  } as never;
  return { request, run: resumeOnCommand(services)['lcPrune.resumeOn'].run };
}

test('a run is resumed in the place that was chosen, among those of its own plan and of the settings', async () => {
  const { request, run } = command();
  answer = 'setting box';
  await run({ summary: RUN } as never, []);
  expect(offered.map(({ id }) => id)).toEqual(['local', 'plan', 'setting box', '']);
  expect(request.mock.calls.at(-1)).toEqual(['lc/resume', { run: RUN.run, runOn: BOX }]);
});

test('nothing is resumed without an answer', async () => {
  const { request, run } = command();
  answer = 'none';
  await run({ summary: RUN } as never, []);
  expect(request.mock.calls.map(([method]) => method)).toEqual(['lc/plan']);
});

test.each([
  ['local', ['--on', 'local']],
  [{ slurm: { partition: 'short' } }, ['--on', '{"slurm":{"partition":"short"}}']],
] as const)('the command line gets %j', (place, args) => {
  expect(onOption(place)).toEqual(args);
});
