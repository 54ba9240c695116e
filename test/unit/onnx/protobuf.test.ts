import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { encodeOnnx, onnxType } from '../../../daemon/onnx/emit/protobuf.js';

/** The messages of onnx.proto3 that are written, by their published field numbers. */
const schema = protobuf
  .parse(
    `
syntax = "proto3";
message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Attribute { string name = 1; float f = 2; int64 i = 3; bytes s = 4; Tensor t = 5; repeated float floats = 7; repeated int64 ints = 8; int32 type = 20; }
message Node { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated Attribute attribute = 5; string domain = 7; }
message Dimension { int64 dim_value = 1; }
message Shape { repeated Dimension dim = 1; }
message TensorType { int32 elem_type = 1; Shape shape = 2; }
message Type { TensorType tensor_type = 1; }
message ValueInfo { string name = 1; Type type = 2; }
message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
message Opset { string domain = 1; int64 version = 2; }
message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated Opset opset_import = 8; }
`,
  )
  .root.lookupType('Model');

describe('the ONNX file', () => {
  it('reads back, by an independent decoder, as what was written', () => {
    const data = Float32Array.of(1.5, -2, 3e-40);
    const bytes = encodeOnnx(
      {
        nodes: [
          { op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attrs: { pads: [0, 1, 300, -1], alpha: { float: 0.25 }, mode: 'reflect', axis: -1 } }, // prettier-ignore
          { op: 'FusedMatMul', domain: 'com.microsoft', inputs: ['y', ''], outputs: ['z'], attrs: {} },
        ],
        inputs: [{ name: 'x', type: 'float32', dims: [256, 70000] }],
        outputs: [{ name: 'z', type: 'bool', dims: [] }],
        initializers: new Map([
          ['w', { type: 'float32', dims: [3], data }],
          ['big', { type: 'int64', dims: [1], data: BigInt64Array.of(-(2n ** 40n)) }],
        ]),
      },
      { '': 18, 'com.microsoft': 1 },
    );
    const model = schema.toObject(schema.decode(bytes), { longs: Number, bytes: Array }) as Record<string, never>;
    expect(model).toMatchObject({
      irVersion: 9,
      opsetImport: [{ version: 18 }, { domain: 'com.microsoft', version: 1 }],
      graph: {
        node: [
          {
            input: ['x', 'w'],
            output: ['y'],
            opType: 'Conv',
            attribute: [
              { name: 'pads', ints: [0, 1, 300, -1], type: 7 },
              { name: 'alpha', f: 0.25, type: 1 },
              { name: 'mode', s: [...Buffer.from('reflect')], type: 3 },
              { name: 'axis', i: -1, type: 2 },
            ],
          },
          { input: ['y', ''], output: ['z'], opType: 'FusedMatMul', domain: 'com.microsoft' },
        ],
        initializer: [
          { name: 'w', dims: [3], dataType: onnxType.float32, rawData: [...new Uint8Array(data.buffer)] },
          { name: 'big', dims: [1], dataType: onnxType.int64 },
        ],
        input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 256 }, { dimValue: 70000 }] } } } }], // prettier-ignore
        output: [{ name: 'z', type: { tensorType: { elemType: 9 } } }],
      },
    });
  });
});
