/** The shipped bundles, a real trainer and a real (small) prune: what a person does, without the editor. Needs `npm run build`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { Client, Daemon, temporaryFolder } from './harness.js';

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let daemon: Daemon;
let client: Client;

beforeAll(async () => {
  scratch = await temporaryFolder();
  daemon = await Daemon.start('dist/daemon.mjs');
  client = await daemon.client([scratch.path]);
});
afterAll(async () => {
  await client.close();
  await daemon.close();
  await scratch.remove();
});

const call: Client['ask'] = (method, params) => client.ask(method, params);

describe('a real run', () => {
  it('is pruned to its budget, pictured, exported and read back; engines are listed', async () => {
    const planPath = join(scratch.path, 'small.prune.json');
    const plan = {
      model: { architecture: 'lenet300' },
      data: { source: 'mnist', limit: 1000 },
      budget: { weights: 5000 },
      reference: { epochs: 1 },
      schedule: { iterations: 2, epochs: 1, mu0: 1e-2, a: 3 },
      retrain: { epochs: 1 },
    };
    await writeFile(planPath, JSON.stringify(plan));
    const { run } = await call('lc/start', { planPath, seed: 5 });
    await call('lc/subscribe', { run, on: true });
    const memory = await call('lc/memory', null);
    expect(memory.daemon).toBeGreaterThan(30e6);
    // The trainer reported it before it began; no GPU driver reports a CPU engine.
    expect(memory.runs).toEqual([
      { run, folder: expect.stringContaining(run), resident: expect.any(Number), device: null },
    ]);
    expect(memory.runs[0]!.resident).toBeGreaterThan(50e6);
    const last = await client.waitFor(
      ({ method, params }) =>
        method === 'lc/runChanged' && ['done', 'failed'].includes((params as { summary: RunSummary }).summary.state),
      0,
      120_000,
    );
    expect((last.params as { summary: RunSummary }).summary).toMatchObject({ state: 'done', kept: 5000, progress: 1 });
    const { events, end } = await call('lc/history', { run, from: 0, limit: 100_000 });
    expect(end).toBe(true);
    const done = events.at(-1) as Extract<RunEvent, { event: 'done' }>;
    expect(done.event).toBe('done');
    expect(await call('lc/plan', { run })).toMatchObject({ plan: { seed: 5, tasks: [{ budget: { weights: 5000 } }] } });

    // The picture of each layer holds the weights of that layer, not of its neighbour.
    for (const { layer, weights, kept } of done.perLayer) {
      const picture = await call('lc/layer', { run, layer });
      const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
      expect(picture.shape.reduce((product, extent) => product * extent, 1)).toBe(weights);
      expect(weights - picture.zeros).toBe(kept);
      expect(sum(picture.theta)).toBe(kept);
      expect(sum(picture.keptPerInput)).toBe(kept);
      expect(picture.inputImage).toEqual(picture.shape[0] === 784 ? [28, 28, 1] : null);
    }
    const { path } = await call('lc/export', { run, format: 'tfjs-layers', target: join(scratch.path, 'out') });
    const exported = await call('lc/inspect', { model: path });
    expect(exported.prunable - exported.zeros!).toBe(5000);

    expect((await call('lc/memory', null)).runs).toEqual([]);
    const engines = await call('lc/engines', null);
    expect(engines.filter(({ chosen }) => chosen)).toMatchObject([{ available: true }]);
    expect(engines.find(({ id }) => id === (last.params as { summary: RunSummary }).summary.engine)?.available).toBe(
      true,
    );
  }, 180_000);
});
