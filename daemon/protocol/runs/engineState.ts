/** An engine that may execute runs, as clients get it in the list of engines. */
import * as z from 'zod';

export const EngineState = z.object({
  id: z.string(),
  name: z.string(),
  device: z.string(),
  available: z.boolean(),
  chosen: z.boolean(),
  reason: z.string(),
});
export type EngineState = z.infer<typeof EngineState>;
