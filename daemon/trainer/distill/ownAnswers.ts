/**
 * A network's own answers in the place of labels that the data does not have. Measured against the reference's, the error of a network is the share of
 * samples that it answers otherwise.
 */
import type { EngineSession, SampleSource } from '../../engine/engine.js';
import { decided } from '../../engine/loss/taught.js';
import { absorbedHead } from '../../model/setup/loss.js';
import type { TrainingSetup } from '../../model/setup/trainingSetup.js';
import { UserError } from '../../protocol/errors.js';
import { bytes, count } from '../../protocol/format.js';
import { sizeOf } from '../../protocol/shape.js';
import { LIMITS } from '../limits.js';

type Setup = Pick<TrainingSetup, 'loss' | 'outputShape'>;

/**
 * The samples of a source, with the answers of a session's weights as they are now for targets. They are computed at once and stay in memory.
 * @param memory bytes of answers, at most. @throws UserError('data-invalid') if they are more.
 */
export async function answeredSource(
  source: SampleSource,
  session: EngineSession,
  { loss, outputShape }: Setup,
  memory: number = LIMITS.answers,
): Promise<SampleSource> {
  const size = sizeOf(outputShape);
  const needed = source.size * size * Float32Array.BYTES_PER_ELEMENT;
  if (needed > memory)
    throw new UserError(
      'data-invalid',
      `"labels" is false, and the reference's answers to ${count(source.size)} samples take ${bytes(needed)} of memory, more than ${bytes(memory)}: use fewer samples with "limit", or a smaller "validation" or "test" part`,
      { field: 'data.limit' },
    );
  const answers = new Float32Array(source.size * size);
  await session.evaluate(source, {
    onBatch: ({ start, samples, values, head }) =>
      decided(
        { loss, head },
        values.subarray(0, samples * size),
        outputShape.at(-1) ?? 1,
        answers.subarray(start * size, (start + samples) * size),
      ),
  });
  return {
    size: source.size,
    async read(start, samples, inputs, target) {
      await source.read(start, samples, inputs, target);
      target.set(answers.subarray(start * size, (start + samples) * size));
    },
  };
}

/** Writes a session's own answers to a batch into its target. */
export async function answerBatch(
  { inputs, target }: { readonly inputs: readonly Float32Array[]; readonly target: Float32Array },
  samples: number,
  session: EngineSession,
  { loss, outputShape, fromLogits }: Setup & Pick<TrainingSetup, 'fromLogits'>,
): Promise<void> {
  const head = fromLogits ? absorbedHead(loss) : 'none';
  decided({ loss, head }, await session.predict(inputs, samples), outputShape.at(-1) ?? 1, target);
}
