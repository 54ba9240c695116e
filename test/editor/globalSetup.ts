import { trainSample } from './sample.js';

export default async function setup(): Promise<void> {
  await trainSample();
}
