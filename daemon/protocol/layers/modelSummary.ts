/** The summary of a model file, and of the weights of one layer of a run. */
import * as z from 'zod';
import { LayerLinks } from './networkGraph.js';
import { AbsolutePath } from '../paths.js';

export const ModelLayer = z.object({
  name: z.string(),
  className: z.string(),
  outputShape: z.array(z.number().nullable()).nullable(),
  params: z.number(),
  prunable: z.number(),
  flops: z.number(),
  zeros: z.number().nullable(),
  frozen: z.boolean().describe('The file does not let it be trained.'),
  ...LayerLinks.shape,
});
export const ModelSummary = z.object({
  path: AbsolutePath,
  format: z.string(),
  name: z.string(),
  params: z.number(),
  prunable: z.number(),
  bytes: z.number(),
  flops: z.number(),
  zeros: z.number().nullable(),
  layers: z.array(ModelLayer),
  notes: z.array(z.string()),
});
export type ModelSummary = z.infer<typeof ModelSummary>;

export const LayerPicture = z.object({
  layer: z.string(),
  shape: z.array(z.number()),
  /** Histogram of w and theta over the same bin edges (edges.length = counts.length + 1). theta without its zeros. */
  edges: z.array(z.number()),
  w: z.array(z.number()),
  theta: z.array(z.number()),
  zeros: z.number(),
  /** Kept weights per input unit, for the sparsity picture; length = inputs. */
  keptPerInput: z.array(z.number()),
  /** The image geometry of the inputs if they are an image ([28, 28, 1]). */
  inputImage: z.array(z.number()).nullable(),
});
export type LayerPicture = z.infer<typeof LayerPicture>;
