"""keras.io/api/layers/convolution_layers and pooling_layers (Keras 3) in any number of dimensions, in float64."""
import itertools

import numpy as np

from activations import activate


def each(value, n):
    return [value] * n if isinstance(value, int) else list(value)


def placed(sizes, kernel, strides, dilations, padding):
    """Output sizes and the padding before and behind each axis, as TensorFlow has them."""
    out, pads = [], []
    for n, k, s, d in zip(sizes, kernel, strides, dilations):
        k = (k - 1) * d + 1
        if padding == "same":
            o = -(-n // s)
            total = max((o - 1) * s + k - n, 0)
            before = total // 2
        else:
            total = before = k - 1 if padding == "causal" else 0
            o = (n + total - k) // s + 1
        out.append(o)
        pads.append((before, total - before))
    return out, pads


def taps(x, kernel, strides, dilations, padding, fill=0.0):
    """For each place of the window, what it sees of x [batch, ...space, channels] at every output."""
    space = x.shape[1:-1]
    out, pads = placed(space, kernel, strides, dilations, padding)
    # Behind, as much again as the last window reads.
    pads = [(b, a + s) for (b, a), s in zip(pads, strides)]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    for place in itertools.product(*map(range, kernel)):
        starts = [p * d for p, d in zip(place, dilations)]
        cut = tuple(slice(a, a + (o - 1) * s + 1, s) for a, o, s in zip(starts, out, strides))
        yield place, padded[(slice(None), *cut)]


def moved(config, x):
    return np.moveaxis(x, 1, -1) if config.get("data_format") == "channels_first" else x


def back(config, y):
    return np.moveaxis(y, -1, 1) if config.get("data_format") == "channels_first" else y


def finish(config, y, weights):
    if config.get("use_bias", True):
        y = y + weights[-1]
    return activate(config.get("activation"), back(config, y))


def window(config, n, key="kernel_size"):
    kernel = each(config[key], n)
    strides = each(config.get("strides") or (1 if key == "kernel_size" else kernel), n)
    return kernel, strides, each(config.get("dilation_rate", 1), n), config.get("padding", "valid")


def convolved(x, kernel, settings, groups=1):
    filters, per = kernel.shape[-1] // groups, kernel.shape[-2]
    parts = []
    for g in range(groups):
        own = x[..., g * per : (g + 1) * per]
        parts.append(sum(v @ kernel[p][:, g * filters : (g + 1) * filters] for p, v in taps(own, *settings)))
    return np.concatenate(parts, -1)


def depthwise(x, kernel, settings):
    y = sum(v[..., None] * kernel[p] for p, v in taps(x, *settings))
    return y.reshape(*y.shape[:-2], -1)


def conv(n):
    def layer(config, weights, xs, training):
        y = convolved(moved(config, xs[0]), weights[0], window(config, n), config.get("groups", 1))
        return finish(config, y, weights)

    return layer


def depthwise_conv(n):
    def layer(config, weights, xs, training):
        return finish(config, depthwise(moved(config, xs[0]), weights[0], window(config, n)), weights)

    return layer


def separable_conv(n):
    def layer(config, weights, xs, training):
        y = depthwise(moved(config, xs[0]), weights[0], window(config, n))
        return finish(config, y @ weights[1].reshape(weights[1].shape[-2:]), weights)

    return layer


def conv_transpose(n):
    """Each input pixel adds its kernel, [...size, filters, channels], to the output."""

    def layer(config, weights, xs, training):
        x = moved(config, xs[0])
        kernel, strides, dilations, padding = window(config, n)
        space = x.shape[1:-1]
        wide = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        extra = config.get("output_padding")
        extra = [None] * n if extra is None else each(extra, n)
        y = np.zeros((x.shape[0], *[(m - 1) * s + max(k, s) + (e or 0) for m, s, k, e in zip(space, strides, wide, extra)], weights[0].shape[-2]))
        for p in itertools.product(*map(range, kernel)):
            cut = tuple(slice(a * d, a * d + (m - 1) * s + 1, s) for a, d, m, s in zip(p, dilations, space, strides))
            y[(slice(None), *cut)] += x @ weights[0][p].T
        for axis, (m, s, k, e) in enumerate(zip(space, strides, wide, extra), 1):
            if padding == "same":
                length = m * s if e is None else (m - 1) * s + k % 2 + e
                before = max((m - 1) * s + k - length, 0) // 2
            else:
                length, before = (m - 1) * s + (max(k, s) if e is None else k + e), 0
            y = np.take(y, range(before, before + length), axis)
        return finish(config, y, weights)

    return layer


def pool(n, kind):
    def layer(config, weights, xs, training):
        x = moved(config, xs[0])
        settings = window(config, n, "pool_size")
        if kind == "max":
            return back(config, np.max([v for _, v in taps(x, *settings, fill=-np.inf)], axis=0))
        total = sum(v for _, v in taps(x, *settings))
        return back(config, total / sum(v for _, v in taps(np.ones_like(x), *settings)))

    return layer


def global_pool(n, kind):
    def layer(config, weights, xs, training):
        axes = tuple(range(2, n + 2) if config.get("data_format") == "channels_first" else range(1, n + 1))
        return (np.max if kind == "max" else np.mean)(xs[0], axis=axes, keepdims=config.get("keepdims", False))

    return layer


def locally_connected(n):
    """keras/layers/local.py of Keras 2, implementation 1: a kernel [size x channels, filters] for each output position."""

    def layer(config, weights, xs, training):
        x = moved(config, xs[0])
        kernel, strides, dilations, padding = window(config, n)
        rows = np.stack([v for _, v in taps(x, kernel, strides, dilations, padding)], -2)
        rows = rows.reshape(*rows.shape[:-2], -1)
        space = rows.shape[1:-1]
        y = np.einsum("bpk,pkf->bpf", rows.reshape(len(x), -1, rows.shape[-1]), weights[0]).reshape(len(x), *space, -1)
        return finish(config, y, weights)

    return layer


def adaptive_pool(n, kind):
    """Position i of m pools floor(i n / m) to ceil((i + 1) n / m)."""

    def layer(config, weights, xs, training):
        x = moved(config, xs[0])
        sizes = each(config["output_size"], n)
        y = np.zeros((len(x), *sizes, x.shape[-1]))
        for place in itertools.product(*map(range, sizes)):
            box = tuple(slice(i * s // m, -(-(i + 1) * s // m)) for i, m, s in zip(place, sizes, x.shape[1:-1]))
            y[(slice(None), *place)] = (np.max if kind == "max" else np.mean)(x[(slice(None), *box)], axis=tuple(range(1, n + 1)))
        return back(config, y)

    return layer


LAYERS = {}
for _n in (1, 2, 3):
    LAYERS[f"Conv{_n}D"] = conv(_n)
    LAYERS[f"DepthwiseConv{_n}D"] = depthwise_conv(_n)
    LAYERS[f"SeparableConv{_n}D"] = separable_conv(_n)
    LAYERS[f"LocallyConnected{_n}D"] = locally_connected(_n)
    LAYERS[f"Conv{_n}DTranspose"] = conv_transpose(_n)
    for _kind, _name in (("max", "Max"), ("average", "Average")):
        LAYERS[f"{_name}Pooling{_n}D"] = pool(_n, _kind)
        LAYERS[f"Global{_name}Pooling{_n}D"] = global_pool(_n, _kind)
        LAYERS[f"Adaptive{_name}Pooling{_n}D"] = adaptive_pool(_n, _kind)
