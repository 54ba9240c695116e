import { frontEndOf } from './frontEnds/frontEndOf.js';
import type { LayerSummary, Model } from './model.js';

/**
 * The layer table: one row per layer, or per operation of a graph, in the model's order. It needs no TensorFlow. FLOPs are 2 per multiply-add,
 * for one sample.
 */
export const summarizeModel = (model: Model): LayerSummary[] => frontEndOf(model).summarize();
