/** Networks on images: a frozen base with a new head, an autoencoder, a U-Net, the generator of a GAN. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom, type Random } from '../../../daemon/lc/random.js';
import { tfl } from '../../unit/model/tfjs.js';
import { readArrays } from './npzReader.js';
import { asFloats, rows, save, saveArrays, take, unexplained, upTo, wrongClasses, wrongSides, type Stranger } from './stranger.js'; // prettier-ignore
import { classes, glorot, oneHot, squares } from './tables.js';
import { teach, type Rows } from './teach.js';

type Tensor = tfl.SymbolicTensor;
const conv = (filters: number, more: object = {}) =>
  tfl.layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', ...glorot(), ...more });
const chain = (...layers: tfl.layers.Layer[]) => tfl.sequential({ layers });

const PETS = ['bird', 'cat', 'dog'];
const SIDE = 16;

/** A cross, a disc or stripes of any colour, anywhere. */
function picture(random: Random, kind: number): Uint8Array {
  const bytes = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => random.below(60));
  const [cx, cy] = [5 + random.below(6), 5 + random.below(6)];
  const colour = [0, 1, 2].map(() => 120 + random.below(130));
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const [dx, dy] = [x - cx, y - cy];
      const inside = [Math.min(Math.abs(dx), Math.abs(dy)) === 0, dx * dx + dy * dy < 14, y % 3 === 0][kind]!;
      if (inside) colour.forEach((value, c) => (bytes[(y * SIDE + x) * 3 + c] = value));
    }
  return bytes;
}

async function pets(home: string, part: string): Promise<{ x: Rows; labels: number[] }> {
  const pixels: Uint8Array[] = [];
  const labels: number[] = [];
  for (const [label, kind] of PETS.entries())
    for (const name of (await readdir(join(home, 'my pets/photos', part, kind))).sort()) {
      pixels.push(
        await sharp(join(home, 'my pets/photos', part, kind, name))
          .removeAlpha()
          .raw()
          .toBuffer(),
      );
      labels.push(label);
    }
  return { x: rows([SIDE, SIDE, 3], Buffer.concat(pixels)), labels };
}

export const transfer: Stranger = {
  name: 'transfer learning: folders of images, a frozen base, a Rescaling in front',
  model: 'my pets/pets model.keras',
  data: 'my pets/photos',
  judge: wrongClasses,
  async write(home) {
    const random = createRandom(11);
    for (const [part, each] of [['train', 60], ['test', 20]] as const)
      for (const [label, kind] of PETS.entries())
        for (let i = 0; i < each; i++)
          await save(home, `my pets/photos/${part}/${kind}/${kind} ${i}.png`, await sharp(picture(random, label), { raw: { width: SIDE, height: SIDE, channels: 3 } }).png().toBuffer());
    const { x, labels } = await pets(home, 'train');
    const base = chain(conv(8, { inputShape: [SIDE, SIDE, 3], strides: 2, name: 'base_a' }), tfl.layers.batchNormalization({ name: 'base_norm' }), conv(16, { strides: 2, name: 'base_b' }));
    base.name = 'base';
    await teach(
      chain(tfl.layers.rescaling({ scale: 1 / 255, inputShape: [SIDE, SIDE, 3] }), base, tfl.layers.globalAveragePooling2d({}), tfl.layers.dense({ units: 48, activation: 'relu', ...glorot() }), tfl.layers.dense({ units: 3, activation: 'softmax', ...glorot() })),
      join(home, this.model),
      { inputs: [x], outputs: [{ loss: 'categoricalCrossentropy', target: oneHot(labels, 3) }], rows: upTo(180), epochs: 30, rate: 0.05 },
      classes,
      (layer) => layer === 'base' || layer.startsWith('base_'),
    );
  },
  async stored(home) {
    const { x, labels } = await pets(home, 'test');
    return { inputs: { input: x }, target: rows([], labels) };
  },
}; // prettier-ignore

/** Smooth waves of few parameters: what a narrow layer can hold. */
function waves(random: Random, n: number, side: number): Float32Array {
  const data = new Float32Array(n * side * side);
  for (let i = 0; i < n; i++) {
    const [a, b, phase] = [random.next(), random.next(), random.next()];
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        data[(i * side + y) * side + x] = 0.5 + 0.25 * a * Math.sin((2 * Math.PI * x) / side) + 0.25 * b * Math.cos((2 * Math.PI * y) / side) + 0.1 * (phase - 0.5); // prettier-ignore
  }
  return data;
}

export const autoencoder: Stranger = {
  name: 'an autoencoder: there are no targets but the inputs',
  model: 'auto encoder/autoencoder.keras',
  judge: unexplained,
  async write(home) {
    const x = rows([64], waves(createRandom(12), 500, 8));
    await saveArrays(home, 'auto encoder/patches.npz', { x_train: asFloats(take(x, upTo(400))), x_test: asFloats(take(x, upTo(500, 400))) }); // prettier-ignore
    const dense = (units: number, activation: 'relu' | 'sigmoid', more = {}) => tfl.layers.dense({ units, activation, ...glorot(), ...more }); // prettier-ignore
    await teach(
      chain(dense(32, 'relu', { inputShape: [64] }), dense(8, 'relu'), dense(32, 'relu'), dense(64, 'sigmoid')),
      join(home, this.model),
      { inputs: [x], outputs: [{ loss: 'meanSquaredError', target: x }], rows: upTo(400), epochs: 60, rate: 0.8 },
      squares,
    );
  },
  async stored(home) {
    const { x_test: x } = await readArrays(join(home, 'auto encoder/patches.npz'));
    return { inputs: { input: x! }, target: x! };
  },
};

export const unet: Stranger = {
  name: 'a U-Net: an image in, a mask out',
  model: 'cell masks/u-net.keras',
  judge: wrongSides,
  async write(home) {
    const random = createRandom(13);
    const n = 150;
    const [images, masks] = [new Float32Array(n * 256), new Float32Array(n * 256)];
    for (let i = 0; i < n; i++) {
      const [cx, cy, r] = [4 + random.below(8), 4 + random.below(8), 4 + random.below(16)];
      for (let k = 0; k < 256; k++) {
        const inside = (k % 16 - cx) ** 2 + (Math.floor(k / 16) - cy) ** 2 < r;
        masks[i * 256 + k] = Number(inside);
        images[i * 256 + k] = Math.min(1, Math.max(0, (inside ? 0.65 : 0.35) + 0.15 * random.normal()));
      }
    } // prettier-ignore
    const [x, y] = [rows([16, 16, 1], images), rows([16, 16, 1], masks)];
    await saveArrays(home, 'cell masks/cells.npz', {
      x_train: asFloats(take(x, upTo(120))),
      y_train: asFloats(take(y, upTo(120))),
      x_test: asFloats(take(x, upTo(n, 120))),
      y_test: asFloats(take(y, upTo(n, 120))),
    });
    const input = tfl.input({ shape: [16, 16, 1], name: 'image' });
    const high = conv(8).apply(input) as Tensor;
    const low = conv(16).apply(tfl.layers.maxPooling2d({ poolSize: 2 }).apply(high)) as Tensor;
    const up = tfl.layers.conv2dTranspose({ filters: 8, kernelSize: 2, strides: 2, padding: 'same', ...glorot() }).apply(low) as Tensor; // prettier-ignore
    const joined = conv(8).apply(tfl.layers.concatenate().apply([high, up])) as Tensor;
    const output = tfl.layers.conv2d({ filters: 1, kernelSize: 1, activation: 'sigmoid', ...glorot() }).apply(joined) as Tensor; // prettier-ignore
    await teach(
      tfl.model({ inputs: input, outputs: output }),
      join(home, this.model),
      { inputs: [x], outputs: [{ loss: 'binaryCrossentropy', target: y }], rows: upTo(120), epochs: 15, rate: 0.1, batch: 8 },
      { loss: 'binary_crossentropy', metrics: ['accuracy'] },
    ); // prettier-ignore
  },
  async stored(home) {
    const arrays = await readArrays(join(home, 'cell masks/cells.npz'));
    return { inputs: { image: arrays['x_test']! }, target: arrays['y_test']! };
  },
};

export const generator: Stranger = {
  name: 'the generator of a GAN: noise in, images out',
  model: 'gan/generator.keras',
  judge: unexplained,
  async write(home) {
    const random = createRandom(14);
    const n = 500;
    const z = Float32Array.from({ length: n * 6 }, () => random.normal());
    const images = Float32Array.from({ length: n * 64 }, (_, k) => {
      const [i, place] = [Math.floor(k / 64), k % 64];
      const [x, y] = [place % 8, Math.floor(place / 8)];
      return Math.tanh(z[i * 6]! * Math.sin(x / 2) + z[i * 6 + 1]! * Math.cos(y / 2) + 0.3 * z[i * 6 + 2]!);
    });
    const [x, y] = [rows([6], z), rows([8, 8, 1], images)];
    await saveArrays(home, 'gan/noise and images.npz', {
      x_train: asFloats(take(x, upTo(400))),
      y_train: asFloats(take(y, upTo(400))),
      x_test: asFloats(take(x, upTo(n, 400))),
      y_test: asFloats(take(y, upTo(n, 400))),
    });
    await teach(
      chain(
        tfl.layers.dense({ units: 4 * 4 * 16, inputShape: [6], useBias: false, ...glorot() }),
        tfl.layers.batchNormalization(),
        tfl.layers.leakyReLU({ alpha: 0.2 }),
        tfl.layers.reshape({ targetShape: [4, 4, 16] }),
        tfl.layers.conv2dTranspose({ filters: 8, kernelSize: 4, strides: 2, padding: 'same', activation: 'relu', ...glorot() }),
        tfl.layers.conv2dTranspose({ filters: 1, kernelSize: 3, padding: 'same', activation: 'tanh', ...glorot() }),
      ),
      join(home, this.model),
      { inputs: [x], outputs: [{ loss: 'meanSquaredError', target: y }], rows: upTo(400), epochs: 25, rate: 0.1 },
      squares,
    ); // prettier-ignore
  },
  async stored(home) {
    const arrays = await readArrays(join(home, 'gan/noise and images.npz'));
    return { inputs: { input: arrays['x_test']! }, target: arrays['y_test']! };
  },
};
