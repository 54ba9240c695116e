/** "Run On...": which places are offered, in which order, and what is remembered. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { issueText } from '../../../daemon/protocol/issueText.js';
import { RunOn } from '../../../daemon/protocol/runs/runOn.js';
import { askPlace, placesOf, type ReadRunOn } from '../../../extension/commands/askPlace.js';
import { commands, window, workspace } from './vscode.js';

// The bundle that talks to the daemon needs an editor; these are its parts.
vi.mock('../../../extension/client.js', () => ({ issueText, RunOn }));

const read: ReadRunOn = (value) => {
  const found = RunOn.safeParse(value);
  return found.success ? { runOn: found.data } : { problem: issueText(found.error, value) };
};
const QUEUE = { slurm: { partition: 'short', gpus: 1, setup: ['module load nodejs'] } };
const BOX = { command: 'ssh box {cmd}' };

describe('the places of a plan', () => {
  test('are this machine, that of the plan, and those of the settings', () => {
    const places = placesOf(QUEUE, { 'big box': BOX, queue: 'slurm' }, read);
    expect(places.map(({ label, description, runOn }) => [label, description, runOn])).toEqual([
      ['This machine', '', 'local'],
      ['As the plan says', 'slurm: partition short, gpus 1', QUEUE],
      ['big box', 'ssh box {cmd}', BOX],
      ['queue', 'slurm', 'slurm'],
    ]);
  });

  test('a plan for this machine adds none', () => {
    for (const planned of [undefined, 'local']) expect(placesOf(planned, {}, read)).toHaveLength(1);
  });

  test('begin with the one of the last time, if it is still there', () => {
    expect(placesOf(QUEUE, { box: BOX }, read, 'setting box').map(({ id }) => id)).toEqual(['setting box', 'local', 'plan']); // prettier-ignore
    expect(placesOf(QUEUE, {}, read, 'setting box').map(({ id }) => id)).toEqual(['local', 'plan']);
  });

  test('one that is wrong says so, and cannot be taken', () => {
    const [, wrong] = placesOf(undefined, { box: { command: 'ssh box' } }, read);
    expect(wrong).toMatchObject({ label: 'box', runOn: undefined });
    expect(wrong!.problem).toMatch(/command/);
  });
});

describe('the question', () => {
  const memory = new Map<string, unknown>();
  const services = { context: { workspaceState: { get: (key: string) => memory.get(key), update: (key: string, value: unknown) => void memory.set(key, value) } } } as never; // prettier-ignore
  const PLAN = '/work/net.prune.json' as never;
  let offered: { id: string; label: string; description: string }[] = [];
  let answer = '';

  beforeEach(() => {
    memory.clear();
    Object.assign(workspace, {
      getConfiguration: () => ({ get: () => ({ box: BOX }) }),
      openTextDocument: async () => ({ getText: () => '{ "model": "net.onnx", // a comment\n "runOn": "slurm" }' }),
    });
    Object.assign(window, {
      showQuickPick: async (items: typeof offered) => {
        offered = items;
        return items.find(({ id }) => id === answer);
      },
    });
  });

  test('answers with what runs there, and remembers it for this plan alone', async () => {
    answer = 'setting box';
    expect(await askPlace(services, PLAN)).toEqual(BOX);
    expect(offered.map(({ id }) => id)).toEqual(['local', 'plan', 'setting box', '']);
    answer = 'plan';
    expect(await askPlace(services, PLAN)).toBe('slurm');
    expect(offered[0]).toMatchObject({ id: 'setting box', description: 'ssh box {cmd} · last time' });
    await askPlace(services, '/work/other.prune.json' as never);
    expect(offered[0]).toMatchObject({ id: 'local' });
  });

  test('leads to the settings for another place', async () => {
    const run = vi.spyOn(commands, 'executeCommand');
    answer = '';
    expect(await askPlace(services, PLAN)).toBeUndefined();
    expect(run).toHaveBeenCalledWith('workbench.action.openSettings', '@id:lcPrune.places');
    expect(memory.size).toBe(0);
  });
});
