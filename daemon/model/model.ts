/** A model file in memory: layers (a normalised Keras-2 topology) or a graph of operations, and its weights. Models are data, never code. */
import type { OnnxFile } from '../onnx/file/onnxFile.js';
import type { OnnxChanges } from '../onnx/file/replaceTensors.js';
import type { OnnxNetwork } from '../onnx/lower/onnxNetwork.js';

export interface WeightTensor {
  /** As in the file: "dense_1/kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly data: Float32Array;
}

export type LayersFormat = 'tfjs-layers' | 'keras-h5' | 'keras-v3';
export type ModelFormat = LayersFormat | 'onnx';

interface ModelInMemory {
  readonly format: ModelFormat;
  /** Absolute path of the file it was read from (or will be written to). */
  readonly path: string;
  readonly weights: readonly WeightTensor[];
  /** What was changed on reading, one short sentence each, for the user. */
  readonly notes: readonly string[];
}

/** A model made of Keras's layers. Its weights are in the order of the topology's layers. */
export interface LayersModel extends ModelInMemory {
  readonly kind: 'layers';
  readonly format: LayersFormat;
  /** `{class_name, config}` after every rewrite: what `tf.models.modelFromJSON` loads. */
  readonly topology: Topology;
  readonly trainingConfig?: Record<string, unknown>;
}

/** A model made of operations. Its weights are those of its network, in the layout that the network computes with. */
export interface GraphModel extends ModelInMemory {
  readonly kind: 'graph';
  readonly format: 'onnx';
  /** What was read. Its initializers have the file's own values and layout; `weights` may have others by now. */
  readonly file: OnnxFile;
  readonly network: OnnxNetwork;
  /** Of a thinned model: what it was made of, and what its own file has in other places than that of `file`, which is read for the rest. */
  readonly thinned?: { readonly from: GraphModel; readonly changes: OnnxChanges };
}

/** What only some models can do is asked of `frontEndOf` (frontEnds/), which answers for each kind. */
export type Model = LayersModel | GraphModel;

export interface Topology {
  readonly class_name: string;
  readonly config: unknown;
}

/** An output of the model, as a layer sees it. */
export interface OutputOfLayer {
  /** Path of the layer that makes it. */
  readonly name: string;
  /** Whether it depends on the layer. */
  readonly depends: boolean;
  /** The one that is trained where a plan names none; where no output has this, the last. */
  readonly main?: true;
  /** Factor of its loss in training, where the file has a loss for it. */
  readonly lossWeight?: number;
}

/** One layer, by static shape arithmetic alone (no TensorFlow). Nested models are flattened; names are joined by "/". */
export interface LayerSummary {
  readonly name: string;
  readonly className: string;
  /** Without the batch axis; null where it cannot be known statically. */
  readonly outputShape: readonly (number | null)[] | null;
  readonly activation?: string;
  /** The file does not let it be trained: trainable is false, of the layer or of a model around it. */
  readonly frozen?: true;
  /** Of a model with several outputs, in its order. */
  readonly outputs?: readonly OutputOfLayer[];
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly size: number;
    readonly prunable: boolean;
    readonly trainable: boolean;
    /** A moving average: never trained, whatever the layer is. */
    readonly statistic?: true;
    /** Of a prunable weight, for one sample: 2 per use. */
    readonly flopsPerWeight?: number;
    /** Of a prunable weight: the axes [from, to) that hold its units, where they are not the last one. */
    readonly unitAxes?: readonly [from: number, to: number];
    /** Of a kernel, and of vectors that go with its neurons or filters: see unitGroups.ts. */
    readonly groups?: readonly number[];
    /** A unit whose input is 0 is 0, whatever this weight is: it scales channel by channel. */
    readonly keepsZero?: true;
  }[];
  /** All weights of the layer, and the prunable ones among them (kernels). */
  readonly params: number;
  readonly prunable: number;
  /** Multiply-adds x 2 for one sample, dense. */
  readonly flops: number;
  /** FLOPs per prunable weight (2 for Dense, 2*Hout*Wout for Conv2D); the mean where the layer has several kernels. */
  readonly flopsPerWeight: number;
}
