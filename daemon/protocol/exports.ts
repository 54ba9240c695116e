/** The formats of a pruned model, the size and error of each file, and the latency of the networks. */
import * as z from 'zod';

/** Which programs a file is for; `weights`: for those that contain the network's code. */
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
  /** The measured network that it runs as (`LatencyFigures`); null: weights alone, which cannot be run. */
  network: z.enum(['pruned', 'thinned', 'sparse module']).nullable(),
  use: ExportUse,
  recommended: z.boolean().describe('The smallest for its use that is no worse than the pruned network.'),
  /** Error of the file, read back, on the same part of the data as the run's error; absent: not measured. */
  faithful: z.boolean().describe('Its error is that of the pruned network, or a tenth of a point more; where there is none, its weights are not rounded.'), // prettier-ignore
  error: z.number().nullable().optional(),
  errorNote: z.string().optional().describe('Why there is no error.'),
});
export type ExportFormat = z.infer<typeof ExportFormat>;

/** Latency of a model on the daemon's machine, one thread; see daemon/export/latency.ts. */
export const LatencyFigures = z.object({
  machine: z.string(),
  rows: z.array(
    z.object({
      what: z.enum(['reference', 'pruned', 'thinned', 'sparse module']),
      batch: z.number(),
      microseconds: z.number(),
      speedup: z.number().nullable(),
    }),
  ),
  left: z.array(z.object({ what: z.string(), reason: z.string() })),
  /** Of one sample, every weight counted: before and after thinning. */
  flops: z.object({ pruned: z.number(), thinned: z.number() }),
});
export type LatencyFigures = z.infer<typeof LatencyFigures>;

/** `result/exports.json`: the measurements of a run's result when the run ended. */
export const MeasuredExports = z.object({
  version: z.literal(1),
  reference: z.number().describe("Bytes of the reference's weights, dense float32."),
  formats: z.array(ExportFormat),
  left: z.array(z.object({ format: z.string(), reason: z.string() })),
  latency: LatencyFigures.nullable(),
  notes: z.array(z.string()).describe('What could not be measured, and why.'),
});
export type MeasuredExports = z.infer<typeof MeasuredExports>;
