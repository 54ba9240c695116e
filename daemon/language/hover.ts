/** Hover texts: a layer's arithmetic, a setting's meaning. */
import { findNodeAtOffset, getNodePath, type Node } from 'jsonc-parser';
import type { LayerKept } from '../protocol/events.js';
import type { LayerSummary } from '../model/model.js';
import { explainSetting } from './settings.js';
import { bytes, count, shortCount, shortPercent } from '../protocol/format.js';
import { shapeText } from './text.js';

const product = (shape: readonly number[]): string => `${shape.map(count).join(' x ')}`;

/** "784 x 300 + 300 = 235,500 weights", and their FLOPs. */
export function explainLayer(layer: LayerSummary, totalPrunable: number, kept: LayerKept | null): string {
  const lines = [
    `**${layer.name}** (${layer.className}${layer.activation ? `, ${layer.activation}` : ''}), output ${shapeText(layer.outputShape)}`,
  ];
  if (layer.weights.length > 0) {
    const sum = layer.weights.map((weight) => product(weight.shape)).join(' + ');
    lines.push(`\`${sum} = ${count(layer.params)}\` weights, ${bytes(4 * layer.params)} as float32`);
    const rows = layer.weights.map(
      (weight) =>
        `| ${weight.name.split('/').at(-1)} | ${shapeText(weight.shape)} | ${count(weight.size)} | ${weight.prunable ? 'yes' : 'no'} |`,
    );
    lines.push(['| weight | shape | size | prunable |', '|---|---|---:|---|', ...rows].join('\n'));
  } else lines.push('No weights.');
  if (layer.prunable > 0) {
    const share = totalPrunable > 0 ? `, ${shortPercent(layer.prunable / totalPrunable)} of all prunable weights` : '';
    lines.push(
      `FLOPs: \`${count(layer.prunable)} x ${count(layer.flopsPerWeight)} = ${shortCount(layer.flops)}\` a sample${share}`,
    );
  }
  if (layer.frozen) lines.push('Frozen in the file (trainable is false): neither trained nor pruned, unless "unfreeze" in the plan names it.'); // prettier-ignore
  if (kept && kept.weights > 0) {
    lines.push(
      `After the latest run: ${count(kept.kept)} of ${count(kept.weights)} kept (${shortPercent(kept.kept / kept.weights)})`,
    );
  }
  return lines.join('\n\n');
}

export interface PlanHover {
  readonly markdown: string;
  readonly offset: number;
  readonly length: number;
}

/** The setting under the cursor (its key or its value), or the layer a string names. */
export function hoverPlan(
  tree: Node | undefined,
  offset: number,
  layers: readonly LayerSummary[] | null,
): PlanHover | null {
  const node = tree && findNodeAtOffset(tree, offset);
  if (!node || node === tree) return null;
  const path = getNodePath(node);
  const named = layers?.find((layer) => layer.name === node.value);
  const mayNameLayer = path.includes('layers') || path[0] === 'exclude' || path[0] === 'unfreeze';
  if (named && mayNameLayer) {
    const total = layers!.reduce((sum, layer) => sum + layer.prunable, 0);
    return { markdown: explainLayer(named, total, null), offset: node.offset, length: node.length };
  }
  for (let length = path.length; length > 0; length--) {
    const text = explainSetting(path.slice(0, length));
    if (text)
      return { markdown: `**${path.slice(0, length).join('.')}**: ${text}`, offset: node.offset, length: node.length };
  }
  return null;
}
