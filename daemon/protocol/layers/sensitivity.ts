/** The error of a plan's model with each layer pruned alone, without retraining. */
import * as z from 'zod';
import { Budget } from '../plan.js';

export const LayerSensitivity = z.object({
  layer: z.string(),
  weights: z.number().describe('Prunable ones.'),
  points: z
    .array(z.object({ share: z.number(), error: z.number().nullable().describe('null: not finite.') }))
    .describe('Its largest weights kept, all other layers whole; from the largest share to the smallest.'),
  needed: z.number().describe('The least share from which on every error measured stays within the increase.'),
});
export type LayerSensitivity = z.infer<typeof LayerSensitivity>;

export const Sensitivity = z.object({
  set: z.enum(['validation', 'test', 'train']).describe('The part of the data that the errors are of.'),
  samples: z.number(),
  reference: z.number().nullable().describe('Error of the whole model.'),
  increase: z.number().describe('What a layer alone may lose, in absolute points.'),
  layers: z.array(LayerSensitivity),
  budget: Budget.nullable().describe('Of the plan; null: it has several tasks, which take no floors from here.'),
  floors: z.record(z.string(), z.number()).describe('Those that the plan has, as shares by layer.'),
  suggested: z
    .record(z.string(), z.number())
    .nullable()
    .describe('Floors in the proportions of what the layers need, as shares; null: the budget takes none.'),
  notes: z.array(z.string()),
});
export type Sensitivity = z.infer<typeof Sensitivity>;
