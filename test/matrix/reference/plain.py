"""Layers that move, merge, scale and normalise (keras.io/api/layers, Keras 3), in float64."""
import functools

import numpy as np

import convolution
from activations import activate, elu, relu, softmax
from convolution import back, each, moved


def dense(config, weights, xs, training):
    y = xs[0] @ weights[0] + (weights[1] if config.get("use_bias", True) else 0)
    return activate(config.get("activation"), y)


def embedding(config, weights, xs, training):
    return weights[0][xs[0].astype(int)]


def along(axis, factor, x):
    """Linear interpolation between the centres of elements, or repetition, along one axis."""
    n = x.shape[axis]
    at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    share = (at - low).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    return np.take(x, low, axis) * (1 - share) + np.take(x, np.minimum(low + 1, n - 1), axis) * share


def up_sampling(n):
    def layer(config, weights, xs, training):
        x = moved(config, xs[0])
        for axis, factor in enumerate(each(config["size"], n), 1):
            linear = config.get("interpolation") == "bilinear"
            x = along(axis, factor, x) if linear else np.repeat(x, factor, axis)
        return back(config, x)

    return layer


def borders(value, n):
    if isinstance(value, int):
        return [(value, value)] * n
    if n == 1:
        return [tuple(value)]
    return [(v, v) if isinstance(v, int) else tuple(v) for v in value]


def zero_padding(n):
    def layer(config, weights, xs, training):
        return back(config, np.pad(moved(config, xs[0]), [(0, 0), *borders(config["padding"], n), (0, 0)]))

    return layer


def cropping(n):
    def layer(config, weights, xs, training):
        x = moved(config, xs[0])
        cut = [slice(a, s - b) for (a, b), s in zip(borders(config["cropping"], n), x.shape[1:])]
        return back(config, x[(slice(None), *cut)])

    return layer


def flatten(config, weights, xs, training):
    """Channels first are moved last, so that both formats flatten alike."""
    x = moved(config, xs[0]) if xs[0].ndim > 2 else xs[0]
    return x.reshape(len(x), -1)


def batch_normalization(config, weights, xs, training):
    x = xs[0]
    axis = config["axis"] % x.ndim
    rest = tuple(a for a in range(x.ndim) if a != axis)
    mean, variance = (x.mean(rest), x.var(rest)) if training and config.get("trainable", True) else weights[-2:]
    shape = [-1 if a == axis else 1 for a in range(x.ndim)]
    y = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + config["epsilon"])
    given = list(weights)
    if config["scale"]:
        y = y * given.pop(0).reshape(shape)
    return y + given.pop(0).reshape(shape) if config["center"] else y


def next_averages(config, weights, x):
    """The moving mean and variance after one batch."""
    axis = config["axis"] % x.ndim
    rest = tuple(a for a in range(x.ndim) if a != axis)
    m = config["momentum"]
    return [m * old + (1 - m) * new for old, new in zip(weights[-2:], (x.mean(rest), x.var(rest)))]


def layer_normalization(config, weights, xs, training):
    x = xs[0]
    axes = tuple(a % x.ndim for a in ([config["axis"]] if isinstance(config["axis"], int) else config["axis"]))
    shape = [n if a in axes else 1 for a, n in enumerate(x.shape)]
    if config.get("rms_scaling"):
        return x / np.sqrt(x.var(axes, keepdims=True) + config["epsilon"]) * weights[0].reshape(shape)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + config["epsilon"])
    given = list(weights)
    if config["scale"]:
        y = y * given.pop(0).reshape(shape)
    return y + given.pop(0).reshape(shape) if config["center"] else y


def einsum_dense(config, weights, xs, training):
    y = np.einsum(config["equation"], xs[0], weights[0])
    return activate(config.get("activation"), y + weights[1] if config["bias_axes"] else y)


def spectral_normalization(config, weights, xs, training):
    """In inference the layer inside, with the kernel that is stored."""
    inner = {"Dense": dense, "Conv2D": convolution.LAYERS["Conv2D"]}[config["layer"]["class_name"]]
    return inner(config["layer"]["config"], weights, xs, training)


def rms_normalization(config, weights, xs, training):
    x = xs[0]
    axes = tuple(sorted(a % x.ndim for a in ([config["axis"]] if isinstance(config["axis"], int) else config["axis"])))
    y = x / np.sqrt((x * x).mean(axes, keepdims=True) + config["epsilon"])
    return y * weights[0].reshape([n if a in axes else 1 for a, n in enumerate(x.shape)])


def normalization(config, weights, xs, training):
    """The axes named have statistics of their own; all others share one. Never of the batch."""
    x = xs[0]
    axes = [a % x.ndim for a in ([config["axis"]] if isinstance(config["axis"], int) else config["axis"] or [])]
    shape = [n if a in axes else 1 for a, n in enumerate(x.shape)]
    if config["mean"] is None:
        mean, variance = (w.reshape(shape) for w in weights[:2])
    else:
        mean, variance = (np.array(config[key]) for key in ("mean", "variance"))
        if 0 < mean.ndim <= len(axes):
            own = sorted(axes)[-mean.ndim :]
            placed = [mean.shape[own.index(a)] if a in own else 1 for a in range(x.ndim)]
            mean, variance = mean.reshape(placed), variance.reshape(placed)
        mean, variance = np.broadcast_to(mean, shape), np.broadcast_to(variance, shape)
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    return x * deviation + mean if config["invert"] else (x - mean) / deviation


def group_normalization(config, weights, xs, training):
    x = np.moveaxis(xs[0], config["axis"], -1)
    groups = x.shape[-1] if config["groups"] == -1 else config["groups"]
    rows = x.reshape(*x.shape[:-1], groups, -1)
    axes = (*range(1, x.ndim - 1), x.ndim)
    rows = (rows - rows.mean(axes, keepdims=True)) / np.sqrt(rows.var(axes, keepdims=True) + config["epsilon"])
    given = list(weights)
    y = rows.reshape(x.shape)
    if config["scale"]:
        y = y * given.pop(0)
    return np.moveaxis(y + given.pop(0) if config["center"] else y, -1, config["axis"])


def dot(config, weights, xs, training):
    a, b = xs
    axes = config["axes"]
    i, j = [axes, axes] if isinstance(axes, int) else axes
    i, j = i % a.ndim, j % b.ndim
    if config.get("normalize"):
        a, b = (x / np.sqrt(np.maximum((x * x).sum(k, keepdims=True), 1e-12)) for x, k in ((a, i), (b, j)))
    y = np.stack([np.tensordot(p, q, (i - 1, j - 1)) for p, q in zip(a, b)])
    return y.reshape(len(y), 1) if y.ndim == 1 else y


def prelu(config, weights, xs, training):
    return np.maximum(xs[0], 0) + weights[0] * np.minimum(xs[0], 0)


def masking(config, weights, xs, training):
    return xs[0] * np.any(xs[0] != config["mask_value"], -1, keepdims=True)


def same(config, weights, xs, training):
    """What layers of training alone do in inference."""
    return xs[0]


def merge(operation):
    return lambda config, weights, xs, training: functools.reduce(operation, xs)


LAYERS = {
    "Dense": dense,
    "Embedding": embedding,
    "Flatten": flatten,
    "Reshape": lambda c, w, xs, t: xs[0].reshape(len(xs[0]), *c["target_shape"]),
    "Permute": lambda c, w, xs, t: xs[0].transpose(0, *c["dims"]),
    "RepeatVector": lambda c, w, xs, t: np.repeat(xs[0][:, None], c["n"], 1),
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "GroupNormalization": group_normalization,
    "UnitNormalization": lambda c, w, xs, t: xs[0] / np.sqrt((xs[0] ** 2).sum(c["axis"] if isinstance(c["axis"], int) else tuple(c["axis"]), keepdims=True)),
    "RMSNormalization": rms_normalization,
    "EinsumDense": einsum_dense,
    "SpectralNormalization": spectral_normalization,
    "Normalization": normalization,
    "Rescaling": lambda c, w, xs, t: xs[0] * np.array(c["scale"]) + np.array(c["offset"]),
    "Activation": lambda c, w, xs, t: activate(c["activation"], xs[0]),
    "ReLU": lambda c, w, xs, t: relu(xs[0], c["negative_slope"], c["max_value"], c["threshold"]),
    "LeakyReLU": lambda c, w, xs, t: np.where(xs[0] > 0, xs[0], c["negative_slope"] * xs[0]),
    "ELU": lambda c, w, xs, t: elu(xs[0], c["alpha"]),
    "Softmax": lambda c, w, xs, t: softmax(xs[0], c["axis"]),
    "PReLU": prelu,
    "Masking": masking,
    "Add": merge(np.add),
    "Subtract": merge(np.subtract),
    "Multiply": merge(np.multiply),
    "Average": lambda c, w, xs, t: sum(xs) / len(xs),
    "Maximum": merge(np.maximum),
    "Minimum": merge(np.minimum),
    "Concatenate": lambda c, w, xs, t: np.concatenate(xs, c["axis"]),
    "Dot": dot,
}
for _name in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity", "ActivityRegularization"):
    LAYERS[_name] = same
for _n in (1, 2, 3):
    LAYERS[f"UpSampling{_n}D"] = up_sampling(_n)
    LAYERS[f"ZeroPadding{_n}D"] = zero_padding(_n)
    LAYERS[f"Cropping{_n}D"] = cropping(_n)
