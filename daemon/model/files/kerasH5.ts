/** The content of an HDF5 file of Keras, and its layout. */
import { UserError } from '../../protocol/errors.js';
import { withHdf5, type Hdf5File } from './hdf5.js';

/** Whether a group contains variables at any depth. */
const holdsVariables = (h5: Hdf5File, group: string, depth = 8): boolean =>
  h5
    .children(group)
    .some((child) => child === 'vars' || (depth > 0 && holdsVariables(h5, `${group}/${child}`, depth - 1)));

/** Whether a file holds weights in the native layout, and the name of its group of layers. */
export function nativeLayersKey(h5: Hdf5File): string | null {
  const root = h5.children('');
  const keys = ['layers', '_layer_checkpoint_dependencies'];
  return keys.find((key) => root.includes(key) && holdsVariables(h5, key)) ?? null;
}

export const legacyRoot = (h5: Hdf5File): string => (h5.children('').includes('model_weights') ? 'model_weights' : '');

/** The content of another HDF5 file: 'the arrays "x" [60, 28, 28] and "y" [60]'. */
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
 * The kind of an HDF5 file: a whole Keras model, or only its weights.
 * @throws UserError('model-invalid') with the file's content, if it is neither.
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
