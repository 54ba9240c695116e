/**
 * What 2,000 metrics a second for 60 s cost the extension host of a real VS Code with the monitor open (npm run bench:host [-- seconds
 * [runs [metrics a second]]]): the real daemon, and trainers that invent their metrics and share them out. A rate of 0 stands for real
 * trainers of LeNet300, at the rate that they have. Prints; judges only that the points arrive.
 */
import { readdir, readFile } from 'node:fs/promises';
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readEvents } from '../../daemon/runs/list/registry.js';
import { bundleFakes } from '../fixtures/daemon/bundle.js';
import { inspectProcess } from '../fixtures/inspectProcess.js';
import { usageOf } from '../fixtures/processUsage.js';
import { stageExtension } from '../host/stage.mjs';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan, ROOT } from './sample.js';
import { Workbench } from './workbench.js';

const RATE = Number(process.env.BENCH_RATE ?? 2000);
const IS_REAL = RATE === 0;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60);
/** Extra time for which the runs continue, because opening windows takes time. */
const MORE = 40;
const RUNS = Number(process.env.BENCH_RUNS ?? 1);

/** Goes on for longer than any measurement. */
const ENDLESS = { schedule: { mu0: 0.001, a: 1.001, iterations: 5000, epochs: 5, tolerance: 0 } };

/** Events of batches and iterations that the runs of a workspace have written. */
async function written(folder: string): Promise<{ batches: number; iterations: number[] }> {
  const found = { batches: 0, iterations: [] as number[] };
  for (const run of await readdir(join(folder, '.lcprune/runs'))) {
    const { events } = await readEvents(join(folder, '.lcprune/runs', run), 0, Number.MAX_SAFE_INTEGER);
    found.batches += events.filter(({ event }) => event === 'batch').length;
    found.iterations.push(events.filter(({ event }) => event === 'iteration').length);
  }
  return found;
}

/** The staged extension with the fake daemon in place of the real one. */
async function stageFakes(): Promise<string> {
  const { daemon, trainer } = await bundleFakes(join(ROOT, '.cache/editor/stream-fakes'));
  const dist = join(stageExtension(), 'dist');
  rmSync(dist);
  mkdirSync(dist);
  for (const name of readdirSync(join(ROOT, 'dist')))
    symlinkSync(name === 'daemon.mjs' ? daemon : join(ROOT, 'dist', name), join(dist, name));
  return trainer;
}

async function processes(pattern: RegExp): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc'))
    if (/^\d+$/.test(entry)) {
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (pattern.test(command)) found.push(Number(entry));
    }
  return found;
}

/** All runs in one monitor; the trainers that invent their metrics give them one name. */
async function showAll(window: Workbench, count: number): Promise<void> {
  await window.command('Compare Runs');
  const rows = window.quickPick(IS_REAL ? /quick-/ : /fake/);
  await rows.first().waitFor();
  for (let i = 0; i < count; i++)
    if ((await rows.nth(i).getAttribute('aria-checked')) !== 'true') await rows.nth(i).click();
  await window.page.keyboard.press('Enter');
  await expectEventually(() => window.monitor.locator('.chip').count(), count);
}

const timeout = 1000 * (SECONDS + 180);
test.runIf(process.env.BENCH === '1')('the extension host under the stream', { timeout }, async () => {
  const trainer = IS_REAL ? null : await stageFakes();
  const names = Array.from({ length: RUNS }, (_, i) => `quick-${i + 1}`);
  const workspace = await makeWorkspace(
    Object.fromEntries(names.map((name) => [`${name}.prune.json`, plan(IS_REAL ? ENDLESS : {})])),
  );
  const window = await Workbench.open({
    folder: workspace.folder,
    staged: !IS_REAL,
    env:
      trainer === null
        ? {}
        : { FAKE_TRAINER: trainer, FAKE_RATE: String(RATE / RUNS), FAKE_SECONDS: String(SECONDS + MORE) },
  });
  const started = performance.now();
  try {
    for (const name of names) {
      await window.openFile(`${name}.prune.json`);
      // The lenses of the file before it stay for a moment.
      await window.page.waitForTimeout(3000);
      await window.codeLens(/Run/).first().click({ timeout: 60_000 });
      await expectEventually(() => window.runState.textContent(), 'Running', 60_000);
    }
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
    if (RUNS > 1) await showAll(window, RUNS);
    const [host] = await processes(/--type=extensionHost/);
    const [daemon] = await processes(/\.cache\/extension\/dist\/daemon\.mjs/);
    // Opening the monitor is not the stream.
    await wait(5000);
    const inspected = await inspectProcess(host!);
    const begin = { host: await usageOf(host!), daemon: await usageOf(daemon!) };
    const resident: { second: number; megabytes: number }[] = [];
    const live: { second: number; heap: number; external: number }[] = [];
    const every = SECONDS / 20;
    let collecting = 0;
    for (let i = 0; i <= 20; i++) {
      if (i > 0) await wait(1000 * every);
      const before = await usageOf(host!);
      resident.push({ second: i * every, megabytes: before.megabytes });
      if (i % 5 === 0) {
        live.push({ second: i * every, ...(await inspected.live()) });
        // The benchmark's own work, not the stream's.
        collecting += (await usageOf(host!)).cpu - before.cpu;
      }
    }
    const share = (seconds: number) => `${((100 * seconds) / SECONDS).toFixed(1)}% of a core`;
    const list = (values: readonly number[]) => values.map((value) => value.toFixed(0)).join(' ');
    console.log(
      [
        `${IS_REAL ? 'Metrics of real trainers' : `${RATE} metrics/s`} of ${RUNS} run${RUNS > 1 ? 's' : ''} for ${SECONDS} s, monitor open`,
        `extension host: ${share((await usageOf(host!)).cpu - begin.host.cpu - collecting)}`,
        `  resident MB, every ${every} s: ${list(resident.map(({ megabytes }) => megabytes))}`,
        `  live MB after a collection, every ${5 * every} s: heap ${live.map((l) => l.heap.toFixed(2)).join(' ')}, external ${live.map((l) => l.external.toFixed(2)).join(' ')}`,
        `daemon: ${share((await usageOf(daemon!)).cpu - begin.daemon.cpu)}`,
      ].join('\n'),
    );
    inspected.close();
    const shows = async (iteration: number) =>
      expectEventually(
        async () => (await window.monitor.locator('.stats').innerText()).includes(`${iteration} /`),
        true,
      );
    // Nothing of the slow events is lost either.
    if (IS_REAL) {
      const before = await written(workspace.folder);
      console.log(
        `${((before.batches / (performance.now() - started)) * 1000).toFixed(0)} events of batches a second, written by real trainers`,
      );
      for (let i = 0; i < RUNS; i++) {
        if (RUNS > 1) await window.monitor.locator('.chip-name').nth(i).click();
        await window.monitor.getByRole('button', { name: 'Stop' }).click();
        await expectEventually(() => window.runState.textContent(), 'Stopped', 60_000);
        const { iterations } = await written(workspace.folder);
        const text = await window.monitor.locator('.stats').innerText();
        expect(
          iterations.some((count) => text.includes(`${count} /`)),
          `${text} of ${iterations.join()}`,
        ).toBe(true);
      }
    } else {
      const legend = await window.monitor.locator('.card.loss .legend').innerText();
      expect(legend).toMatch(/batch\s+0\.0\d+/);
      // An iteration a second, of each run to its end.
      await expectEventually(() => window.runState.textContent(), 'Finished', 1000 * (MORE + 60));
      for (let i = 0; i < RUNS; i++) {
        if (RUNS > 1) await window.monitor.locator('.chip-name').nth(i).click();
        await shows(SECONDS + MORE);
      }
    }
    expect(window.violations).toEqual([]);
  } finally {
    await artifact(window.page, 'stream-end');
    await window.close();
    await workspace.remove();
  }
});
