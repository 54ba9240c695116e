/** The packaged VSIX, installed as a person installs it, into an editor that has nothing else. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan, ROOT } from './sample.js';
import { Workbench } from './workbench.js';

describe('the VSIX', () => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;

  beforeAll(async () => {
    execFileSync(process.execPath, [join(ROOT, 'test/host/package.mjs')], { stdio: 'ignore' });
    const vsix = (await readdir(ROOT)).find((name) => name.endsWith(`${process.platform}-${process.arch}.vsix`))!;
    workspace = await makeWorkspace({
      'quick.prune.json': plan({
        schedule: { mu0: 0.001, a: 2, iterations: 3, epochs: 0.5 },
        retrain: { epochs: 0.5 },
      }),
    });
    window = await Workbench.open({ folder: workspace.folder, vsix: join(ROOT, vsix) });
  });
  afterAll(async () => {
    await artifact(window?.page, 'vsix-end');
    await window?.close();
    await workspace?.remove();
  });

  test('runs a prune to its end with its own engine', async () => {
    const installed = await readdir(window.server.extensionsDir);
    expect(installed.some((name) => name.startsWith('lc-prune.lc-prune-'))).toBe(true);
    await window.openFile('quick.prune.json');
    await window.codeLens(/Run/).first().waitFor({ timeout: 60_000 });
    await window.codeLens(/Run/).first().click();
    await expectEventually(() => window.runState.textContent(), 'Finished', 180_000);
    expect(await window.monitor.locator('.stats').innerText()).toContain('5,324 of 266,200');
    expect(existsSync(join(workspace.folder, '.lcprune/runs'))).toBe(true);
    expect(window.violations).toEqual([]);
  });
});
