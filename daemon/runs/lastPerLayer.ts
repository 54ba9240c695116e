import { open } from 'node:fs/promises';
import { RunEvent, type LayerKept } from '../protocol/events.js';
import { runPaths } from '../trainer/runFolder.js';

const PIECE = 256 * 1024;
/** An LC iteration of a large net logs megabytes of batches; beyond this the answer is not worth the reading. */
const FARTHEST = 32 * 1024 * 1024;

function perLayerOf(line: string): LayerKept[] | null {
  if (!line.includes('"perLayer"')) return null;
  try {
    const parsed = RunEvent.safeParse(JSON.parse(line));
    return parsed.success && 'perLayer' in parsed.data ? parsed.data.perLayer : null;
  } catch {
    return null;
  }
}

/** Kept weights per layer as the run's log last gives them; read from its end. null where it does not yet. */
export async function lastPerLayer(folder: string): Promise<LayerKept[] | null> {
  const handle = await open(runPaths(folder).events, 'r').catch(() => null);
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    let rest = '';
    for (let end = size; end > 0 && size - end < FARTHEST;) {
      const start = Math.max(0, end - PIECE);
      const piece = Buffer.alloc(end - start);
      await handle.read(piece, 0, piece.length, start);
      // latin1 keeps a character cut in two whole; lines of interest are decoded below.
      const lines = (piece.toString('latin1') + rest).split('\n');
      rest = start > 0 ? lines.shift()! : '';
      for (const line of lines.reverse()) {
        const found = perLayerOf(Buffer.from(line, 'latin1').toString('utf8'));
        if (found) return found;
      }
      end = start;
    }
    return null;
  } finally {
    await handle.close();
  }
}
