/** The graph of a network's layers: the inputs of each layer, and which of its units can be removed. */
import * as z from 'zod';

/** Why units of a layer stay under any budget. */
export const StayCause = z.object({
  why: z
    .enum(['input', 'output', 'softmax', 'shared', 'mixes'])
    .describe(
      'They are the input or an output of the model; an activation reads all of them; a layer that is used several times, or that mixes its channels, makes or reads them.',
    ),
  layer: z.string().nullable().describe('The layer that needs them; null: what is outside of the model.'),
});
export type StayCause = z.infer<typeof StayCause>;

/** The neurons or filters of a layer. */
export const LayerUnits = z.object({
  count: z.number(),
  staying: z.number().describe('Of these: those that never go.'),
  causes: z.array(StayCause).describe('Of those that stay.'),
  goWith: z.array(z.string()).describe('Layers whose units go together with those of this one, or not at all.'),
  tiedBy: z.array(z.string()).describe('The layers that tie them: additions and the like.'),
});
export type LayerUnits = z.infer<typeof LayerUnits>;

export const LayerLinks = z.object({
  reads: z.array(z.string()).describe('The layers whose outputs it reads, in the order of its inputs.'),
  units: LayerUnits.nullable().describe('null: it has none of its own.'),
});
export type LayerLinks = z.infer<typeof LayerLinks>;
