/** A workspace that is not trusted, in a real VS Code: read, but nothing runs until trust is granted. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { daemonPid } from './daemonPid.js';
import { artifact, expectEventually } from './expectEventually.js';
import { makeWorkspace, plan } from './sample.js';
import { Workbench } from './workbench.js';

describe('a folder that is not trusted', () => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;

  beforeAll(async () => {
    workspace = await makeWorkspace({ 'quick.prune.json': plan() });
    window = await Workbench.open({
      folder: workspace.folder,
      trust: true,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
    });
  });
  afterAll(async () => {
    await artifact(window?.page, 'untrusted-end');
    await window?.close();
    await workspace?.remove();
  });

  test('models are read, nothing runs and nothing is written', async () => {
    await window.openFile('lenet300/model.json');
    await window.codeLens('Prune to budget').first().waitFor({ timeout: 60_000 });
    await window.codeLens('Prune to budget').first().click();
    await window.notification(/not trusted/);
    await artifact(window.page, 'untrusted');
    expect(existsSync(join(workspace.folder, 'lenet300/lenet300.prune.json'))).toBe(false);
    expect(existsSync(join(workspace.folder, '.lcprune'))).toBe(false);
  });

  test('trust that is granted in the middle reaches the running daemon: the same click now runs', async () => {
    const pid = await daemonPid();
    await window.palette('Workspaces: Manage Workspace Trust');
    await window.page.locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' }).first().click();
    await window.openFile('lenet300/model.json');
    await window.codeLens('Prune to budget').first().click();
    await window
      .quickPick(/2,662 weights/)
      .first()
      .click({ timeout: 30_000 });
    await window.monitor.locator('.card.loss canvas').waitFor({ timeout: 60_000 });
    expect(await daemonPid()).toBe(pid);
    expect(existsSync(join(workspace.folder, 'lenet300/lenet300.prune.json'))).toBe(true);
    await window.monitor.getByRole('button', { name: 'Stop' }).click();
    await expectEventually(() => window.runState.textContent(), 'Stopped');
  });
});
