/** Settings that TensorFlow.js refuses in classes that it has. No import of TensorFlow.js: there may be several instances of it. */
import type * as Core from '@tensorflow/tfjs-core';
import type { Json } from '../../model/layers/layerConfig.js';

/** A class of layers, as far as a subclass here reads it. */
export type ClassOf<T> = new (config: Json) => T;

/**
 * Has an instance build a subclass of one of its classes, under the same name, where a layer's config asks for it.
 * @param asks of a config with TensorFlow.js's keys ("resetAfter").
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
