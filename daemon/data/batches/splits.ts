import { createRandom } from '../../lc/random.js';
import { countText, invalidData } from '../dataError.js';
import { identityIndices } from './sampleStore.js';

/** Rows of the training file to train on and to hold out; rows of the test file, or of the training file if there is no test file. */
export interface SplitRows {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
  /** Rows of the test part, or of the training part where the data has no test part. */
  readonly test: Uint32Array;
  readonly notes: readonly string[];
}

export interface SplitRequest {
  /** The data's name in messages. */
  readonly name: string;
  readonly trainSize: number;
  /** null: no test part, so one is held out. */
  readonly testSize: number | null;
  /** A share below 1, or a count. */
  readonly validation: number;
  readonly limit: number | null;
  readonly seed: number;
  /** "train": holds out a test set if there is none; "evaluate": tests on every sample. */
  readonly purpose: 'train' | 'evaluate';
}

const SPLIT_STREAM = 3;
const TEST_SHARE = 0.2;

/** A part of the requested size has at least one sample, if one can be spared. */
const shareOf = (share: number, samples: number): number =>
  share === 0 ? 0 : Math.max(Math.round(share * samples), samples > 1 ? 1 : 0);

/**
 * Divides the samples, reproducibly from the seed: first `limit`, then a test part of 20% if the data has none, then `validation` of the rest. All
 * parts keep the order of the file; batches are shuffled later.
 * @throws UserError('data-invalid') when nothing would be left to train on.
 */
export function splitRows(request: SplitRequest): SplitRows {
  const { name, trainSize, testSize, limit, purpose } = request;
  const available = Math.min(trainSize, limit ?? trainSize);
  const random = createRandom(request.seed, SPLIT_STREAM);
  const order = identityIndices(available);
  const holdOutTest = testSize === null && purpose === 'train';
  if (holdOutTest || request.validation > 0) random.shuffle(order);
  const testCount = holdOutTest ? shareOf(TEST_SHARE, available) : 0;
  const rest = available - testCount;
  const validationCount = request.validation < 1 ? shareOf(request.validation, rest) : request.validation;
  if (purpose === 'train' && validationCount >= rest)
    throw invalidData(
      name,
      `"validation" takes ${countText(validationCount)} of ${countText(rest)} training samples and leaves none to train on`,
      'validation',
    );
  const notes =
    holdOutTest && testCount > 0
      ? [
          `No test set is given: ${countText(testCount)} of ${countText(available)} samples (${Math.round((100 * testCount) / available)}%, seeded) are held out to test on.`,
        ]
      : [];
  const held = Math.min(validationCount, rest);
  return {
    test: testSize === null ? (holdOutTest ? order.slice(0, testCount).sort() : order) : identityIndices(testSize),
    validation: order.slice(testCount, testCount + held).sort(),
    train: order.slice(testCount + held).sort(),
    notes,
  };
}
