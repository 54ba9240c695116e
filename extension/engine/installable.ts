/** The TensorFlow.js of the product: its engines must be of the same version. */
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
