import { columnMeans, type RowMask } from '../../data/mapping/countedRows.js';
import { samplesAtOnce } from '../../data/batches/samplesAtOnce.js';
import type { EngineSession, Loss, SampleSource } from '../../engine/engine.js';
import { elementLoss, smoothingFloor } from '../../engine/loss/elements.js';
import type { LossSettings } from '../../model/setup/lossSettings.js';
import { absorbedHead } from '../../model/setup/loss.js';
import { sizeOf } from '../../protocol/shape.js';

/** More samples, or more values of targets, would not change the estimate. */
const SAMPLES = 2048;
const VALUES = 1 << 20;
const MOST_AT_ONCE = 32;

const plogp = (p: number): number => (p > 0 ? p * Math.log(p) : 0);

interface Targets {
  readonly values: Float32Array;
  /** Number of values of one sample, and of one row of it. */
  readonly size: number;
  readonly width: number;
  readonly mask: RowMask;
}

type Shapes = Pick<EngineSession, 'inputShapes' | 'outputShape' | 'outputMask'>;

/** Mean over the values that count of `loss` of the mean target and the value. */
function meanOver({ values, size, width, mask }: Targets, loss: (answer: number, value: number) => number): number {
  const mean = columnMeans(values, size, width, mask);
  let [sum, counted] = [0, 0];
  values.forEach((value, i) => {
    if (mask?.[Math.floor(i / width)] === 0) return;
    sum += loss(mean[i % size]!, value);
    counted++;
  });
  return sum / Math.max(1, counted);
}

const relative = (q: number, p: number): number => (q > 0 ? q * Math.log(q / p) : 0);

/**
 * Loss of the best constant answer to a teacher (engine/loss/taught.ts): T^2 times the divergence of its mean probabilities from each; for other losses
 * than the cross-entropies, as `chanceLoss`.
 * @param source with the teacher's targets. @returns null without samples.
 */
export async function chanceDivergence(
  source: SampleSource,
  session: Shapes,
  { loss, lossSettings = {} }: { readonly loss: Loss; readonly lossSettings?: LossSettings },
  temperature: number,
): Promise<number | null> {
  const targets = await readTargets(source, session);
  if (!targets) return null;
  const head = absorbedHead(loss);
  if (head === 'none') return lossOfMean(targets, loss, lossSettings);
  const each =
    head === 'softmax'
      ? meanOver(targets, (p, q) => relative(q, p)) * targets.width
      : meanOver(targets, (p, q) => relative(q, p) + relative(1 - q, 1 - p));
  return temperature * temperature * each;
}

/**
 * Loss of the best constant answer: the shares of the classes (for the cross-entropies: their entropy), or the mean target (for the others). A
 * destroyed network has this loss.
 * @param source its first samples are read. @param session of the network; rows that its mask leaves out do not count.
 * @returns the mean loss per sample, in the unit of the training loss; null without samples.
 */
export async function chanceLoss(
  source: SampleSource,
  session: Shapes,
  loss: Loss,
  settings: LossSettings = {},
): Promise<number | null> {
  const targets = await readTargets(source, session);
  return targets && lossOfMean(targets, loss, settings);
}

/** The targets of the first samples; null without samples. */
async function readTargets(source: SampleSource, session: Shapes): Promise<Targets | null> {
  const { inputShapes, outputShape } = session;
  const size = sizeOf(outputShape);
  const samples = Math.min(source.size, SAMPLES, Math.max(1, Math.floor(VALUES / size)));
  if (samples === 0) return null;
  const width = outputShape.at(-1) ?? 1;
  const rows = size / width;
  const values = new Float32Array(samples * size);
  let mask: Float32Array | null = null;
  const atOnce = samplesAtOnce(inputShapes, MOST_AT_ONCE);
  const inputs = inputShapes.map((shape) => new Float32Array(atOnce * sizeOf(shape)));
  const chunk = new Float32Array(atOnce * size);
  for (let start = 0; start < samples; start += atOnce) {
    const count = Math.min(atOnce, samples - start);
    await source.read(start, count, inputs, chunk);
    values.set(chunk.subarray(0, count * size), start * size);
    const counted = await session.outputMask(inputs, count);
    if (counted) (mask ??= new Float32Array(samples * rows)).set(counted, start * rows);
  }
  return { values, size, width, mask };
}

function lossOfMean(targets: Targets, loss: Loss, settings: LossSettings): number {
  const { values, width, mask } = targets;
  const ofElement = elementLoss(loss, 'none', settings);
  if (ofElement && loss !== 'binaryCrossentropy')
    return meanOver(targets, (z, y) => ofElement.value(z, y)) * (ofElement.ofRow === 'sum' ? width : 1);
  const { labelSmoothing = 0 } = settings;
  const smoothed = (share: number) => (1 - labelSmoothing) * share + smoothingFloor(loss, labelSmoothing, width);
  const shares = columnMeans(values, width, width, mask);
  if (loss === 'binaryCrossentropy') {
    const answers = shares.map(smoothed);
    return -answers.reduce((sum, p) => sum + plogp(p) + plogp(1 - p), 0) / width;
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  return total > 0 ? -shares.reduce((sum, share) => sum + plogp(smoothed(share / total)), 0) : 0;
}
