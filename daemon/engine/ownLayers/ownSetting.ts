/** Settings that TensorFlow.js rejects in classes that it has. Does not import TensorFlow.js, because there may be several instances of it. */
import type * as Core from '@tensorflow/tfjs-core';
import type { Json } from '../../model/layers/layerConfig.js';

/** The parts of a layer class that subclasses here use. */
export type ClassOf<T> = new (config: Json) => T;

/**
 * Registers a subclass of one of the instance's classes, under the same name, for layers whose config needs it.
 * @param asks whether a config with TensorFlow.js's keys ("resetAfter") needs it.
 */
export function registerSetting<T>(
  core: typeof Core,
  className: string,
  asks: (config: Json) => boolean,
  subclass: (own: ClassOf<T>) => ClassOf<T>,
): void {
  const { classNameMap } = core.serialization.SerializationMap.getMap();
  const [own, fromConfig] = classNameMap[className]!;
  const other = subclass(own as unknown as ClassOf<T>) as unknown as typeof own;
  classNameMap[className] = [own, (cls, config) => (asks(config as Json) ? new other(config) : fromConfig(cls, config))];
} // prettier-ignore
