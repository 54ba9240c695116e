import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'vitest';
import { firstHour } from './firstHour.js';
import * as tables from './tables.js';
import * as sequences from './sequences.js';
import * as images from './images.js';
import type { Stranger } from './stranger.js';
const all = { iris: tables.iris, wine: tables.wine, twoInputs: tables.twoInputs, twoHeads: tables.twoHeads, texts: sequences.texts, tagger: sequences.tagger, transfer: images.transfer, autoencoder: images.autoencoder, unet: images.unet, generator: images.generator } as Record<string, Stranger>;
const only = process.env['ONLY']?.split(',');
for (const [id, s] of Object.entries(all)) {
  if (only && !only.includes(id)) continue;
  it(id, async () => {
    const home = await mkdtemp('/tmp/stranger ten ');
    console.log(id, home);
    try { console.log(id, JSON.stringify(await firstHour(s, home, process.env['KEEP']), null, 1)); } catch (e) { console.log(id, 'FAILED', String((e as Error).stack).slice(0, 3000)); }
  }, 400000);
}
