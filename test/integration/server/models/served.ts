/** A daemon that serves a workspace with LeNet300, half of whose first kernel is zero, and other models that tests put there. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';
import { withWeights } from '../../../../daemon/model/weights.js';
import { tinyModel } from '../../../fixtures/tinyWorkspace.js';
import { bundle } from '../../../fixtures/daemon/bundle.js';
import { Daemon, temporaryFolder, type Client } from '../harness.js';

export interface Served {
  /** A folder that holds the workspace, and is not served. */
  readonly scratch: string;
  readonly workspace: string;
  /** The model.json of LeNet300, in the folder `net`. */
  readonly model: string;
  readonly daemon: Daemon;
  readonly client: Client;
  readonly call: Client['ask'];
  close(): Promise<void>;
}

/** Starts the product's daemon on a fresh workspace. */
export async function startServed(): Promise<Served> {
  const scratch = await temporaryFolder();
  const workspace = join(scratch.path, 'w');
  const model = join(workspace, 'net', 'model.json');
  await mkdir(join(workspace, 'net'), { recursive: true });
  const reference = buildArchitecture('lenet300', 3);
  const name = reference.weights.find(({ shape }) => shape.length === 2)!.name;
  const half = reference.weights.find((weight) => weight.name === name)!.data.map((value, i) => (i % 2 ? value : 0));
  await writeTfjsModel(withWeights(reference, new Map([[name, half]])), model);
  const daemon = await Daemon.start(await bundle('daemon/main.ts', join(scratch.path, 'dist')));
  const client = await daemon.client([workspace]);
  return {
    scratch: scratch.path,
    workspace,
    model,
    daemon,
    client,
    call: (method, params) => client.ask(method, params),
    async close() {
      await client.close();
      expect(daemon.stderr).not.toMatch(/uncaught|unhandled/i);
      await daemon.close();
      await scratch.remove();
    },
  };
}

/** Writes the tiny model of four inputs into a folder that exists. @returns its model.json. */
export async function writeTinyModel(folder: string): Promise<string> {
  const { json, weights } = tinyModel();
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  await writeFile(join(folder, 'weights.bin'), weights);
  return join(folder, 'model.json');
}
