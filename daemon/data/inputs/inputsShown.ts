/** Samples of each input as they are sent to a page: small pictures, or the first of their numbers. */
import type { InputShown } from '../../protocol/dataChoice.js';
import type { InputPreview } from '../preview.js';
import { thumbnail, thumbnailSize } from '../images/samplePicture.js';

/** Pixels on the longer side of a picture. */
const PIXELS = 64;
const VALUES = 64;

/** Up to so many inputs have pictures of that size; with more inputs they are smaller, so that all together stay a few MB. */
const INPUTS = 8;

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function inputShown(input: InputPreview, pixels: number): InputShown {
  const { name, shape, image, minimum, maximum, values } = input;
  return {
    name,
    shape: [...shape],
    image: image && [...thumbnailSize(image, pixels), 3],
    range: [finite(minimum) ?? 0, finite(maximum) ?? 0],
    pictures: image ? values.map((sample) => Buffer.from(thumbnail(input, sample, image, pixels)).toString('base64')) : [], // prettier-ignore
    values: image ? [] : values.map((sample) => [...sample.subarray(0, VALUES)].map(finite)),
  };
}

/** @param pixels on the longer side of a picture, if there are few inputs. */
export function inputsShown(inputs: readonly InputPreview[], pixels = PIXELS): InputShown[] {
  const most = Math.max(1, Math.floor(pixels / Math.sqrt(Math.max(1, inputs.length / INPUTS))));
  return inputs.map((input) => inputShown(input, most));
}
