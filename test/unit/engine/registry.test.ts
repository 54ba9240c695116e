import { describe, expect, it } from 'vitest';
import type { EngineProvider, EngineSession } from '../../../daemon/engine/engine.js';
import { chooseEngine, openEngine } from '../../../daemon/engine/registry.js';
import { buildArchitecture } from '../../../daemon/model/architectures.js';
import { UserError } from '../../../daemon/protocol/errors.js';

const model = buildArchitecture('lenet300', 1);
const spec = { loss: 'categoricalCrossentropy', batchSize: 4, seed: 1 } as const;

interface Stand {
  readonly id: string;
  readonly available?: boolean;
  readonly fails?: string;
  /** Milliseconds a gradient takes. */
  readonly delay?: number;
  /** Of the first ones. */
  readonly delays?: readonly number[];
  readonly factor?: number;
}

/** A provider whose sessions compute something simple, at a speed of the test's choice. */
function standIn(
  { id, available = true, fails, delay = 0, delays = [], factor = 1 }: Stand,
  open: Set<string>,
): EngineProvider {
  const info = { id, name: id, device: 'stand-in' };
  const waits = [...delays];
  const session = {
    info,
    inputShapes: [[3]],
    outputShape: [2],
    getRandomState: () => [1, 2, 3, 4],
    setRandomState: () => undefined,
    gradient: async () => {
      await new Promise((resolve) => setTimeout(resolve, waits.shift() ?? delay));
      return { loss: 1, gradient: Float32Array.of(factor, 2 * factor) };
    },
    predict: async () => Float32Array.of(0.5, 0.25),
    dispose: async () => void open.delete(id),
  } as unknown as EngineSession;
  return {
    id,
    probe: async () => ({ ...info, available, reason: available ? 'here' : 'not here' }),
    open: async () => {
      if (fails) throw new UserError('model-unsupported', fails);
      open.add(id);
      return session;
    },
  };
}

async function choose(...stands: Stand[]) {
  const open = new Set<string>();
  const { session, considered } = await chooseEngine(model, spec, {}, stands.map((stand) => standIn(stand, open))); // prettier-ignore
  return { id: session.info.id, considered, open: [...open] };
}

describe('the choice of an engine', () => {
  it('takes the first that is here and beats the CPU, and leaves no other session open', async () => {
    const result = await choose(
      { id: 'tfjs-node-gpu', available: false },
      { id: 'onnx-webgpu', delay: 1 },
      { id: 'onnx-cpu', delay: 30 },
    );
    expect(result.id).toBe('onnx-webgpu');
    expect(result.open).toEqual(['onnx-webgpu']);
    expect(result.considered.map(({ id, chosen, reason }) => [id, chosen, reason])).toEqual([
      ['tfjs-node-gpu', false, 'not here'],
      ['onnx-webgpu', true, 'here'],
    ]);
  });

  it('passes over what is slower than the CPU, and says both rates', async () => {
    const result = await choose({ id: 'onnx-webgpu', delay: 40 }, { id: 'onnx-cpu', delay: 1 });
    expect(result.id).toBe('onnx-cpu');
    expect(result.open).toEqual(['onnx-cpu']);
    expect(result.considered[0]!.reason).toMatch(/slower.*samples\/s/);
  });

  it('times a close loser again, in turns: a machine that was busy for a moment decides nothing', async () => {
    const disturbed = { id: 'native-cpu', delays: [0, ...Array<number>(9).fill(30)], delay: 10 };
    const result = await choose(disturbed, { id: 'onnx-cpu', delay: 20 });
    expect(result.id).toBe('native-cpu');
    expect(result.considered[0]!.samplesPerSecond).toBeGreaterThan(4000 / 20);
  });

  it('passes over what computes other gradients than the reference', async () => {
    const result = await choose({ id: 'onnx-webgpu', delay: 1, factor: 1.5 }, { id: 'onnx-cpu', delay: 30 });
    expect(result.id).toBe('onnx-cpu');
    expect(result.considered[0]!.reason).toMatch(/gradients differ by 50% from the reference/);
  });

  it('falls to TensorFlow.js where the graph has no rule, with the reason', async () => {
    const result = await choose({ id: 'onnx-cpu', fails: 'layer "cube" cannot be compiled' }, { id: 'tfjs-cpu' });
    expect(result.id).toBe('tfjs-cpu');
    expect(result.considered[0]).toMatchObject({ id: 'onnx-cpu', chosen: false, reason: 'layer "cube" cannot be compiled' }); // prettier-ignore
  });

  it('throws the last reason when nothing opens', async () => {
    await expect(choose({ id: 'onnx-cpu', fails: 'no' }, { id: 'tfjs-cpu', fails: 'no either' })).rejects.toThrow('no either'); // prettier-ignore
  });

  it('an unknown engine is an error that lists the known ones', async () => {
    await expect(openEngine('abacus', model, spec)).rejects.toMatchObject({
      code: 'engine-unavailable',
      message: expect.stringMatching(/"abacus".*onnx-cpu.*tfjs-cpu/) as string,
    });
  });
});
