/** What an HDF5 file of Keras holds, and in which layout. */
import { UserError } from '../../protocol/errors.js';
import { withHdf5, type Hdf5File } from './hdf5.js';

/** Whether variables lie somewhere below a group. */
const holdsVariables = (h5: Hdf5File, group: string, depth = 8): boolean =>
  h5
    .children(group)
    .some((child) => child === 'vars' || (depth > 0 && holdsVariables(h5, `${group}/${child}`, depth - 1)));

/** Whether a file holds weights in the native layout, and what its groups of layers are called. */
export function nativeLayersKey(h5: Hdf5File): string | null {
  const root = h5.children('');
  const keys = ['layers', '_layer_checkpoint_dependencies'];
  return keys.find((key) => root.includes(key) && holdsVariables(h5, key)) ?? null;
}

export const legacyRoot = (h5: Hdf5File): string => (h5.children('').includes('model_weights') ? 'model_weights' : '');

/** What an HDF5 file that is no Keras file holds: 'the arrays "x" [60, 28, 28] and "y" [60]'. */
export function contentsOf(h5: Hdf5File): string {
  const names = h5.children('');
  const shown = names.slice(0, 6).map((name) => {
    const shape = h5.shape(name);
    if (shape !== null) return `the array "${name}" [${shape.join(', ')}]`;
    const inner = h5.children(name);
    const some = inner.slice(0, 4).map((child) => `"${child}"`);
    return `the group "${name}" (${some.join(', ') || 'empty'}${inner.length > some.length ? ', ...' : ''})`;
  });
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  return shown.join(', ') || 'nothing';
}

/**
 * What an HDF5 file is: a whole Keras model, or the weights of one.
 * @throws UserError('model-invalid') saying what the file holds, where it is neither.
 */
export async function kindOfH5(bytes: Uint8Array, file: string): Promise<'model' | 'weights'> {
  return withHdf5(bytes, file, (h5) => {
    if (h5.text('', 'model_config') !== null) return 'model';
    if (h5.texts(legacyRoot(h5), 'layer_names') !== null || nativeLayersKey(h5) !== null) return 'weights';
    throw new UserError(
      'model-invalid',
      `${file} is an HDF5 file, but no Keras model and no weights of one: it holds ${contentsOf(h5)}; name a Keras model`,
      { file },
    );
  });
}
