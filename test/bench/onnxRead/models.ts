/** ONNX models of 100 MB. */
import { Message } from '../../../daemon/onnx/emit/message.js';
import { encodeOnnx, type OnnxNode, type OnnxTensor } from '../../../daemon/onnx/emit/protobuf.js';
import type { NewPlace } from '../../../daemon/onnx/file/editTensor.js';

const [NODES, WEIGHTS, SIZE] = [10_000, 100, 250_000];

/** A chain of additions; every hundredth adds its own weight. */
export function chain(): Uint8Array {
  const dims = [SIZE];
  const initializers = new Map<string, OnnxTensor>();
  for (let i = 0; i < WEIGHTS; i++)
    initializers.set(`layer${i}.weight`, { type: 'float32', dims, data: new Float32Array(SIZE).fill(i) });
  const nodes = Array.from({ length: NODES }, (_, i): OnnxNode => {
    const [input, output] = [i === 0 ? 'x' : `v${i}`, i === NODES - 1 ? 'y' : `v${i + 1}`];
    const weight = `layer${Math.floor((i * WEIGHTS) / NODES)}.weight`;
    return { op: 'Add', inputs: [input, weight], outputs: [output], attrs: { axis: [0, 1], scale: { float: 1 } } };
  });
  const value = (name: string) => ({ name, type: 'float32' as const, dims: ['N', SIZE] });
  return encodeOnnx({ nodes, inputs: [value('x')], outputs: [value('y')], initializers }, { '': 17 });
}

/** The same with its weights beside it: without their bytes, and with places instead. */
export function beside(location: string): { bytes: Uint8Array; data: Uint8Array } {
  const data = new Uint8Array(4 * SIZE * WEIGHTS);
  const graph = new Message();
  const places = Array.from({ length: WEIGHTS }, (_, i): NewPlace => ({ location, offset: 4 * SIZE * i, length: 4 * SIZE })); // prettier-ignore
  graph.messages(1, Array.from({ length: NODES }).keys(), (i) =>
    new Message().text(1, 'x').text(2, `y${i}`).text(4, 'Relu'),
  );
  graph.messages(5, places.entries(), ([i, place]) =>
    new Message()
      .int(1, SIZE)
      .int(2, 1)
      .text(8, `layer${i}.weight`)
      .messages(13, Object.entries(place), ([key, value]) => new Message().text(1, key).text(2, String(value)))
      .int(14, 1),
  );
  graph.message(11, new Message().text(1, 'x'));
  graph.message(12, new Message().text(1, 'y0'));
  const bytes = new Message().int(1, 8).message(7, graph).message(8, new Message().int(2, 17)).finish();
  return { bytes, data };
}

/** 25 dense layers of 1,000 x 1,000 weights, as networks of this size have them. */
export function dense(): Uint8Array {
  const [layers, width] = [25, 1000];
  const initializers = new Map<string, OnnxTensor>();
  const nodes = Array.from({ length: layers }, (_, i): OnnxNode[] => {
    const data = Float32Array.from({ length: width * width }, (_, at) => Math.sin(at + i));
    initializers.set(`fc${i}.weight`, { type: 'float32', dims: [width, width], data });
    initializers.set(`fc${i}.bias`, { type: 'float32', dims: [width], data: new Float32Array(width) });
    const input = i === 0 ? 'x' : `r${i - 1}`;
    const last = i === layers - 1;
    const gemm = { op: 'Gemm', inputs: [input, `fc${i}.weight`, `fc${i}.bias`], outputs: [last ? 'y' : `h${i}`], attrs: { transB: 1 } };
    return last ? [gemm] : [gemm, { op: 'Relu', inputs: [`h${i}`], outputs: [`r${i}`], attrs: {} }];
  }).flat(); // prettier-ignore
  const value = (name: string) => ({ name, type: 'float32' as const, dims: ['N', width] });
  return encodeOnnx({ nodes, inputs: [value('x')], outputs: [value('y')], initializers }, { '': 17 });
}
