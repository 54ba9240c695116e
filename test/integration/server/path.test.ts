/** A path through the daemon: started, its points in the history and the event stream, each exported by its number. Needs `npm run build`. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { Client, Daemon } from './harness.js';

let ws: TinyWorkspace;
let daemon: Daemon;
let client: Client;

beforeAll(async () => {
  ws = await tinyWorkspace();
  daemon = await Daemon.start('dist/daemon.mjs');
  client = await daemon.client([ws.folder]);
});
afterAll(async () => {
  await client.close();
  await daemon.close();
  await ws.remove();
});

const call: Client['ask'] = (method, params) => client.ask(method, params);

describe('a path', () => {
  it('is started by lc/start, and each of its points can be exported', async () => {
    const planPath = ws.path('tiny.prune.json');
    await cp(planPath, ws.path('copy.prune.json'));
    const refused = await client.refused('lc/start', { planPath, path: {}, compare: ['gradual'] });
    expect(refused.message).toMatch(/gradual pruning has no path/);
    const { run } = await call('lc/start', { planPath, path: { budgets: ['50%', '10%'] } });
    await call('lc/subscribe', { run, on: true });
    const last = await client.waitFor(
      ({ method, params }) =>
        method === 'lc/runChanged' && ['done', 'failed'].includes((params as { summary: RunSummary }).summary.state),
      0,
      120_000,
    );
    expect((last.params as { summary: RunSummary }).summary).toMatchObject({ state: 'done', progress: 1 });
    const { events } = await call('lc/history', { run, from: 0, limit: 100_000 });
    const points = events.filter((event): event is Extract<RunEvent, { event: 'point' }> => event.event === 'point');
    expect(points.map(({ kept, points: total }) => [kept, total])).toEqual([
      [28, 2],
      [6, 2],
    ]);
    const done = events.at(-1) as Extract<RunEvent, { event: 'done' }>;
    expect(points[done.path!.point]!.kept).toBe(done.kept);
    expect(await call('lc/plan', { run })).toMatchObject({
      plan: { path: { budgets: [{ keep: '50%' }, { keep: '10%' }] } },
    });
    for (const { point, kept } of points) {
      const target = join(ws.folder, `point-${point}`);
      const { path } = await call('lc/export', { run, point, format: 'tfjs-layers', target });
      const exported = await call('lc/inspect', { model: path });
      expect(exported.prunable - exported.zeros!).toBe(kept);
    }
    const sizes = await Promise.all(points.map(({ point }) => call('lc/exportFormats', { run, point })));
    const sparse = sizes.map((formats) => formats.find(({ format }) => format === 'sparse')!.bytes);
    expect(sparse).toEqual(points.map(({ bytes }) => bytes));
    const { rows, left, flops } = await call('lc/latency', { run, point: 1 });
    expect(left).toEqual([]);
    expect(rows.map(({ what, batch }) => `${what} ${batch}`).sort()).toEqual(
      ['reference', 'pruned', 'thinned', 'sparse module'].flatMap((what) => [`${what} 1`, `${what} 64`]).sort(),
    );
    expect(flops.thinned).toBeLessThan(flops.pruned);
    const networks = new Map(sizes[1]!.map(({ format, network }) => [format, network]));
    expect(['onnx', 'onnx-thinned', 'sparse-module', 'mask-npz'].map((format) => networks.get(format))).toEqual([
      'pruned',
      'thinned',
      'sparse module',
      null,
    ]);
    for (const { microseconds } of rows) expect(microseconds).toBeGreaterThan(0);
    expect(
      (await client.refused('lc/export', { run, point: 7, format: 'onnx', target: ws.path('x.onnx') })).message,
    ).toMatch(/no point 7/);
  }, 180_000);
});
