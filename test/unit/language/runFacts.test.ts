import { describe, expect, it } from 'vitest';
import { RunFacts } from '../../../daemon/language/runFacts.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { AbsolutePath, WorkspacePath } from '../../../daemon/protocol/paths.js';

const run = (name: string, more: Partial<RunSummary>): RunSummary => ({
  run: name, workspace: AbsolutePath.parse('/w'), folder: AbsolutePath.parse(`/w/.lcprune/runs/${name}`), plan: 'a', planPath: WorkspacePath.parse('net/a.prune.json'), model: 'net/model.json', modelPath: WorkspacePath.parse('net/model.json'), method: 'lc', engine: 'e',
  state: 'done', started: 1, ended: 2, iteration: 4, iterations: 4, progress: 1, error: 0.02, referenceError: 0.02, kept: 10, prunable: 100,
  etaSeconds: null, samplesPerSecond: null, message: null, ...more,
}); // prettier-ignore

function factsOf(runs: RunSummary[]) {
  const asked: string[] = [];
  const lists: string[] = [];
  const facts = new RunFacts({
    listRuns: (folder) => {
      lists.push(folder);
      return folder === '/broken' ? Promise.reject(new Error('disk')) : Promise.resolve(runs);
    },
    lastPerLayer: (folder) => {
      asked.push(folder);
      return Promise.resolve([{ layer: 'fc1', weights: 100, kept: 10 }]);
    },
    log: () => undefined,
  });
  return { facts, asked, lists };
}

describe('RunFacts', () => {
  it('gives a plan its runs, a model the layers of its latest run that has kept anything', async () => {
    const { facts, asked } = factsOf([
      run('new', { kept: null, state: 'running' }),
      run('of-another', {
        modelPath: WorkspacePath.parse('net/other.json'),
        planPath: WorkspacePath.parse('net/b.prune.json'),
      }),
      run('latest', {}),
      run('older', {}),
    ]);
    expect((await facts.ofPlan('/w', '/w/net/a.prune.json')).map((each) => each.run)).toEqual([
      'new',
      'latest',
      'older',
    ]);
    expect(await facts.keptOf('/w', '/w/net/model.json')).toEqual([{ layer: 'fc1', weights: 100, kept: 10 }]);
    expect(asked).toEqual(['/w/.lcprune/runs/latest']);
    await facts.keptOf('/w', '/w/net/model.json');
    expect(asked).toHaveLength(1);
    expect(await facts.keptOf('/w', '/w/net/unpruned.json')).toBeNull();
  });

  it('requests the list again when it has changed, and has none for a folder that cannot be read', async () => {
    const { facts, lists } = factsOf([run('r', {})]);
    await facts.ofPlan('/w', '/w/x');
    await facts.keptOf('/w', '/w/x');
    expect(lists).toEqual(['/w']);
    facts.forget('/w');
    await facts.ofPlan('/w', '/w/x');
    expect(lists).toEqual(['/w', '/w']);
    expect(await facts.ofPlan('/broken', '/broken/x')).toEqual([]);
  });
});
