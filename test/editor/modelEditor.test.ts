/** A Keras or ONNX file in a real VS Code: a table with the same actions as the CodeLens of a model.json. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeOnnx } from '../../daemon/export/writeOnnx.js';
import { readLayers } from '../fixtures/readLayers.js';
import { writeKeras, writeKerasH5 } from '../../daemon/model/files/writeKeras.js';
import { artifact } from './expectEventually.js';
import { makeWorkspace } from './sample.js';
import { Workbench } from './workbench.js';

describe('a Keras or ONNX file', () => {
  let workspace: Awaited<ReturnType<typeof makeWorkspace>>;
  let window: Workbench;

  beforeAll(async () => {
    workspace = await makeWorkspace();
    const model = await readLayers(join(workspace.folder, 'lenet300/model.json'), { workspace: workspace.folder });
    await writeKerasH5(model, join(workspace.folder, 'net.h5'));
    await writeKeras(model, join(workspace.folder, 'net3.keras'));
    await writeFile(join(workspace.folder, 'table.h5'), 'no HDF5 at all');
    await writeOnnx(model, join(workspace.folder, 'net.onnx'));
    await writeFile(join(workspace.folder, 'cut.onnx'), Buffer.from('\x08\x08\x12\x07pytorch\x1a\x051.13', 'latin1'));
    await writeFile(join(workspace.folder, 'net.tflite'), Buffer.from('\x1c\0\0\0TFL3\x14\0', 'latin1'));
    await writeFile(join(workspace.folder, 'page.pt'), 'uma página de texto');
    window = await Workbench.open({ folder: workspace.folder });
  });
  afterAll(async () => {
    await artifact(window?.page, 'model-editor-end');
    await window?.close();
    await workspace?.remove();
  });

  test.each(['net.h5', 'net3.keras', 'net.onnx'])('%s opens as the table of its layers', async (file) => {
    await window.openFile(file);
    const rows = window.monitor.locator('.model-layers tbody tr');
    await rows.first().waitFor({ timeout: 90_000 });
    const layers = await rows.locator('th').allInnerTexts();
    expect(layers).toEqual(expect.arrayContaining(['fc1', 'fc2', 'fc3']));
    const text = await window.monitor.locator('.model-layers').innerText();
    expect(text).toContain('235,200');
    expect(text).toContain('88.35%');
    await artifact(window.page, `model-editor-${file}`);
    await window.palette('View: Close Editor');
  });

  test('its actions are those of the CodeLens', async () => {
    await window.openFile('net.h5');
    await window.monitor.getByRole('button', { name: 'Prune to budget' }).click({ timeout: 60_000 });
    // No plan names its data yet, so the editor asks for that first.
    await window.quickPick(/mnist/).first().waitFor({ timeout: 30_000 });
    await window.page.keyboard.press('Escape');
    await window.monitor.getByRole('button', { name: 'Set budget... fc2' }).click();
    // No plan yet: a new one first.
    await window.quickPick(/mnist/).first().waitFor({ timeout: 30_000 });
    await window.page.keyboard.press('Escape');
    await window.monitor.getByRole('button', { name: 'Inspect' }).click();
    await window.treeRow('fc1').first().waitFor({ timeout: 30_000 });
  });

  test.each([
    ['net.tflite', 'is a TensorFlow Lite model, made for inference; open the ONNX, Keras or TensorFlow.js model'],
  ])('%s is named, with the way that leads here', async (file, words) => {
    await window.openFile(file);
    await window.monitor.getByText(words).waitFor({ timeout: 30_000 });
    await artifact(window.page, `model-editor-${file}`);
  });

  test('a truncated ONNX file shows that it is cut off', async () => {
    await window.openFile('cut.onnx');
    await window.monitor.getByText('is damaged at byte 11').waitFor({ timeout: 30_000 });
  });

  test('a file that is not a model shows an error', async () => {
    await window.openFile('table.h5');
    await window.monitor.getByText('cannot be shown as a model').waitFor({ timeout: 30_000 });
    await window.monitor.getByText('is no Keras file, though it is named so').waitFor();
    expect(window.violations).toEqual([]);
  });

  test('a text whose ending is that of a model opens as text, and the next page is drawn', async () => {
    await window.openFile('page.pt');
    await window.page.locator('.view-lines').getByText('uma').waitFor({ timeout: 30_000 });
    await window.openFile('net.tflite');
    await window.monitor.getByText('is a TensorFlow Lite model').waitFor({ timeout: 30_000 });
  });
});
