/** What a client of the daemon waits for when it opens a large model, and what other clients wait for meanwhile. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DaemonClient } from '../daemon/client.js';

/** @param paths model files in the folder. */
export async function inDaemon(folder: string, paths: readonly string[]): Promise<void> {
  for (const model of paths) {
    const daemon = await DaemonClient.start(folder);
    const measured = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      await daemon.longestTurn();
      const began = performance.now();
      const failed = await work().then(() => undefined, (error: unknown) => (error as Error).message); // prettier-ignore
      const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
      console.log(JSON.stringify({ daemon: what, model: basename(model), seconds, longestTurnMs: await daemon.longestTurn(), ...(failed !== undefined && { failed }) })); // prettier-ignore
    };
    try {
      await measured('import (lc/inspect)', () => daemon.call('lc/inspect', { model }));
      await measured('inspect again', () => daemon.call('lc/inspect', { model }));
      await measured('preview a budget', () => daemon.call('lc/preview', { model, budget: { keep: '10%' } }));
      const planPath = join(folder, `${basename(model, '.onnx')}.prune.json`);
      await writeFile(planPath, JSON.stringify({ model: basename(model), data: 'mnist', budget: { keep: '10%' } }));
      await measured('check a plan in an editor', async () => {
        const checked = daemon.next('textDocument/publishDiagnostics');
        const text = await readFile(planPath, 'utf8');
        daemon.notify('textDocument/didOpen', { textDocument: { uri: pathToFileURL(planPath).href, languageId: 'jsonc', version: 1, text } }); // prettier-ignore
        await checked;
      });
      await measured('preview a plan', () => daemon.call('lc/previewPlan', { planPath }));
    } finally {
      await daemon.close();
    }
  }
}
