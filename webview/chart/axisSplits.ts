/** The labels of a chart's axes. */
import type uPlot from 'uplot';
import { rounded } from '../../daemon/protocol/format.js';

/** Powers of ten; if fewer than two fit also 2 and 5 times these, and in a smaller range a handful of evenly spaced values. */
export function logSplits(_plot: uPlot, _axis: number, min: number, max: number): number[] {
  const decades = Math.log10(max / min);
  const factors = decades > 6 ? [1] : decades > 2 ? [1] : decades > 0.7 ? [1, 2, 5] : null;
  if (!factors) {
    const step = niceStep((max - min) / 4);
    const splits = [];
    for (let v = Math.ceil(min / step) * step; v <= max; v += step) splits.push(rounded(v, 12));
    return splits;
  }
  const stride = Math.max(1, Math.ceil(decades / 6));
  const splits = [];
  for (let e = Math.floor(Math.log10(min)); e <= Math.ceil(Math.log10(max)); e++)
    for (const factor of factors) {
      const v = Number(`${factor}e${e}`);
      if (v >= min && v <= max && (factors.length > 1 || e % stride === 0)) splits.push(v);
    }
  return splits;
}

/** The next 1, 2 or 5 times a power of ten. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough) ?? 10;
  return factor * power;
}
