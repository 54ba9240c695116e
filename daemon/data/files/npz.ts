import { unzipSync } from 'fflate';
import type { ArrayFile } from './arrayFile.js';
import { UserError } from '../../protocol/errors.js';
import { countText, invalidData, listText } from '../dataError.js';
import { parseNpy } from './npy.js';
import { parseNpyText, type TextLabels } from './npyText.js';
import { readSource, statSource, type SourceFile } from './sourceFile.js';

/** Deflate expands by at most 1032; an entry that claims more is rejected. */
const MAX_EXPANSION = 1032;

/** The arrays of an .npz file, decoded on request: an array that is not needed may be of any kind. */
export class NpzFile {
  private constructor(
    readonly name: string,
    private readonly members: ReadonlyMap<string, Uint8Array>,
  ) {}

  /**
   * Opens a zip of .npy files, stored or deflated.
   * @throws UserError('data-invalid') when it is damaged, or larger than `memoryLimit` when unpacked.
   */
  static async read(file: SourceFile, memoryLimit: number): Promise<NpzFile> {
    const { bytes } = await statSource(file);
    if (bytes > memoryLimit) throw tooLarge(file.name, bytes, memoryLimit);
    return NpzFile.parse(file.name, await readSource(file), memoryLimit);
  }

  static parse(name: string, bytes: Uint8Array, memoryLimit: number): NpzFile {
    const members = Object.entries(unzip(name, bytes, memoryLimit)).map(
      ([member, content]) => [member.replace(/\.npy$/, ''), content] as const,
    );
    if (members.length === 0) throw invalidData(name, 'the .npz file has no arrays (.npy members)');
    return new NpzFile(name, new Map(members));
  }

  get keys(): string[] {
    return [...this.members.keys()];
  }

  /** @throws UserError('data-invalid') that lists the arrays there are. */
  array(key: string): ArrayFile {
    return parseNpy(this.nameOf(key), this.content(key));
  }

  /** The labels of an array of texts; null if it holds numbers. @throws UserError('data-invalid'). */
  texts(key: string): TextLabels | null {
    return parseNpyText(this.nameOf(key), this.content(key));
  }

  /** The name of an array in messages. */
  nameOf(key: string): string {
    return `${this.name}, array ${key}`;
  }

  private content(key: string): Uint8Array {
    const content = this.members.get(key);
    if (content) return content;
    throw invalidData(this.name, `there is no array ${JSON.stringify(key)}; the file has ${listText(this.keys)}`, key);
  }
}

function unzip(name: string, bytes: Uint8Array, memoryLimit: number): Record<string, Uint8Array> {
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter(entry) {
        if (!entry.name.endsWith('.npy')) return false;
        if (entry.originalSize > entry.size * MAX_EXPANSION + 1024 || entry.size > bytes.length)
          throw invalidData(
            name,
            `the zip entry ${JSON.stringify(entry.name)} claims an impossible size; save the file again`,
          );
        total += entry.originalSize;
        if (total > memoryLimit) throw tooLarge(name, total, memoryLimit);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw invalidData(name, 'the .npz file is damaged (not a readable zip); save it again');
  }
}

function tooLarge(name: string, bytes: number, memoryLimit: number): UserError {
  return invalidData(
    name,
    `${countText(bytes)} bytes unpacked are more than the limit of ${countText(memoryLimit)}: save the arrays as .npy files, which are streamed`,
  );
}
