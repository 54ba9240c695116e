/** Checks identifiers: values of inputs that an Embedding looks up. */
import type { AsStored } from '../../model/setup/inputsAsStored.js';
import { countText, invalidData } from '../dataError.js';
import { forEachChunk, identityIndices, type SampleStore } from '../batches/sampleStore.js';

/**
 * An Embedding has a row for each identifier from 0 to count - 1; its result for any other is undefined (Keras on a CPU reports an error, on a GPU it
 * returns zeros).
 * @param file the part's name in messages.
 * @throws UserError('data-invalid') naming the first sample with an invalid value.
 */
export async function checkIdentifiers(store: SampleStore, stored: AsStored, file: string): Promise<void> {
  const { count, because } = stored;
  if (count === undefined) return;
  await forEachChunk(store, identityIndices(store.size), (rows, start, samples) => {
    for (let i = 0; i < samples * store.width; i++) {
      const value = rows[i]!;
      // An Embedding truncates fractions, as a cast to integers does.
      if (value > -1 && value < count) continue;
      throw invalidData(
        file,
        `sample ${start + Math.floor(i / store.width)} has the value ${value} at position ${i % store.width}, but ${because} knows the numbers 0 to ${countText(count - 1)}; number the tokens as in training, with those that the model does not know as one number of their own`,
        'inputs',
      );
    }
  });
}
