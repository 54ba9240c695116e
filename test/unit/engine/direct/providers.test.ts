import util from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { directProviders } from '../../../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../../../daemon/engine/engine.js';
import { batches, lenet } from '../../../integration/engine-conformance/nets.js';
import { install, standIns } from './standIns.js';

const cleanup: (() => void)[] = [];
afterEach(() => cleanup.splice(0).forEach((remove) => remove()));

/** The provider if the stand-in is installed in the second of two folders. */
function withStandIn(id: 'tfjs-node' | 'tfjs-node-gpu', code: string): { provider: EngineProvider; folder: string } {
  const { folder, remove } = install(`@tensorflow/${id}`, code);
  cleanup.push(remove);
  const provider = directProviders(['/nonexistent', folder]).find((candidate) => candidate.id === id)!;
  return { provider, folder };
}

const net = lenet();
const spec = { loss: net.loss, batchSize: 4, seed: 1 };

async function trained(provider: EngineProvider) {
  const session = await provider.open(net.model, spec);
  await session.train({
    batches: batches(net, 4, 1),
    steps: 3,
    learningRate: () => 0.1,
    momentum: 0.9,
    nesterov: true,
    weightDecay: 0,
  });
  const weights = await session.getWeights();
  await session.dispose();
  return { weights, info: session.info };
}

describe('optional engines', () => {
  it('are absent, with the reason, where nothing is installed', async () => {
    const probes = await Promise.all(directProviders(['/nonexistent']).map((provider) => provider.probe()));
    expect(probes.map(({ id, available }) => [id, available])).toEqual([
      ['tfjs-node-gpu', false],
      ['tfjs-webgpu', false],
      ['tfjs-node', false],
      ['tfjs-cpu', true],
    ]);
    expect(probes[0]!.reason).toBe('@tensorflow/tfjs-node-gpu is not installed');
    const [gpu] = directProviders(['/nonexistent']);
    await expect(gpu!.open(net.model, spec)).rejects.toMatchObject({ name: 'UserError', code: 'engine-unavailable' });
  });

  it.each(['tfjs-node-gpu', 'tfjs-node'] as const)('%s is found, loaded, checked and trains', async (id) => {
    const { provider } = withStandIn(id, standIns.works);
    expect(await provider.probe()).toMatchObject({ id, available: true, device: 'GPU (CUDA, TensorFlow)' });
    const { weights, info } = await trained(provider);
    expect(info.id).toBe(id);
    const plain = directProviders([]).find((candidate) => candidate.id === 'tfjs-cpu')!;
    expect(weights).toEqual((await trained(plain)).weights);
  });

  it('tfjs-node runs without a GPU, tfjs-node-gpu refuses to do so silently', async () => {
    const cpu = withStandIn('tfjs-node', standIns.withoutGpu);
    expect(await cpu.provider.probe()).toMatchObject({ available: true, device: 'CPU (TensorFlow)' });
    const gpu = withStandIn('tfjs-node-gpu', standIns.withoutGpu);
    expect(await gpu.provider.probe()).toMatchObject({
      available: false,
      reason: expect.stringContaining('sees no GPU'),
    });
    await expect(gpu.provider.open(net.model, spec)).rejects.toMatchObject({ code: 'engine-failed' });
  });

  it.each([
    ['withoutBinary', /lacks its binary: run "npm rebuild @tensorflow\/tfjs-node-gpu"/],
    ['withoutDependency', /incomplete \(Cannot find module '@mapbox\/node-pre-gyp'\)/],
    ['withoutCuda', /does not load: libcudart\.so\.11\.0/],
    ['wrongConvolutionGradient', /wrong gradient here \(convolution\[/],
    ['wrongPoolingGradient', /wrong gradient here \((convolution|bias)\[/],
  ] as const)('a package that fails is passed over with one line: %s', async (kind, reason) => {
    const { provider, folder } = withStandIn('tfjs-node-gpu', standIns[kind]);
    const probe = await provider.probe();
    expect(probe.available).toBe(false);
    expect(probe.reason).toMatch(reason);
    expect(probe.reason).not.toContain('\n');
    if (!kind.startsWith('wrong')) expect(probe.reason).toContain(folder);
  });

  it('gets back the util functions that newer Node lacks', async () => {
    const functions = util as unknown as Record<string, unknown>;
    const { isNullOrUndefined, isArray } = functions;
    delete functions['isNullOrUndefined'];
    delete functions['isArray'];
    try {
      const { provider } = withStandIn('tfjs-node', standIns.works);
      expect(await provider.probe()).toMatchObject({ available: true });
    } finally {
      Object.assign(functions, { isNullOrUndefined, isArray });
    }
  });
});
