/** A model file in memory: layers (a normalised Keras 2 topology) or a graph of operations, and its weights. Models are data, never code. */
import type { UnitAxis } from '../lc/layerView.js';
import type { OnnxFile } from '../onnx/file/onnxFile.js';
import type { OnnxChanges } from '../onnx/file/replaceTensors.js';
import type { OnnxNetwork } from '../onnx/lower/onnxNetwork.js';

export interface WeightTensor {
  /** Name in the file: "dense_1/kernel". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly data: Float32Array;
}

export type LayersFormat = 'tfjs-layers' | 'keras-h5' | 'keras-v3';
export type ModelFormat = LayersFormat | 'onnx';

interface ModelInMemory {
  readonly format: ModelFormat;
  /** Absolute path of the file that it was read from or will be written to. */
  readonly path: string;
  readonly weights: readonly WeightTensor[];
  /** Changes made while reading, one short sentence each, for the user. */
  readonly notes: readonly string[];
}

/** A model of Keras layers. Its weights are in the order of the topology's layers. */
export interface LayersModel extends ModelInMemory {
  readonly kind: 'layers';
  readonly format: LayersFormat;
  /** `{class_name, config}` after every rewrite: what `tf.models.modelFromJSON` loads. */
  readonly topology: Topology;
  readonly trainingConfig?: Record<string, unknown>;
}

/** A model of operations. Its weights are those of its network, in the layout that the network computes with. */
export interface GraphModel extends ModelInMemory {
  readonly kind: 'graph';
  readonly format: 'onnx';
  /** The file as it was read. Its initializers keep the file's values and layout; `weights` may have changed since. */
  readonly file: OnnxFile;
  readonly network: OnnxNetwork;
  /** Of a thinned model: what it was made of, and what its own file has in other places than that of `file`, which is read for the rest. */
  readonly thinned?: { readonly from: GraphModel; readonly changes: OnnxChanges };
}

/** `frontEndOf` (frontEnds/) answers what only some models can do, for each kind. */
export type Model = LayersModel | GraphModel;

export interface Topology {
  readonly class_name: string;
  readonly config: unknown;
}

/** An output of the model, as a layer sees it. */
export interface OutputOfLayer {
  /** Path of the layer that makes it. */
  readonly name: string;
  /** Whether the output depends on the layer. */
  readonly depends: boolean;
  /** Whether it is the output that is trained if the plan names none. If no output has this, the last one is trained. */
  readonly main?: true;
  /** Factor of its loss in training, if the file has a loss for it. */
  readonly lossWeight?: number;
}

/** One layer, from static shape arithmetic (no TensorFlow). Nested models are flattened; their names are joined by "/". */
export interface LayerSummary {
  readonly name: string;
  readonly className: string;
  /** Shape without the batch axis; null if it cannot be known statically. */
  readonly outputShape: readonly (number | null)[] | null;
  readonly activation?: string;
  /** True if the file freezes it: trainable is false on the layer or on a model around it. */
  readonly frozen?: true;
  /** The outputs of a model with several, in its order. */
  readonly outputs?: readonly OutputOfLayer[];
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly size: number;
    readonly prunable: boolean;
    readonly trainable: boolean;
    /** A moving average: never trained, even if the layer is. */
    readonly statistic?: true;
    /** FLOPs of a prunable weight for one sample: 2 per use. */
    readonly flopsPerWeight?: number;
    /** The axes [from, to) of a prunable weight that hold its units, if they are not the last one. */
    readonly unitAxes?: readonly [from: number, to: number];
    /** The units of a kernel, and of the vectors that belong to its neurons or filters: see network/structure/entryGroups.ts. */
    readonly groups?: readonly number[];
    /** The axes of a kernel whose indices are removed with units, those that it makes and those that it reads. */
    readonly axes?: readonly UnitAxis[];
    /** A unit whose input is 0 is 0, whatever this weight is: it scales channel by channel. */
    readonly keepsZero?: true;
  }[];
  /** Counts of all weights of the layer, and of the prunable ones (kernels). */
  readonly params: number;
  readonly prunable: number;
  /** Dense FLOPs for one sample: 2 per multiply-add. */
  readonly flops: number;
  /** FLOPs per prunable weight (2 for Dense, 2*Hout*Wout for Conv2D); the mean if the layer has several kernels. */
  readonly flopsPerWeight: number;
}
