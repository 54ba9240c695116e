/** What a pruned model can be written as, how large and how good each file is, and how fast the networks are. */
import { z } from 'zod';

/** Which programs a file is for; `weights`: those that have the network's code already. */
export const ExportUse = z.enum(['web', 'python', 'onnx', 'weights']);
export type ExportUse = z.infer<typeof ExportUse>;

export const ExportFormat = z.object({
  format: z.string(),
  name: z.string(),
  /** Of its main file, with the dot; '' where it is a folder. */
  extension: z.string(),
  bytes: z.number(),
  gzip: z.number(),
  brotli: z.number(),
  ratio: z.number(),
  /** As which of the measured networks it runs (`LatencyFigures`); null: weights alone, which do not. */
  network: z.enum(['pruned', 'thinned', 'sparse module']).nullable(),
  use: ExportUse,
  recommended: z.boolean().describe('The smallest for its use that is no worse than the pruned network.'),
  /** Of the file, read back, on the part of the data that the run's error is of; absent: not measured. */
  faithful: z.boolean().describe('Its error is that of the pruned network, or a tenth of a point more; where there is none, its weights are not rounded.'), // prettier-ignore
  error: z.number().nullable().optional(),
  errorNote: z.string().optional().describe('Why there is no error.'),
});
export type ExportFormat = z.infer<typeof ExportFormat>;

/** How fast a model is on the daemon's machine, one thread; see daemon/export/latency.ts. */
export const LatencyFigures = z.object({
  machine: z.string(),
  rows: z.array(
    z.object({
      what: z.enum(['reference', 'pruned', 'thinned', 'sparse module']),
      batch: z.number(),
      microseconds: z.number(),
      speedup: z.number(),
    }),
  ),
  left: z.array(z.object({ what: z.string(), reason: z.string() })),
  /** Of one sample, every weight counted: before and after thinning. */
  flops: z.object({ pruned: z.number(), thinned: z.number() }),
});
export type LatencyFigures = z.infer<typeof LatencyFigures>;

/** `result/exports.json`: what was measured of a run's result when the run ended. */
export const MeasuredExports = z.object({
  version: z.literal(1),
  reference: z.number().describe("Bytes of the reference's weights, dense float32."),
  formats: z.array(ExportFormat),
  left: z.array(z.object({ format: z.string(), reason: z.string() })),
  latency: LatencyFigures.nullable(),
  notes: z.array(z.string()).describe('What could not be measured, and why.'),
});
export type MeasuredExports = z.infer<typeof MeasuredExports>;
