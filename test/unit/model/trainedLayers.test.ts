import { describe, expect, it } from 'vitest';
import type { LayerSummary, LayersModel } from '../../../daemon/model/model.js';
import { summarizeLayers } from '../../../daemon/model/layers/summarizeLayers.js';
import {
  AS_IN_FILE,
  asideNote,
  byFile,
  frozenNote,
  isWhollyFrozen,
  outputsAlong,
  prunableWeightsOf,
  sharingOutputs,
  trainedLayers,
  withTrainedLayers,
} from '../../../daemon/model/layers/trainedLayers.js';
import { outputIndex } from '../../../daemon/model/setup/compiledLoss.js';
import { parsePlan } from '../../../daemon/plan/parsePlan.js';
import { planText } from '../../../daemon/plan/planText.js';
import { PlanMeaningError, resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Plan } from '../../../daemon/protocol/plan.js';

const at = (class_name: string, name: string, config: object, ...calls: (readonly string[])[]) => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes: calls.map((from) => from.map((ref) => {
    const [layer, node = '0', tensor = '0'] = ref.split(':');
    return [layer, Number(node), Number(tensor), {}];
  })),
}); // prettier-ignore
const input = (name: string, size: number) => at('InputLayer', name, { batch_input_shape: [null, size] });
const dense = (name: string, ...calls: (readonly string[])[]) => at('Dense', name, { units: 4, activation: 'relu' }, ...calls); // prettier-ignore
const ends = (list: readonly string[]) => list.map((ref) => {
  const [layer, node = '0', tensor = '0'] = ref.split(':');
  return [layer, Number(node), Number(tensor)];
}); // prettier-ignore
const model = (layers: object[], inputs: readonly string[], outputs: readonly string[], more = {}): LayersModel => ({
  kind: 'layers', format: 'keras-h5',
  path: 'm',
  topology: { class_name: 'Functional', config: { name: 'm', layers, input_layers: ends(inputs), output_layers: ends(outputs), ...more } },
  weights: [],
  notes: [],
}); // prettier-ignore

const trained = (layers: readonly LayerSummary[]) => layers.filter((layer) => prunableWeightsOf(layer) > 0).map(({ name }) => name); // prettier-ignore
const behind = (of: LayersModel, output: string | null, unfreeze: readonly string[] = []) =>
  trained(trainedLayers(summarizeLayers(of), { output, unfreeze }));

describe('what an output depends on', () => {
  it('is the trunk and its own head, not the other', () => {
    const two = model([input('in', 4), dense('trunk', ['in']), dense('cls', ['trunk']), dense('reg', ['trunk'])], ['in'], ['cls', 'reg']);
    expect(behind(two, 'cls')).toEqual(['trunk', 'cls']);
    expect(behind(two, 'reg')).toEqual(['trunk', 'reg']);
    expect(behind(two, null)).toEqual(['trunk', 'reg']);
    expect(asideNote(summarizeLayers(two), { output: 'cls', unfreeze: [] })).toMatch(/"cls", which is trained, does not depend on reg:/);
    expect(asideNote(summarizeLayers(two), AS_IN_FILE)).toMatch(/"reg", which is trained, does not depend on cls:/);
  }); // prettier-ignore

  it('is that of every output that is trained', () => {
    const chain = model(
      [input('in', 4), dense('a', ['in']), dense('b', ['in']), dense('one', ['a']), dense('two', ['a', 'b']), dense('three', ['b']), dense('apart', ['in'])],
      ['in'],
      ['one', 'two', 'three', 'apart'],
    );
    const layers = summarizeLayers(chain);
    const own = { output: 'one', unfreeze: [] };
    // "three" shares layers with "two" only, "apart" with no output.
    expect(outputsAlong(layers, own, ['three', 'two', 'apart'])).toEqual(['two', 'three']);
    expect(outputsAlong(layers, own, ['three', 'apart'])).toEqual([]);
    expect(trained(trainedLayers(layers, { ...own, jointly: ['two', 'three'] }))).toEqual(['a', 'b', 'one', 'two', 'three']);
    expect(sharingOutputs(trainedLayers(layers, own), ['one'])).toEqual(['two']);
    const shown = asideNote(layers, { ...own, jointly: ['two'] });
    expect(shown).toBe('the outputs "one", "two", which are trained, do not depend on three, apart: neither trained nor pruned');
    const withLosses = (trainingConfig: Record<string, unknown>) => byFile(summarizeLayers({ ...chain, trainingConfig }), own).jointly;
    expect(withLosses({ loss: 'mse' })).toEqual(['two', 'three']);
    expect(withLosses({ loss: { one: 'mse', three: 'mse' } })).toBeUndefined();
    expect(withLosses({ loss: 'mse', loss_weights: { one: 1, two: 0, three: 1 } })).toBeUndefined();
    expect(byFile(layers, own)).toEqual(own);
    // Nothing that is trained is shared.
    const frozen = layers.map((layer) => (layer.name === 'a' ? { ...layer, weights: layer.weights.map((weight) => ({ ...weight, trainable: false })) } : layer));
    expect(outputsAlong(frozen, own, ['two', 'three'])).toEqual([]);
  }); // prettier-ignore

  it('takes the whole name before the last part of another', () => {
    expect(outputIndex(['head/o', 'o'], 'o')).toBe(1);
    expect(outputIndex(['o', 'head/p'], 'p')).toBe(1);
  });

  it('is an output in the middle of another one', () => {
    const deep = model([input('in', 4), dense('a', ['in']), dense('b', ['a']), dense('c', ['b'])], ['in'], ['a', 'c']);
    expect(behind(deep, 'a')).toEqual(['a']);
    expect(behind(deep, 'c')).toEqual(['a', 'b', 'c']);
  });

  it('goes call by call through shared layers', () => {
    // The shared layer is called on the left and on the right; the first output needs its first call alone.
    const shared = model(
      [input('in', 4), dense('left', ['in']), dense('right', ['in']), dense('both', ['left'], ['right'])],
      ['in'],
      ['both:0', 'both:1'],
    );
    const outputs = summarizeLayers(shared).find(({ name }) => name === 'right')!.outputs!;
    expect(outputs.map(({ depends }) => depends)).toEqual([false, true]);
  });

  it('goes through nested models, tensor by tensor, and through wrapped layers', () => {
    const inner = {
      ...at('Functional', 'inner', {
        layers: [input('x', 4), dense('one', ['x']), dense('other', ['x'])],
        input_layers: ends(['x']),
        output_layers: ends(['one', 'other']),
      }, ['stem']),
    }; // prettier-ignore
    const nested = model([input('in', 4), dense('stem', ['in']), inner, dense('p', ['inner:1:0']), dense('q', ['inner:1:1'])], ['in'], ['p', 'q']);
    expect(behind(nested, 'p')).toEqual(['stem', 'inner/one', 'p']);
    expect(behind(nested, 'q')).toEqual(['stem', 'inner/other', 'q']);
  }); // prettier-ignore
});

describe('what a file freezes', () => {
  const lstm = { class_name: 'LSTM', config: { name: 'cell', units: 2, trainable: false } };
  const base = {
    ...at('Functional', 'base', {
      trainable: false,
      layers: [input('x', 4), { ...dense('k', ['x']) }, at('BatchNormalization', 'bn', {}, ['k'])],
      input_layers: ends(['x']),
      output_layers: ends(['bn']),
    }, ['in']),
  }; // prettier-ignore
  const frozen = model(
    [input('in', 4), base, at('Reshape', 'r', { target_shape: [2, 2] }, ['base:1:0']), at('Bidirectional', 'bi', { layer: lstm, merge_mode: 'concat' }, ['r']), dense('top', ['bi'])],
    ['in'],
    ['top'],
  ); // prettier-ignore
  const layers = summarizeLayers(frozen);

  it('is all of a nested model, and what a wrapper wraps', () => {
    expect(layers.filter((layer) => layer.frozen).map(({ name }) => name)).toEqual(['base/k', 'base/bn', 'bi']);
    expect(behind(frozen, null)).toEqual(['top']);
    expect(frozenNote(layers)).toMatch(/^80 of 96 prunable weights are frozen .*: base\/k, bi; "unfreeze"/);
  });

  it('is trained if the plan unfreezes it, except moving averages', () => {
    expect(behind(frozen, null, ['base/k', 'bi'])).toEqual(['base/k', 'bi', 'top']);
    const all = trainedLayers(layers, { output: null, unfreeze: ['base/k', 'base/bn', 'bi'] });
    expect(all.find(({ name }) => name === 'base/bn')!.weights.map(({ trainable }) => trainable)).toEqual([true, true, false, false]);
    expect(frozenNote(layers, { output: null, unfreeze: ['base/k', 'base/bn', 'bi'] })).toBeNull();
  }); // prettier-ignore

  it('is a setting of each layer for the engine, and does not change the file', () => {
    const before = JSON.stringify(frozen.topology);
    const flags = (of: LayersModel) => {
      const found: Record<string, unknown> = {};
      JSON.stringify(of.topology, (_, value: unknown) => {
        const config = value as { name?: string; trainable?: boolean } | null;
        if (typeof config?.name === 'string' && 'trainable' in config) found[config.name] = config.trainable;
        return value;
      });
      return found;
    };
    const asFile = withTrainedLayers(frozen, trainedLayers(layers, AS_IN_FILE));
    expect(flags(asFile)).toMatchObject({ m: true, base: true, k: false, bn: false, bi: false, cell: false, top: true });
    const thawed = withTrainedLayers(frozen, trainedLayers(layers, { output: null, unfreeze: ['base/k', 'bi'] }));
    expect(flags(thawed)).toMatchObject({ base: true, k: true, bn: false, bi: true, cell: true, top: true });
    expect(JSON.stringify(frozen.topology)).toBe(before);
    const free = model([input('in', 4), dense('top', ['in'])], ['in'], ['top']);
    expect(withTrainedLayers(free, summarizeLayers(free))).toBe(free);
  }); // prettier-ignore
});

describe('a plan over what is frozen or aside', () => {
  const two = model(
    [input('in', 4), { ...dense('trunk', ['in']), config: { name: 'trunk', units: 4, trainable: false } }, dense('mid', ['trunk']), dense('cls', ['mid']), dense('reg', ['mid'])],
    ['in'],
    ['cls', 'reg'],
  ); // prettier-ignore
  const resolve = (more: Partial<Plan>) =>
    resolvePlan(
      { model: 'm', data: 'd', budget: { weights: 8 }, ...more } as Plan,
      { name: 'p', planPath: null, modelPath: WorkspacePath.parse('m'), dataPath: (path) => path, layers: summarizeLayers(two) },
    ); // prettier-ignore
  const problem = (more: Partial<Plan>): PlanMeaningError => {
    try {
      resolve(more);
    } catch (error) {
      if (error instanceof PlanMeaningError) return error;
      throw error;
    }
    throw new Error('the plan is taken');
  };

  it('covers what is trained, and what it unfreezes', () => {
    expect(resolve({ output: 'cls' }).tasks[0]!.layers).toEqual(['mid', 'cls']);
    expect(resolve({ output: 'reg', unfreeze: true })).toMatchObject({ unfreeze: ['trunk'], tasks: [{ layers: ['trunk', 'mid', 'reg'] }] }); // prettier-ignore
    expect(resolve({ unfreeze: ['tr*'] }).unfreeze).toEqual(['trunk']);
    expect(resolve({ unfreeze: false }).unfreeze).toEqual([]);
    // More than is trained cannot be kept: the budget is checked on what is left.
    expect(problem({ output: 'cls', budget: { weights: 33 } }).code).toBe('budget-impossible');
  });

  it('trains outputs together by the losses of the file, unless it measures them', () => {
    const layers = summarizeLayers({ ...two, trainingConfig: { loss: 'mse' } });
    const of = (more: Partial<Plan>) =>
      resolvePlan({ model: 'm', data: 'd', budget: { keep: 0.5 }, output: 'cls', unfreeze: true, ...more } as Plan, { name: 'p', planPath: null, modelPath: WorkspacePath.parse('m'), dataPath: (path) => path, layers });
    expect(of({})).toMatchObject({ output: 'cls', jointly: ['reg'], tasks: [{ layers: expect.arrayContaining(['cls', 'reg']) as unknown }] });
    expect(of({ otherOutputs: 'train' }).jointly).toEqual(['reg']);
    expect(of({ otherOutputs: 'measure' })).not.toHaveProperty('jointly');
    expect(of({ otherOutputs: 'measure' }).tasks[0]!.layers).not.toContain('reg');
    expect(parsePlan(JSON.stringify({ model: 'm', data: 'd', budget: { keep: 0.5 }, otherOutputs: 'drop' })).problems).not.toEqual([]);
  }); // prettier-ignore

  it('gives the reason why a layer that it names is not pruned', () => {
    const tasks = (layers: string) => ({ budget: undefined, tasks: [{ layers, budget: { weights: 1 } }] }) as Partial<Plan>; // prettier-ignore
    expect(problem({ output: 'cls', ...tasks('trunk') })).toMatchObject({ path: ['tasks', 0, 'layers', 0], message: 'layer "trunk" is frozen in the file (trainable is false); "unfreeze": ["trunk"] trains and prunes it' }); // prettier-ignore
    expect(problem({ output: 'cls', ...tasks('reg') }).message).toMatch(/does not depend on layer "reg"/);
    expect(problem({ unfreeze: ['mid'] }).message).toMatch(/no frozen layer is called "mid"; .*trunk/);
    expect(problem({ exclude: ['mid', 'reg'] }).message).toMatch(/no layer is left/);
    const allFrozen = summarizeLayers(two).map((layer) => ({ ...layer, frozen: true as const, weights: layer.weights.map((weight) => ({ ...weight, trainable: false })) })); // prettier-ignore
    const whole = () => resolvePlan({ model: 'm', data: 'd', budget: { keep: 0.5 } } as Plan, { name: 'p', planPath: null, modelPath: WorkspacePath.parse('m'), dataPath: (path) => path, layers: allFrozen }); // prettier-ignore
    expect(whole).toThrow(/no prunable layer is trained: layer "trunk" is frozen/);
    // A new plan unfreezes what is frozen as a whole, and nothing else.
    expect([isWhollyFrozen(allFrozen), isWhollyFrozen(summarizeLayers(two))]).toEqual([true, false]);
    const text = planText({ model: 'm', data: 'd', budget: { keep: '1%' }, unfreeze: true });
    expect(parsePlan(text)).toMatchObject({ problems: [], plan: { unfreeze: true } });
  });
});
