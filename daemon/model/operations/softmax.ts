/** softmax along an axis of the sample. */
import { inverse } from '../../network/ir.js';
import { isClosed, type Operation } from './operation.js';

export const softmax: Operation = {
  keras: { module: 'nn', className: 'Softmax' },
  tensorflow: ['softmax'],
  arity: 1,
  settings(given, refuse) {
    const axis = given.axis ?? -1;
    if (typeof axis !== 'number' || axis === 0) return refuse('is a softmax along no axis of the sample');
    return { axis };
  },
  shape: ([input = null]) => input,
  compute(tf, [x], { axis }) {
    const at = (axis as number) < 0 ? (axis as number) + x!.rank : (axis as number);
    if (at === x!.rank - 1) return tf.softmax(x!);
    const perm = [...x!.shape.keys()].filter((one) => one !== at).concat(at);
    return tf.transpose(tf.softmax(tf.transpose(x!, perm)), inverse(perm));
  },
  asLayer: ({ name, settings }, [input]) =>
    isClosed(input!) && [-1, input!.length].includes(settings.axis as number)
      ? { class_name: 'Softmax', config: { name, trainable: true, axis: settings.axis } }
      : null,
};
