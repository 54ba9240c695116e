/** Which features of a model's inputs any kept weight reads. */
import type { LayersModel } from '../model/model.js';
import { classOf } from '../model/layerClasses/registry.js';
import { channelRole } from '../model/layers/channelRoles.js';
import { channelsOf } from '../model/layers/shape.js';
import { forEachKept } from '../model/layers/linearMap.js';
import { wiringOf, type Tensor } from '../model/normalise/wiring.js';
import { sizeOf } from '../protocol/shape.js';

export interface InputRead {
  readonly name: string;
  /** Without the batch axis. */
  readonly shape: readonly number[];
  /** One entry per feature, row major: 1 when it is read. */
  readonly read: Uint8Array;
}

/** A feature counts as read where nothing proves that it is not; inputs of unknown size are left out. */
export function inputsRead(model: LayersModel): InputRead[] {
  const wiring = wiringOf(model.topology);
  const weights = new Map(model.weights.map((weight) => [weight.name, weight]));

  function mark(tensor: Tensor, read: Uint8Array): void {
    if (wiring.outputs.includes(tensor)) read.fill(1);
    for (const call of wiring.calls.filter(({ inputs }) => inputs.includes(tensor))) {
      const { class_name } = call.node.layer;
      const role = channelRole(call, (name) => weights.get(name));
      const n = channelsOf(tensor.shape)!;
      if (role?.linear && role.linear.inputAxis !== null) {
        const channels = new Uint8Array(n);
        forEachKept(role.linear, (_value, input) => (channels[input] = 1));
        for (let i = 0; i < read.length; i++) if (channels[i % n] === 1) read[i] = 1;
      } else if (classOf(class_name)?.inOrder && (role !== null || class_name === 'Reshape'))
        mark(call.outputs[0]!, read);
      else read.fill(1);
    }
  }

  return wiring.inputs.flatMap((tensor, i) => {
    if (!tensor.shape || tensor.shape.some((dim) => dim === null)) return [];
    const shape = tensor.shape as readonly number[];
    const read = new Uint8Array(sizeOf(shape));
    mark(tensor, read);
    return [{ name: wiring.inputNames[i] ?? '', shape, read }];
  });
}
