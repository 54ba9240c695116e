/** The settings of a loss in a file, as far as they are supported; the others are reported. */
import { isObject, type Json } from '../layers/layerConfig.js';

/** Absent ones are Keras's defaults. */
export interface LossSettings {
  /** Of Huber's loss, > 0: it is quadratic up to this |error|. Default 1. */
  readonly delta?: number;
  /**
   * Of the categorical and binary cross-entropies, in [0, 1]: a target y becomes (1 - s) y + s / classes, or
   * (1 - s) y + s / 2. Default 0.
   */
  readonly labelSmoothing?: number;
}

interface Taken {
  readonly settings: LossSettings;
  /** Settings of the file that the loss is computed without, in the file's words: 'reduction "sum"'. */
  readonly ignored: readonly string[];
}

/** Values equal to what is computed anyway: a mean over the rows, probabilities along the last axis. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  reduction: ['auto', 'sum_over_batch_size', 'mean', 'mean_with_sample_weight'],
  axis: [-1],
  ignore_class: [],
};
/** Settings that change no figure, or are read elsewhere. */
const WITHOUT_MEANING = new Set(['name', 'dtype', 'fn', 'from_logits']);

const share = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

/**
 * @param loss the engine's name of the loss. @param config of the loss's object in the file; null if it has none.
 * @param rank of the output with its batch axis, because an axis may be counted from the front.
 */
export function lossSettings(loss: string, sparse: boolean, config: Json | null, rank: number): Taken {
  const settings: { delta?: number; labelSmoothing?: number } = {};
  const ignored: string[] = [];
  // A function's arguments are kept below "fn_kwargs" (tf.keras), or beside its name.
  const { fn_kwargs: inner, ...own } = config ?? {};
  for (const [key, value] of Object.entries({ ...own, ...(isObject(inner) ? inner : {}) })) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (value === null || value === undefined || WITHOUT_MEANING.has(name)) continue;
    if (name === 'delta' && loss === 'huber' && typeof value === 'number' && value > 0 && Number.isFinite(value)) {
      if (value !== 1) settings.delta = value;
    } else if (name === 'label_smoothing' && !sparse && loss.endsWith('Crossentropy') && share(value)) {
      if (value > 0) settings.labelSmoothing = value;
    } else if (name === 'label_smoothing' && value === 0) continue;
    // The binary cross-entropy and the regressions are means over every axis anyway.
    else if (name === 'axis' && (value === rank - 1 || loss !== 'categoricalCrossentropy')) continue;
    else if (!NEUTRAL[name]?.includes(value)) ignored.push(`${name} ${JSON.stringify(value).slice(0, 40)}`);
  }
  return { settings, ignored };
}
