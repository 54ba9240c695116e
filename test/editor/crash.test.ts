/** A trainer that is ended by a signal, as by a fault of an engine's native code, in a real VS Code. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan } from './sample.js';
import { Workbench } from './workbench.js';

const themes =
  process.env.SCREENSHOTS === '1'
    ? ['Default Dark Modern', 'Default Light Modern', 'Default High Contrast', 'Default High Contrast Light']
    : ['Default Dark Modern'];

describe.each(themes)('a trainer that crashes (%s)', (theme) => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;
  const shot = (name: string) => artifact(window?.page, `${name}-${theme.replaceAll(' ', '-')}`);

  beforeAll(async () => {
    workspace = await makeWorkspace({
      'crash.prune.json': plan({ engine: 'native-cpu', schedule: { mu0: 0.001, a: 1.6, iterations: 12, epochs: 2 } }),
    });
    window = await Workbench.open({ folder: workspace.folder, theme });
  });
  afterAll(async () => {
    await shot('crash-end');
    await window?.close();
    await workspace?.remove();
  });

  const runs = () => join(workspace.folder, '.lcprune/runs');
  const runFile = async (name: string) => readFile(join(runs(), (await readdir(runs()))[0]!, name), 'utf8');

  test('is reported with its cause, and continues on another engine with one click', async () => {
    await window.openFile('crash.prune.json');
    await window.codeLens(/Run/).first().waitFor({ timeout: 60_000 });
    await window.codeLens(/Run/).first().click();
    await window.monitor.locator('.card.kept canvas').waitFor({ timeout: 60_000 });
    const { pid } = JSON.parse(await runFile('lock')) as { pid: number };
    process.kill(pid, 'SIGSEGV');
    await window.notification(/SIGSEGV.*native-cpu|native-cpu.*SIGSEGV/);
    await expectEventually(() => window.runState.textContent(), 'Crashed');
    await shot('crash-notification');
    await window.page.getByRole('button', { name: 'Continue on onnx-cpu' }).first().click();
    await expectEventually(() => window.runState.textContent(), 'Running', 60_000);
    await expectEventually(() => window.runState.textContent(), 'Finished', 180_000);
    await shot('crash-finished');
  });

  test('stays in the record of the run: no engine changes in silence', async () => {
    const events = (await runFile('events.jsonl')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as { event: string }); // prettier-ignore
    expect(events.find(({ event }) => event === 'engine')).toMatchObject({ from: 'native-cpu', to: 'onnx-cpu' });
    const result = JSON.parse(await runFile('result/result.json')) as { continuations?: { message: string }[] };
    expect(result.continuations?.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^engine changed from native-cpu to onnx-cpu .* after SIGSEGV/) as string,
    ]);
    await expectEventually(async () => (await window.monitor.locator('body').innerText()).includes('SIGSEGV'), true);
  });
});
