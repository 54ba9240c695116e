import { availableParallelism } from 'node:os';
import { countText, invalidData, shapeText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { toGrey, type Decode } from './decodeImage.js';
import { RowSink } from '../files/rowSink.js';
import type { SampleStore } from '../batches/sampleStore.js';

export type ImageShape = readonly [height: number, width: number, channels: 1 | 3];

/** A PNG or JPEG as it is stored. */
export interface EncodedImage {
  /** Its name in messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Number of images decoded together: enough for all threads, and within memory. */
export const IMAGES_AT_ONCE = 4 * availableParallelism();

/** Decoded images, in order: resized to one size, grey or RGB. Decoding is on other threads. */
export class ImageSink {
  private readonly sink: RowSink;
  private turned = 0;

  constructor(
    name: string,
    private readonly size: ImageShape,
    private readonly decode: Decode,
    memoryLimit: number,
  ) {
    this.sink = new RowSink(name, size, 'u1', memoryLimit);
  }

  /** @throws UserError('data-invalid') naming the first image that does not decode. */
  async append(images: readonly EncodedImage[]): Promise<void> {
    const [height, width, channels] = this.size;
    const decoded = await Promise.allSettled(
      images.map(async ({ name, bytes }) => {
        const { data, turned } = await this.decode(name, bytes, { width, height });
        return { data: channels === 1 ? toGrey(data) : data, turned };
      }),
    );
    for (const result of decoded) {
      if (result.status === 'rejected') throw result.reason;
      this.sink.append(result.value.data);
      if (result.value.turned) this.turned++;
    }
  }

  finish(): SampleStore {
    return this.sink.finish();
  }

  /** A note where other programs decode differently: readers of images in Python ignore EXIF. */
  notes(): readonly string[] {
    if (this.turned === 0) return [];
    const images = this.turned === 1 ? 'One image is' : `${countText(this.turned)} images are`;
    return [
      `${images} turned upright by the EXIF in the file, as viewers and browsers do; Keras, PyTorch and Pillow do not. If the model was trained there, save such images upright, or without EXIF to keep them as they lie.`,
    ];
  }

  discard(): void {
    this.sink.discard();
  }
}

/** The size that every image gets: the model's own, or the first image's if the model accepts any. */
export async function imageSize(
  name: string,
  { inputShapes }: Pick<DataRequirements, 'inputShapes'>,
  decode: Decode,
  first: () => Promise<EncodedImage>,
): Promise<ImageShape> {
  const wanted = inputShapes[0] ?? [];
  const fail = () =>
    invalidData(
      name,
      `images do not fit the model's input of ${shapeText(wanted)}; it must be height x width x 1 or 3`,
      'inputs',
    );
  if (inputShapes.length !== 1) throw fail();
  if (wanted.length === 1) return flatSize(wanted[0] ?? null) ?? raise(fail());
  const [height, width, channels = 1] = wanted;
  if (wanted.length < 2 || wanted.length > 3 || (channels !== 1 && channels !== 3 && channels !== null)) throw fail();
  const depth = channels ?? 3;
  if (typeof height === 'number' && typeof width === 'number') return [height, width, depth];
  const image = await first();
  const natural = await decode(image.name, image.bytes);
  return [height ?? natural.height, width ?? natural.width, depth];
}

function raise(error: Error): never {
  throw error;
}

/** A flat input is a square image, grey or RGB. */
function flatSize(values: number | null): ImageShape | null {
  for (const channels of [1, 3] as const) {
    const side = Math.round(Math.sqrt((values ?? 0) / channels));
    if (side > 0 && side * side * channels === values) return [side, side, channels];
  }
  return null;
}
