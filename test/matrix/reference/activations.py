"""keras.io/api/layers/activations (Keras 3), in float64."""
import math

import numpy as np

_erf = np.vectorize(math.erf)


def _clip(x, low, high):
    return np.minimum(np.maximum(x, low), high)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(x, 0)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis if isinstance(axis, int) else tuple(axis), keepdims=True))
    return e / e.sum(axis=axis if isinstance(axis, int) else tuple(axis), keepdims=True)


def sparsemax(x):
    """Martins and Astudillo 2016, algorithm 1."""
    z = -np.sort(-x, -1)
    sums = np.cumsum(z, -1)
    k = (1 + np.arange(1, x.shape[-1] + 1) * z > sums).sum(-1, keepdims=True)
    return np.maximum(x - (np.take_along_axis(sums, k - 1, -1) - 1) / k, 0)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    y = np.where(x >= threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else np.minimum(y, max_value)


def hard_sigmoid(x):
    return _clip(x / 6 + 0.5, 0, 1)


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": relu,
    "relu6": lambda x: _clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": elu,
    "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    "celu": elu,
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "tanh": np.tanh,
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "mish": lambda x: x * np.tanh(softplus(x)),
    "exponential": np.exp,
    "softmax": softmax,
    "log_softmax": lambda x: np.log(softmax(x)),
    "log_sigmoid": lambda x: -softplus(-x),
    "hard_tanh": lambda x: _clip(x, -1, 1),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.where(x > 0.5, x - 0.5, np.where(x < -0.5, x + 0.5, 0)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) / 2, 1)),
    "sparsemax": sparsemax,
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
}


def activate(name, x):
    return ACTIVATIONS[name or "linear"](x)
