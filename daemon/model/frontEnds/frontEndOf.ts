import type { GraphModel, LayersModel, Model } from '../model.js';
import type { FrontEnd } from './frontEnd.js';
import { graphFrontEnd } from './graphFrontEnd.js';
import { layersFrontEnd } from './layersFrontEnd.js';

export function frontEndOf(model: LayersModel): FrontEnd<LayersModel>;
export function frontEndOf(model: GraphModel): FrontEnd<GraphModel>;
export function frontEndOf(model: Model): FrontEnd;
export function frontEndOf(model: Model): FrontEnd {
  return model.kind === 'layers' ? layersFrontEnd(model) : graphFrontEnd(model);
}
