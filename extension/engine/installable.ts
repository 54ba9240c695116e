/** The version of TensorFlow.js that the product uses: its engines must have the same. */
const TFJS = '4.22.0';

/** Engines that can be added, by the daemon's id: the npm packages, with versions. */
export const INSTALLABLE = {
  'tfjs-node-gpu': [`@tensorflow/tfjs-node-gpu@${TFJS}`],
  'tfjs-webgpu': [
    `@tensorflow/tfjs-backend-webgpu@${TFJS}`,
    `@tensorflow/tfjs-core@${TFJS}`,
    `@tensorflow/tfjs-layers@${TFJS}`,
    'webgpu@0.6.2',
  ],
  'tfjs-node': [`@tensorflow/tfjs-node@${TFJS}`],
} as const;
export type InstallableEngine = keyof typeof INSTALLABLE;
