/**
 * The constructors of Keras 3.15 as its API reference publishes them (keras.io/api/layers), for the checker: each argument
 * with `!` where it has no default, `?` where None is a value of its own. `from_config` calls `cls(**config)`: any other
 * key raises "Unrecognized keyword arguments".
 */
const BASE = 'name? trainable dtype? activity_regularizer? autocast';
const KERNEL =
  'kernel_initializer? bias_initializer? kernel_regularizer? bias_regularizer? kernel_constraint? bias_constraint?';
const DEPTHWISE =
  'depthwise_initializer? bias_initializer? depthwise_regularizer? bias_regularizer? depthwise_constraint? bias_constraint?';
const POINTWISE = 'pointwise_initializer? pointwise_regularizer? pointwise_constraint?';
const SLIDING = 'kernel_size! strides padding data_format? dilation_rate activation? use_bias';
const CONVOLUTION = `filters! ${SLIDING} groups ${KERNEL}`;
const TRANSPOSED = `filters! ${SLIDING} output_padding? ${KERNEL}`;
const POOLING = 'strides? padding data_format?';
const RECURRENT = `recurrent_initializer? recurrent_regularizer? recurrent_constraint? ${KERNEL} activation? use_bias dropout recurrent_dropout seed?`;
const SEQUENCE = 'return_sequences return_state go_backwards stateful unroll zero_output_for_mask';
const SCALED =
  'epsilon center scale beta_initializer? gamma_initializer? beta_regularizer? gamma_regularizer? beta_constraint? gamma_constraint?';

const LAYERS: Readonly<Record<string, string>> = {
  Dense: `units! activation? use_bias ${KERNEL} lora_rank? lora_alpha? quantization_config?`,
  Conv1D: CONVOLUTION,
  Conv2D: CONVOLUTION,
  Conv3D: CONVOLUTION,
  EinsumDense: `equation! output_shape! activation? bias_axes? ${KERNEL} lora_rank? lora_alpha? quantization_config?`,
  MultiHeadAttention: `num_heads! key_dim! value_dim? dropout use_bias output_shape? attention_axes? sliding_window? flash_attention? use_gate seed? ${KERNEL}`,
  GroupedQueryAttention: `head_dim! num_query_heads! num_key_value_heads! dropout use_bias sliding_window? flash_attention? use_gate seed? ${KERNEL}`,
  Attention: 'use_scale score_mode dropout seed?',
  AdditiveAttention: 'use_scale dropout seed?',
  UnitNormalization: 'axis',
  RMSNormalization: 'axis epsilon',
  UpSampling1D: 'size',
  UpSampling3D: 'size data_format?',
  GlobalAveragePooling3D: 'data_format? keepdims',
  GlobalMaxPooling3D: 'data_format? keepdims',
  AdaptiveAveragePooling1D: 'output_size! data_format?',
  AdaptiveAveragePooling2D: 'output_size! data_format?',
  AdaptiveAveragePooling3D: 'output_size! data_format?',
  AdaptiveMaxPooling1D: 'output_size! data_format?',
  AdaptiveMaxPooling2D: 'output_size! data_format?',
  AdaptiveMaxPooling3D: 'output_size! data_format?',
  DepthwiseConv1D: `${SLIDING} depth_multiplier ${DEPTHWISE}`,
  SeparableConv1D: `filters! ${SLIDING} depth_multiplier ${DEPTHWISE} ${POINTWISE}`,
  Conv1DTranspose: TRANSPOSED,
  Conv2DTranspose: TRANSPOSED,
  Conv3DTranspose: TRANSPOSED,
  DepthwiseConv2D: `${SLIDING} depth_multiplier ${DEPTHWISE}`,
  SeparableConv2D: `filters! ${SLIDING} depth_multiplier ${DEPTHWISE} ${POINTWISE}`,
  MaxPooling1D: `pool_size ${POOLING}`,
  MaxPooling2D: `pool_size ${POOLING}`,
  MaxPooling3D: `pool_size ${POOLING}`,
  AveragePooling1D: `pool_size! ${POOLING}`,
  AveragePooling2D: `pool_size! ${POOLING}`,
  AveragePooling3D: `pool_size! ${POOLING}`,
  GlobalAveragePooling1D: 'data_format? keepdims',
  GlobalMaxPooling1D: 'data_format? keepdims',
  GlobalAveragePooling2D: 'data_format? keepdims',
  GlobalMaxPooling2D: 'data_format? keepdims',
  ZeroPadding1D: 'padding data_format?',
  ZeroPadding2D: 'padding data_format?',
  ZeroPadding3D: 'padding data_format?',
  Cropping1D: 'cropping',
  Cropping2D: 'cropping data_format?',
  Cropping3D: 'cropping data_format?',
  UpSampling2D: 'size data_format? interpolation',
  Flatten: 'data_format?',
  Reshape: 'target_shape!',
  Permute: 'dims!',
  RepeatVector: 'n!',
  Embedding: 'input_dim! output_dim! embeddings_initializer? embeddings_regularizer? embeddings_constraint? mask_zero weights? lora_rank? lora_alpha? quantization_config?',
  Add: '',
  Subtract: '',
  Multiply: '',
  Average: '',
  Maximum: '',
  Minimum: '',
  Concatenate: 'axis',
  Dot: 'axes! normalize',
  SimpleRNN: `units! ${RECURRENT} ${SEQUENCE}`,
  GRU: `units! recurrent_activation ${RECURRENT} ${SEQUENCE} reset_after use_cudnn`,
  LSTM: `units! recurrent_activation ${RECURRENT} ${SEQUENCE} unit_forget_bias use_cudnn`,
  SimpleRNNCell: `units! ${RECURRENT}`,
  GRUCell: `units! recurrent_activation ${RECURRENT} reset_after`,
  LSTMCell: `units! recurrent_activation ${RECURRENT} unit_forget_bias`,
  StackedRNNCells: 'cells!',
  RNN: `cell! ${SEQUENCE}`,
  ConvLSTM2D: `filters! kernel_size! strides padding data_format? dilation_rate recurrent_activation unit_forget_bias ${RECURRENT} ${SEQUENCE}`,
  TimeDistributed: 'layer!',
  Bidirectional: 'layer! merge_mode? weights? backward_layer?',
  Activation: 'activation!',
  ReLU: 'max_value? negative_slope threshold',
  LeakyReLU: 'negative_slope alpha',
  PReLU: 'alpha_initializer? alpha_regularizer? alpha_constraint? shared_axes?',
  ELU: 'alpha',
  Softmax: 'axis',
  Dropout: 'rate! noise_shape? seed?',
  GaussianNoise: 'stddev! seed?',
  GaussianDropout: 'rate! seed?',
  AlphaDropout: 'rate! noise_shape? seed?',
  BatchNormalization: `axis momentum ${SCALED} moving_mean_initializer? moving_variance_initializer? renorm renorm_clipping? renorm_momentum synchronized`,
  LayerNormalization: `axis ${SCALED} rms_scaling`,
  GroupNormalization: `groups axis ${SCALED}`,
  Normalization: 'axis? mean? variance? invert',
  Masking: 'mask_value',
  Rescaling: 'scale! offset',
  Identity: '',
  RandomFlip: 'mode seed? data_format?',
  RandomRotation: 'factor! fill_mode interpolation seed? fill_value data_format? value_range?',
  NotEqual: '',
}; // prettier-ignore

/** Arguments without those of the base class. */
const ALONE: Readonly<Record<string, string>> = {
  SpatialDropout1D: 'rate! seed? name? dtype?',
  SpatialDropout2D: 'rate! data_format? seed? name? dtype?',
  SpatialDropout3D: 'rate! data_format? seed? name? dtype?',
  InputLayer: 'shape? batch_size? dtype? sparse? ragged? batch_shape? input_tensor? optional name?',
};

export interface Parameter {
  readonly required: boolean;
  readonly nullable: boolean;
}

const parsed = (signature: string): ReadonlyMap<string, Parameter> =>
  new Map(
    signature
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => [word.replace(/[!?]$/, ''), { required: word.endsWith('!'), nullable: word.endsWith('?') }]),
  );

/** Keyword arguments by class name. */
export const SIGNATURES: ReadonlyMap<string, ReadonlyMap<string, Parameter>> = new Map([
  ...Object.entries(LAYERS).map(([name, own]) => [name, parsed(`${own} ${BASE}`)] as const),
  ...Object.entries(ALONE).map(([name, own]) => [name, parsed(own)] as const),
]);

/** Initializers, regularizers and constraints with their arguments, by the suffix of the layer's argument. */
export const OBJECTS: Readonly<Record<'initializer' | 'regularizer' | 'constraint', Readonly<Record<string, string>>>> = {
  initializer: {
    Zeros: '', Ones: '', Constant: 'value', RandomNormal: 'mean stddev seed', RandomUniform: 'minval maxval seed', TruncatedNormal: 'mean stddev seed',
    VarianceScaling: 'scale mode distribution seed input_axes output_axes', GlorotNormal: 'seed input_axes output_axes', GlorotUniform: 'seed input_axes output_axes',
    HeNormal: 'seed input_axes output_axes', HeUniform: 'seed input_axes output_axes', LecunNormal: 'seed input_axes output_axes',
    LecunUniform: 'seed input_axes output_axes', Orthogonal: 'gain seed', OrthogonalInitializer: 'gain seed', Identity: 'gain',
  },
  regularizer: { L1: 'l1', L2: 'l2', L1L2: 'l1 l2', OrthogonalRegularizer: 'factor mode' },
  constraint: { MaxNorm: 'max_value axis', UnitNorm: 'axis', NonNeg: '', MinMaxNorm: 'min_value max_value rate axis' },
}; // prettier-ignore

export const ACTIVATIONS: ReadonlySet<string> = new Set([
  'celu', 'elu', 'exponential', 'gelu', 'glu', 'hard_shrink', 'hard_sigmoid', 'hard_silu', 'hard_swish', 'hard_tanh', 'leaky_relu', 'linear',
  'log_sigmoid', 'log_softmax', 'mish', 'relu', 'relu6', 'selu', 'sigmoid', 'silu', 'soft_shrink', 'softmax', 'softplus', 'softsign',
  'sparse_plus', 'sparse_sigmoid', 'sparsemax', 'squareplus', 'swish', 'tanh', 'tanh_shrink', 'threshold',
]); // prettier-ignore
