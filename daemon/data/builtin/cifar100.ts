/** CIFAR-100's binary files: records of a coarse label, a fine label and 3072 bytes, channel by channel. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../files/arrayFile.js';
import { countText, invalidData } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset, RawPart } from '../rawDataset.js';
import { channelsLast, memoryStore } from '../batches/sampleStore.js';
import { readSource, type SourceFile } from '../files/sourceFile.js';
import { sizeOf } from '../../protocol/shape.js';

const IMAGE_BYTES = 32 * 32 * 3;
const RECORD = IMAGE_BYTES + 2;
const COARSE = 20;

/** Whether a folder's members are the binary version of https://www.cs.toronto.edu/~kriz/cifar.html. */
export function isCifar100Folder(names: readonly string[]): boolean {
  return names.includes('train.bin') && names.includes('test.bin');
}

/** The 20 coarse classes for a model of 20 outputs, else the 100 fine ones; their names where the lists lie beside. */
export async function readCifar100(
  folder: SourceFile,
  { outputShape }: DataRequirements,
  resolve: ReadContext['resolve'],
): Promise<RawDataset> {
  const coarse = sizeOf(outputShape) === COARSE;
  const hashes: string[] = [];
  const names = await classNames(folder, coarse ? 'coarse' : 'fine', resolve);
  const part = async (member: string): Promise<RawPart> => {
    const file = await resolve(join(folder.path, member), `${folder.name}/${member}`);
    const bytes = await readSource(file);
    if (bytes.length % RECORD !== 0)
      throw invalidData(
        file.name,
        `${countText(bytes.length)} bytes are not whole records of ${RECORD}: the file is cut short or too long; get it again`,
      );
    hashes.push(sha256(bytes));
    const count = bytes.length / RECORD;
    const pixels = new Uint8Array(count * IMAGE_BYTES);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      labels[i] = bytes[i * RECORD + (coarse ? 0 : 1)]!;
      pixels.set(bytes.subarray(i * RECORD + 2, (i + 1) * RECORD), i * IMAGE_BYTES);
    }
    return {
      name: file.name,
      inputs: [channelsLast(memoryStore(pixels, count, [3, 32, 32]))],
      targets: { kind: 'labels', labels, positions: 1, ...(names && { names, numbered: true }), where: file.name },
    };
  };
  const [train, test] = [await part('train.bin'), await part('test.bin')];
  const title = `CIFAR-100 (${folder.name}), ${coarse ? 'coarse' : 'fine'} labels`;
  return { title, train, test, hash: sha256(...hashes), notes: [] };
}

async function classNames(
  folder: SourceFile,
  kind: 'coarse' | 'fine',
  resolve: ReadContext['resolve'],
): Promise<readonly string[] | null> {
  const name = `${kind}_label_names.txt`;
  const file = await resolve(join(folder.path, name), `${folder.name}/${name}`).catch(() => null);
  const text = file && (await readFile(file.path, 'utf8').catch(() => null));
  const names = text?.split(/\r?\n/).filter((line) => line !== '') ?? [];
  return names.length === (kind === 'coarse' ? COARSE : 100) ? names : null;
}
