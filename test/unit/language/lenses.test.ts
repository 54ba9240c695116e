import { describe, expect, it } from 'vitest';
import { commandArguments, type CommandId } from '../../../daemon/protocol/commands.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { AbsolutePath, WorkspacePath } from '../../../daemon/protocol/paths.js';
import { explainLayer } from '../../../daemon/language/hover.js';
import { layerAt, type ModelFile } from '../../../daemon/language/modelFiles.js';
import { modelLenses } from '../../../daemon/language/modelLens.js';
import { planLenses } from '../../../daemon/language/planLens.js';
import { LineIndex } from '../../../daemon/language/text.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { locateLayers } from '../../../daemon/model/files/detect.js';
import { summarizeLayers } from '../../../daemon/model/layers/summarizeLayers.js';

const { topology } = buildArchitecture('lenet300', 0);
const layers = summarizeLayers({ topology });
const [fc1] = layers.filter((layer) => layer.prunable > 0);

function fileOf(text: string): ModelFile {
  const lines = new LineIndex(text);
  const places = locateLayers(text).map(({ name, offset, length }) => [name, lines.range(offset, length)] as const);
  return { path: '/w/model.json', layers, places: new Map(places) };
}
const MODEL = AbsolutePath.parse('/w/model.json');
const PLAN = AbsolutePath.parse('/w/a.prune.json');
const pretty = JSON.stringify({ modelTopology: topology }, null, 2);
const titles = (lenses: readonly { command?: { title: string } }[]) => lenses.map((lens) => lens.command!.title);

const summary = (state: RunSummary['state'], more: Partial<RunSummary> = {}): RunSummary => ({
  run: 'r1', workspace: AbsolutePath.parse('/w'), folder: AbsolutePath.parse('/w/.lcprune/runs/r1'), plan: 'a', planPath: WorkspacePath.parse('a.prune.json'), model: 'model.json', modelPath: WorkspacePath.parse('model.json'), method: 'lc', engine: 'e',
  state, started: 1, ended: 2, iteration: 12, iterations: 40, progress: 0.437, error: 0.0213, referenceError: 0.0195, kept: 2662,
  prunable: 266200, etaSeconds: null, samplesPerSecond: null, message: null, ...more,
}); // prettier-ignore

describe('modelLenses', () => {
  it('describes the model at the top, and each layer at its place', () => {
    const lenses = modelLenses(fileOf(pretty), MODEL, 1331, [{ layer: fc1!.name, weights: 235_200, kept: 1000 }]);
    const top = titles(lenses.filter(({ range }) => range.start.line === 0));
    expect(top[0]).toBe('266,610 weights (266,200 prunable), 1.02 MB, 532k FLOPs, 0.5% zeros');
    expect(top.slice(1).join()).toMatch(/Prune to budget.*Inspect/);
    const lines = pretty.split('\n');
    for (const layer of layers) {
      const own = lenses.filter(({ command }) => (command!.arguments![0] as { layer?: string }).layer === layer.name);
      expect(own.map(({ command }) => command!.title)).toEqual(layer.prunable > 0 ? ['Set budget...', 'Exclude'] : []);
      for (const { range } of own) expect(lines[range.start.line]!.trim()).toBe('{');
    }
    const text = titles(lenses).find((title) => title.includes('235,200'));
    expect(text).toBe('Dense [300], 235,200 weights, 88.35% of all, 0.43% kept');
  });

  it('shows only known facts', () => {
    const text = titles(modelLenses(fileOf(pretty), MODEL, null, null)).join('\n');
    expect(text).not.toContain('zeros');
    expect(text).not.toContain('kept');
  });

  it('keeps to the top of a file without line breaks', () => {
    const lenses = modelLenses(fileOf(JSON.stringify({ modelTopology: topology })), MODEL, null, null);
    expect(lenses).toHaveLength(3);
  });

  it('names commands with arguments of their contract', () => {
    const all = [
      ...modelLenses(fileOf(pretty), MODEL, 0, null),
      ...planLenses(PLAN, [summary('done'), summary('done')]),
    ];
    expect(new Set(all.map(({ command }) => command!.command)).size).toBeGreaterThanOrEqual(7);
    for (const { command } of all) {
      const [argument, ...rest] = command!.arguments!;
      expect(rest).toEqual([]);
      expect(() => commandArguments[command!.command as CommandId].parse(argument)).not.toThrow();
    }
  });
});

describe('planLenses', () => {
  it('offers to run, preview and watch a plan that has not run', () => {
    expect(titles(planLenses(PLAN, [])).join()).toMatch(/Run,.*Preview budget,.*Open monitor/);
  });

  it.each<[Partial<RunSummary> & { state: RunSummary['state'] }, RegExp]>([
    [{ state: 'done' }, /Last run: error 2.13% \(reference 1.95%\), 2,662 kept \(1%\)/],
    [{ state: 'running' }, /Running$/],
    [{ state: 'failed', message: 'the trainer was ended by SIGKILL' }, /failed: the trainer was ended/],
    [{ state: 'interrupted' }, /interrupted at 43%/],
  ])('describes the last run: %j', (run, text) => {
    const lenses = planLenses(PLAN, [summary(run.state, run)]);
    const last = lenses.find(({ command }) => text.test(command!.title));
    expect(last?.command!.arguments).toEqual([{ run: '/w/.lcprune/runs/r1' }]);
  });
});

describe('layerAt and explainLayer', () => {
  it('finds the layer under the cursor and shows its arithmetic', () => {
    const file = fileOf(pretty);
    const line = pretty.split('\n').findIndex((text) => text.includes(`"name": "${fc1!.name}"`));
    expect(layerAt(file, { line, character: 20 })).toBe(fc1!.name);
    expect(layerAt(file, { line: 0, character: 0 })).toBeNull();
    const text = explainLayer(fc1!, 266_200, { layer: fc1!.name, weights: 235_200, kept: 1000 });
    expect(text).toContain('784 x 300 + 300 = 235,500');
    expect(text).toContain('235,200 x 2 = 470k');
    expect(text).toContain('1,000 of 235,200 kept (0.43%)');
  });
});
