/** The training setup of a model if it depends on the data. */
import { UserError } from '../../protocol/errors.js';
import type { TrainingSetup } from './trainingSetup.js';

/**
 * Opens the data for the model's loss. A model without a training config whose output is linear with several units is a regression, or a classifier
 * whose loss takes logits: it is the latter if its data has class labels.
 * @param open reads the data for a setup; called a second time only in that case.
 * @throws the UserError of `open` for the given setup.
 */
export async function setupByData<T>(
  setup: TrainingSetup,
  open: (setup: TrainingSetup) => Promise<T>,
): Promise<{ setup: TrainingSetup; opened: T }> {
  try {
    return { setup, opened: await open(setup) };
  } catch (error) {
    if (!setup.mayBeLogits || !(error instanceof UserError) || error.code !== 'data-invalid') throw error;
    const logits: TrainingSetup = {
      ...setup,
      loss: 'categoricalCrossentropy',
      classification: true,
      fromLogits: true,
      mayBeLogits: false,
      notes: [...setup.notes, 'the output is linear and the data holds class labels: the loss is the cross-entropy of the softmax of the output'],
    }; // prettier-ignore
    const opened = await open(logits).catch(() => Promise.reject(error));
    return { setup: logits, opened };
  }
}
