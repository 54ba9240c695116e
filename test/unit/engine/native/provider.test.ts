import { describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { kernelLevel, loadAddon } from '../../../../daemon/engine/native/addon.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { buildArchitecture, type Architecture } from '../../../../daemon/model/setup/architectures.js';

const found = loadAddon();

describe.skipIf('reason' in found)('native engine', () => {
  /** Relative differences of the loss and of the gradient from onnxruntime's. */
  async function distances(name: Architecture, batchSize: number, weights: number) {
    const model = buildArchitecture(name, weights);
    const spec = { loss: 'categoricalCrossentropy', batchSize, seed: 1, threads: 2 } as const;
    const results = [];
    for (const provider of [nativeProvider, compiledProvider('cpu')]) {
      const session = await provider.open(model, spec);
      const random = createRandom(9);
      const size = session.inputShapes[0]!.reduce((a, b) => a * b, 1);
      const input = Float32Array.from({ length: batchSize * size }, () => random.next());
      const target = new Float32Array(batchSize * 10);
      for (let i = 0; i < batchSize; i++) target[i * 10 + random.below(10)] = 1;
      results.push(await session.gradient([input], target));
      await session.dispose();
    }
    const [ours, theirs] = results as [
      { loss: number; gradient: Float32Array },
      { loss: number; gradient: Float32Array },
    ];
    let [difference, norm] = [0, 0];
    theirs.gradient.forEach((g, i) => {
      difference += (g - ours.gradient[i]!) ** 2;
      norm += g * g;
    });
    expect(norm).toBeGreaterThan(0);
    return { loss: Math.abs(ours.loss - theirs.loss) / theirs.loss, gradient: Math.sqrt(difference / norm) };
  }

  it.each<[Architecture, number]>([
    ['lenet300', 64],
    ['lenet300-tanh', 32],
    ['lenet5', 32],
  ])('gives the loss and gradient of onnxruntime on %s', async (name, batchSize) => {
    const { loss, gradient } = await distances(name, batchSize, 1);
    expect(loss).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(1e-4);
  });

  it('gives the loss and gradient of onnxruntime on resnet20', async () => {
    const all = [];
    for (const weights of [1, 2, 3, 4]) all.push(await distances('resnet20', 4, weights));
    // A ReLU whose argument rounding moves over 0 changes the whole gradient: by 2e-3 between two runs of onnxruntime
    // whose images differ by 1e-6. Not with all weights.
    for (const { loss, gradient } of all) {
      expect(loss).toBeLessThan(1e-5);
      expect(gradient).toBeLessThan(3e-2);
    }
    expect(Math.min(...all.map(({ gradient }) => gradient))).toBeLessThan(1e-5);
  });

  it('uses the best level of instructions, or the one asked for, and says which', async () => {
    if ('reason' in found) throw new Error(found.reason);
    const levels = found.addon.levels();
    const least = process.arch === 'arm64' ? 'NEON' : 'AVX2';
    expect(levels.at(-1)).toBe(least);
    expect(kernelLevel(found.addon, undefined)).toBe(levels[0]);
    expect(kernelLevel(found.addon, least)).toBe(least);
    expect(() => kernelLevel(found.addon, 'SSE')).toThrow(
      `LC_PRUNE_CPU is "SSE"; this processor has ${levels.join(', ')}`,
    );
    expect((await nativeProvider.probe()).device).toMatch(new RegExp(`^CPU, \\d+ threads?, ${levels[0]}$`));
  });

  it('refuses what it cannot count with one line that names the layer', async () => {
    const rows = 2 ** 24 + 1;
    const topology = {
      class_name: 'Sequential',
      config: {
        name: 'm',
        layers: [
          {
            class_name: 'Embedding',
            config: { name: 'words', input_dim: rows, output_dim: 1, batch_input_shape: [null, 2] },
          },
          { class_name: 'Flatten', config: { name: 'flat' } },
        ],
      },
    };
    const weights = [{ name: 'words/embeddings', shape: [rows, 1], dtype: 'float32' as const, data: new Float32Array(rows) }]; // prettier-ignore
    const model = {
      kind: 'layers' as const,
      format: 'tfjs-layers' as const,
      path: 'm.json',
      topology,
      weights,
      notes: [],
    };
    const open = nativeProvider.open(model, { loss: 'meanSquaredError', batchSize: 2, seed: 1 });
    await expect(open).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/engine native-cpu: .*"words".*more than 16777216 rows/) as string,
    });
  });
});
