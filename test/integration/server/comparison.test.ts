/** A run with a baseline through the daemon: at the end its report has both. Needs `npm run build`. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { Client, Daemon } from './harness.js';

let ws: TinyWorkspace;
let daemon: Daemon;
let client: Client;

beforeAll(async () => {
  // Long enough to be stopped before it ends.
  ws = await tinyWorkspace({ ...TINY_PLAN, retrain: { epochs: 4000 } });
  daemon = await Daemon.start('dist/daemon.mjs');
  client = await daemon.client([ws.folder]);
});
afterAll(async () => {
  await client.close();
  await daemon.close();
  await ws.remove();
});

const call: Client['ask'] = (method, params) => client.ask(method, params);

/** Polls until a condition holds. */
async function eventually<T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const found = await look();
    if (found) return found;
    await wait(100);
  }
  throw new Error(`${what}: not in a minute; the daemon says: ${daemon.stderr}`);
}

it('is compared, also where both were stopped and resumed', async () => {
  const { run } = await call('lc/start', { planPath: ws.path('tiny.prune.json'), compare: ['magnitude'] });
  await call('lc/stop', { run });
  await call('lc/resume', { run });
  const baseline = await eventually(
    async () => (await call('lc/runs', null)).find(({ method }) => method === 'magnitude'),
    'a baseline',
  );
  const { plan } = await call('lc/plan', { run: baseline.run });
  expect(plan).toMatchObject({ method: 'magnitude', baselineOf: run });
  // Its folder exists before its trainer does.
  await eventually(async () => !(await client.request('lc/stop', { run: baseline.run })).error, 'its stop');
  const { folder } = (await call('lc/runs', null)).find((one) => one.run === run)!;
  const report = (name: string) => readFile(`${folder}/result/${name}`, 'utf8');
  expect(await report('report.md')).not.toMatch(/\| magnitude \|/);
  await call('lc/resume', { run: baseline.run });
  await eventually(async () => /\| lc \|.*\n\| magnitude \|/.test(await report('report.md')), 'the report of both');
  await eventually(async () => (await report('report.html')).includes('magnitude'), 'the page of both');
  const runs = await call('lc/runs', null);
  expect(runs.map(({ run: name, state }) => `${name} ${state}`).sort()).toEqual(
    [`${baseline.run} done`, `${basename(folder)} done`].sort(),
  );
}, 180_000);

it.skipIf(process.platform === 'win32')(
  'has its baselines where it goes on, also if its plan names another place',
  async () => {
    const { run } = await call('lc/start', {
      planPath: ws.path('tiny.prune.json'),
      compare: ['magnitude'],
      runOn: { command: 'env {cmd}' },
    });
    const one = async () => (await call('lc/runs', null)).find((other) => other.run === run)!;
    await eventually(async () => (await one()).state === 'running', 'the run in its place');
    await call('lc/stop', { run });
    expect((await one()).state).toBe('stopped');
    await call('lc/resume', { run, runOn: 'local' });
    const baseline = await eventually(
      async () => (await call('lc/runs', null)).find(({ baselineOf }) => baselineOf === run),
      'a baseline',
    );
    expect(baseline.job).toBeUndefined();
    expect((await call('lc/plan', { run: baseline.run })).plan).not.toHaveProperty('runOn');
    await eventually(async () => !(await client.request('lc/stop', { run: baseline.run })).error, 'its stop');
    await call('lc/resume', { run: baseline.run });
    await eventually(
      async () => (await call('lc/runs', null)).every(({ state }) => state === 'done'),
      'the end of both',
    );
  },
  180_000,
);
