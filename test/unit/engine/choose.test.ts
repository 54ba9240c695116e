import { describe, expect, it } from 'vitest';
import { chooseEngine, type ChooseOptions, type Considered } from '../../../daemon/engine/choose.js';
import { openEngine } from '../../../daemon/engine/registry.js';
import type { SessionSpec } from '../../../daemon/engine/engine.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { onnx, plain, scaled, standIn, type Stand } from './standIns.js';

const model = buildArchitecture('lenet300', 1);
const spec = { loss: 'categoricalCrossentropy', batchSize: 4, seed: 1, threads: 1 } as const;
/** So slow that every other engine beats it. */
const slowReference: Stand = { id: 'onnx-cpu', reference: 'first', delay: 30 };

async function choose(stands: readonly Stand[], options: ChooseOptions = {}, more: Partial<SessionSpec> = {}) {
  const open: string[] = [];
  const providers = stands.map((stand) => standIn(stand, open));
  const { session, considered } = await chooseEngine(providers, model, { ...spec, ...more }, options);
  return { session, id: session.info.id, considered, open };
}

/** Numbers about 0, as no made-up data has them. */
const real = (size: number) => {
  const random = createRandom(5);
  const target = new Float32Array(size * 10);
  for (let i = 0; i < size; i++) target[10 * i + (i % 10)] = 1;
  return { inputs: [Float32Array.from({ length: size * 784 }, () => random.normal())], target };
};
const firstBatch: NonNullable<ChooseOptions['firstBatch']> = async (_, size) => real(size);
const negative = (inputs: readonly Float32Array[]) => inputs[0]!.some((x) => x < 0);

describe('the choice of an engine', () => {
  it('takes the first that is here and beats the CPU, and leaves no other session open', async () => {
    const result = await choose([{ id: 'absent', available: false }, { id: 'gpu' }, slowReference]);
    expect(result.id).toBe('gpu');
    expect(result.open).toEqual(['gpu']);
    expect(result.considered.map(({ id, chosen, reason }) => [id, chosen, reason])).toEqual([
      ['absent', false, 'not here'],
      ['gpu', true, 'here'],
    ]);
  });

  it('passes over what is slower than the CPU, and says both rates', async () => {
    const result = await choose([
      { id: 'gpu', delay: 40 },
      { ...slowReference, delay: 0 },
    ]);
    expect(result.id).toBe('onnx-cpu');
    expect(result.open).toEqual(['onnx-cpu']);
    expect(result.considered[0]!.reason).toMatch(/slower.*samples\/s/);
    expect(result.considered[1]!.reason).toBe('the fastest that works here');
  });

  it('opens nothing to compare with where there is one engine only', async () => {
    const opened: string[] = [];
    const engine = standIn(slowReference);
    const counted = { ...engine, open: (...call: Parameters<typeof engine.open>) => (opened.push('once'), engine.open(...call)) }; // prettier-ignore
    await chooseEngine([counted], model, spec);
    expect(opened).toEqual(['once']);
  });

  it('times a close loser again, in turns: a machine that was busy for a moment decides nothing', async () => {
    const disturbed = { id: 'native-cpu', delays: [0, ...Array<number>(9).fill(30)], delay: 10 };
    const result = await choose([disturbed, { ...slowReference, delay: 25 }]);
    expect(result.id).toBe('native-cpu');
    expect(result.considered[0]!.samplesPerSecond).toBeGreaterThan(4000 / 25);
  });

  it.each([200, 4000])(
    'repeats a trial whose rates are far apart, by %d ms a step: one engine was put aside',
    async (delay) => {
      // The first gradient is the comparison's; the second one takes all of the trial.
      const disturbed = { id: 'native-cpu', delays: [0, delay] };
      const result = await choose([disturbed, { ...slowReference, delay: 2 }]);
      expect(result.id).toBe('native-cpu');
    },
  );

  it.each<[string, Stand, RegExp]>([
    ['the gradient of one small bias', { step: scaled('fc1/bias', 1.5) }, /it differs from onnx-cpu on made-up data: the gradient of "fc1\/bias" by 50%$/],
    ['a gradient without its sign', { step: scaled('fc2/kernel', -1) }, /the gradient of "fc2\/kernel" by 200%/],
    ['the loss', { step: ({ loss, gradient }) => ({ loss: 1.1 * loss, gradient }) }, /on made-up data: the loss by 10%$/],
    ['one output', { output: (output) => output.map((y, i) => (i === 7 ? y + 0.1 : y)) }, /on made-up data: the outputs by \d+% of the largest$/],
    ['a loss of NaN', { step: ({ gradient }) => ({ loss: NaN, gradient }) }, /on made-up data the loss is NaN, and onnx-cpu has finite numbers/],
    ['one infinite number in a gradient', { step: scaled('fc3/bias', Infinity) }, /the gradient of "fc3\/bias" contains -?Infinity/],
  ])('passes over what has wrong: %s', async (_, wrong, reason) => {
    const result = await choose([{ id: 'wrong', ...wrong }, slowReference]);
    expect(result.id).toBe('onnx-cpu');
    expect(result.considered[0]).toMatchObject({ id: 'wrong', chosen: false, reason: expect.stringMatching(reason) as string }); // prettier-ignore
    expect(result.open).toEqual(['onnx-cpu']);
  }); // prettier-ignore

  it('passes over what is right on made-up data and wrong on the first batch of the user, and takes the next', async () => {
    const wrong = scaled('fc1/bias', 1.5);
    const onReal: Stand = { id: 'wrong', step: (step, session, inputs) => (negative(inputs) ? wrong(step, session, inputs) : step) }; // prettier-ignore
    expect((await choose([onReal, slowReference])).id).toBe('wrong');
    const result = await choose([onReal, { id: 'right' }, slowReference], { firstBatch });
    expect(result.id).toBe('right');
    expect(result.considered[0]!.reason).toMatch(/on the first batch of the data: the gradient of "fc1\/bias" by 50%/);
    expect(result.open).toEqual(['right']);
  });

  it('compares dropout where the masks are the same, and where they are not only what draws none', async () => {
    // The model draws noise: the stand-in advances its generator and returns any step.
    const drawing: Stand = {
      id: 'drawing',
      step: (step, session) => {
        const [first = 0, ...others] = session.getRandomState();
        session.setRandomState([first + 1, ...others]);
        return { loss: 2 * step.loss, gradient: step.gradient.map((g) => 2 * g) };
      },
    };
    expect((await choose([{ ...drawing, noise: 'own' }, slowReference])).id).toBe('drawing');
    expect((await choose([{ ...drawing, noise: 'shared' }, slowReference])).id).toBe('onnx-cpu');
    // A model that draws nothing leaves no excuse.
    const own: Stand = { id: 'own', noise: 'own', step: scaled('fc3/kernel', 0.9) };
    expect((await choose([own, slowReference])).considered[0]!.reason).toMatch(/the gradient of "fc3\/kernel" by 10%/);
  });

  it('says that nothing could be compared where the reference has no finite numbers, on either engine', async () => {
    const nan: Stand['step'] = ({ gradient }) => ({ loss: NaN, gradient });
    const { considered } = await choose([
      { id: 'gpu', step: nan },
      { ...slowReference, step: nan },
    ]);
    expect(considered[0]).toMatchObject({
      chosen: true,
      doubt: { outcome: 'unknown', reason: 'nothing could be compared on made-up data: on onnx-cpu, the loss is NaN; on gpu, the loss is NaN' },
    }); // prettier-ignore
  });

  it('for inference computes no gradient, and compares and times predictions', async () => {
    const never: Stand['step'] = () => {
      throw new Error('a gradient was computed');
    };
    const spoil: Stand['output'] = (output) => output.map((y) => 1.2 * y);
    const providers = [
      { id: 'wrong', step: never, output: spoil },
      { ...slowReference, step: never },
    ];
    const { id, considered } = await choose(providers, {}, { purpose: 'inference' });
    expect(id).toBe('onnx-cpu');
    expect(considered[0]!.reason).toMatch(/on made-up data: the outputs by 20% of the largest$/);
  });

  it("an error of the data is nobody else's: it ends the choice, and leaves nothing open", async () => {
    const open: string[] = [];
    const providers = [standIn({ id: 'gpu' }, open), standIn(slowReference, open)];
    const broken = async () => {
      throw new UserError('data-invalid', 'row 7');
    };
    await expect(chooseEngine(providers, model, spec, { firstBatch: broken })).rejects.toThrow('row 7');
    expect(open).toEqual([]);
  });

  it('falls to TensorFlow.js where the graph has no rule, with the reason, and compares that with plain JavaScript', async () => {
    const refusing: Stand = { id: 'onnx-cpu', reference: 'first', fails: 'layer "cube" cannot be compiled' };
    const second: Stand = { id: 'tfjs-cpu', reference: 'second', slow: true };
    const alone = await choose([refusing, second]);
    expect(alone.id).toBe('tfjs-cpu');
    expect(alone.considered[0]).toMatchObject({ id: 'onnx-cpu', chosen: false, reason: 'layer "cube" cannot be compiled' }); // prettier-ignore
    expect((await choose([refusing, { id: 'tfjs-node' }, second])).id).toBe('tfjs-node');
    const wrong = await choose([refusing, { id: 'tfjs-node', step: scaled('fc1/bias', 2) }, second]);
    expect(wrong.id).toBe('tfjs-cpu');
    expect(wrong.considered[1]!.reason).toMatch(/differs from tfjs-cpu on made-up data.*"fc1\/bias" by 100%/);
    const none = await choose([refusing, { id: 'tfjs-node' }]);
    expect(none.considered[1]!.doubt).toMatchObject({ outcome: 'unknown' });
  });

  it('throws the last reason when nothing opens', async () => {
    const stands: Stand[] = [
      { id: 'onnx-cpu', reference: 'first', fails: 'no' },
      { id: 'tfjs-cpu', reference: 'second', fails: 'no either' },
    ];
    await expect(choose(stands)).rejects.toThrow('no either');
  });
});

describe('an engine that is named', () => {
  async function named(stand: Stand, options: ChooseOptions = { firstBatch }) {
    const open: string[] = [];
    const providers = [standIn(stand, open), standIn({ id: 'onnx-cpu', reference: 'first' }, open)];
    let considered: Considered | undefined;
    const report = (entry: Considered) => (considered = entry);
    const session = await openEngine(stand.id!, model, spec, { ...options, providers, report });
    return { session, open, doubt: considered!.doubt };
  }

  it('is taken though it is wrong, and what speaks against it is reported', async () => {
    const { session, open, doubt } = await named({ id: 'wrong', step: scaled('fc2/bias', 0.5) });
    expect(session.info.id).toBe('wrong');
    expect(open).toEqual(['wrong']);
    expect(doubt).toEqual({ outcome: 'differs', reason: 'it differs from onnx-cpu on made-up data: the gradient of "fc2/bias" by 50%' }); // prettier-ignore
  });

  it("is compared on the user's data, too", async () => {
    const wrong = scaled('fc1/bias', 1.5);
    const { doubt } = await named({ id: 'wrong', step: (step, session, inputs) => (negative(inputs) ? wrong(step, session, inputs) : step) }); // prettier-ignore
    expect(doubt?.reason).toMatch(/on the first batch of the data: the gradient of "fc1\/bias" by 50%/);
  });

  it('has nothing against it where it is right, was compared on this device before, or is the reference', async () => {
    const wrong: Stand = { id: 'wrong', step: scaled('fc2/bias', 0.5) };
    expect((await named({ id: 'right' })).doubt).toBe(undefined);
    expect((await named(wrong, { firstBatch, comparedOn: ['stand-in'] })).doubt).toBe(undefined);
    expect((await named(wrong, { firstBatch, comparedOn: ['another processor'] })).doubt?.outcome).toBe('differs');
    expect((await named({ id: 'onnx-cpu', reference: 'first' })).doubt).toBe(undefined);
  });

  it('plain JavaScript agrees with the compiled graph', async () => {
    let considered: Considered | undefined;
    const report = (entry: Considered) => (considered = entry);
    const session = await openEngine('tfjs-cpu', model, spec, { providers: [onnx, plain], firstBatch, report });
    expect(considered).toMatchObject({ id: 'tfjs-cpu', chosen: true });
    expect(considered!.doubt).toBe(undefined);
    await session.dispose();
  });
});
