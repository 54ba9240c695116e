"""Every layer class that Keras 3 has and a model file may hold x its settings."""
from activations import ACTIVATIONS

MEAN = {"scale": 0.3, "offset": 0.0, "trainable": False}
VARIANCE = {"scale": 0.4, "offset": 0.8, "trainable": False}
SCALE = {"scale": 0.5, "offset": 1.0}


def case(name, shapes, *chain, front=True, training=True, whole=0, averages=False):
    shapes = [shapes] if isinstance(shapes, tuple) else shapes
    return {"id": name, "shapes": [list(s) for s in shapes], "chain": list(chain), "front": front, "training": training, "whole": whole, "averages": averages}


def layer(class_name, weights=(), **config):
    return (class_name, config, [w if isinstance(w, list) else [w] for w in weights])


def activations():
    for name in ACTIVATIONS:
        yield case(f"Activation {name}", (5,), layer("Activation", activation=name))
        if name != "linear":
            yield case(f"Dense {name}", (4,), layer("Dense", [(4, 3), (3,)], units=3, activation=name, use_bias=True))
    yield case("Activation softmax over rows", (3, 4), layer("Activation", activation="softmax"))
    relu = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}
    for name, more in {"": {}, " max_value": {"max_value": 0.4}, " negative_slope": {"negative_slope": 0.1}, " threshold": {"threshold": 0.2}, " all": {"max_value": 0.8, "negative_slope": 0.2, "threshold": 0.1}, " slope and max_value": {"max_value": 0.5, "negative_slope": 0.3}}.items():
        yield case("ReLU" + name, (4, 3), layer("ReLU", **{**relu, **more}))
    for slope in (0.3, 0.05):
        yield case(f"LeakyReLU {slope}", (6,), layer("LeakyReLU", negative_slope=slope))
    for alpha in (1.0, 0.5):
        yield case(f"ELU alpha {alpha}", (6,), layer("ELU", alpha=alpha))
    for axis in (-1, 1, [1, 2]):
        yield case(f"Softmax axis {axis}", (3, 4), layer("Softmax", axis=axis))
    yield case("PReLU", (3, 2), layer("PReLU", [(3, 2)], shared_axes=None))
    yield case("PReLU shared_axes [1, 2]", (3, 2, 4), layer("PReLU", [(1, 1, 4)], shared_axes=[1, 2]))
    yield case("PReLU shared_axes [1]", (3, 4), layer("PReLU", [(1, 4)], shared_axes=[1]))


def core():
    for bias in (True, False):
        for shape in ((4,), (3, 4), (2, 3, 4)):
            yield case(f"Dense rank {len(shape)} use_bias {bias}", shape, layer("Dense", [(4, 2), (2,)][: 1 + bias], units=2, activation="tanh", use_bias=bias))
    for name, config in {"L1": {"l1": 0.1}, "L2": {"l2": 0.2}, "L1L2": {"l1": 0.05, "l2": 0.1}}.items():
        yield case(f"Dense kernel_regularizer {name}", (4,), layer("Dense", [(4, 2), (2,)], units=2, activation="linear", use_bias=True, kernel_regularizer={"module": "keras.regularizers", "class_name": name, "config": config, "registered_name": None}))
    yield case("Dense bias_regularizer L2", (4,), layer("Dense", [(4, 2), (2,)], units=2, activation="linear", use_bias=True, bias_regularizer={"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.3}, "registered_name": None}))
    yield case("Embedding", (4,), layer("Embedding", [(7, 3)], input_dim=7, output_dim=3, mask_zero=False), front=False, whole=7)
    yield case("Reshape", (4, 3), layer("Reshape", target_shape=[2, 6]))
    yield case("Permute [2, 1]", (4, 3), layer("Permute", dims=[2, 1]))
    yield case("Permute [3, 1, 2]", (2, 3, 4), layer("Permute", dims=[3, 1, 2]))
    yield case("RepeatVector", (4,), layer("RepeatVector", n=3))
    for rank, shape in enumerate(((5,), (4, 3), (2, 3, 4)), 1):
        for form in ("channels_last", "channels_first"):
            if not (rank == 1 and form == "channels_first"):
                yield case(f"Flatten rank {rank} {form}", shape, layer("Flatten", data_format=form))
    yield case("Masking", (4, 3), layer("Masking", mask_value=0.0))
    yield case("Identity", (4,), layer("Identity"))
    yield case("Rescaling", (4, 3), layer("Rescaling", scale=0.5, offset=0.25))
    yield case("Rescaling by channel", (4, 3), layer("Rescaling", scale=[0.5, 1.0, 2.0], offset=[0.0, 0.1, 0.2]))
    for axis, mean, variance in (([-1], [0.1, 0.2, 0.3], [1.0, 2.0, 0.5]), ([-1], [[0.1, 0.2, 0.3]], [[1.0, 2.0, 0.5]]), ([-1], 0.25, 2.0), ([], 0.25, 2.0), ([1], [0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 0.5, 0.7]), ([1, 2], [0.1, 0.2, 0.3], [1.0, 2.0, 0.5])):
        yield case(f"Normalization axis {axis} with mean {mean} in its config", (4, 3), layer("Normalization", axis=axis, invert=False, mean=mean, variance=variance))
    adapted = {"mean": None, "variance": None}
    count = [(), {"offset": 2.0, "trainable": False}]
    for axis, shape, own in (([-1], (3,), (3,)), ([-1], (4, 3), (3,)), ([-1], (2, 2, 3), (3,)), ([1], (4, 3), (4,)), ([1], (2, 3, 4), (2,)), ([1, 2], (2, 3), (2, 3)), ([-1, 1], (2, 3, 4), (2, 4)), ([], (4, 3), ()), (None, (3,), ())):
        weights = [[own, MEAN], [own, VARIANCE], count]
        yield case(f"Normalization axis {axis} of {shape}", shape, layer("Normalization", weights, axis=axis, invert=False, **adapted))
    for axis, own in (([-1], (3,)), ([], ())):
        yield case(f"Normalization axis {axis} inverted", (4, 3), layer("Normalization", [[own, MEAN], [own, VARIANCE], count], axis=axis, invert=True, **adapted))
    yield case("TimeDistributed Normalization", (4, 3), layer("TimeDistributed", [[(3,), {**MEAN, "at": "layer"}], [(3,), {**VARIANCE, "at": "layer"}], [(), {"trainable": False, "at": "layer"}]], layer={"class_name": "Normalization", "config": {"axis": [-1], "invert": False, **adapted}}))
    for name, config in {"Dropout": {"rate": 0.4, "noise_shape": None}, "SpatialDropout1D": {"rate": 0.3}, "GaussianNoise": {"stddev": 0.5}, "GaussianDropout": {"rate": 0.4}, "AlphaDropout": {"rate": 0.4, "noise_shape": None}}.items():
        yield case(f"{name} in inference", (4, 3), layer(name, seed=None, **config), training=False)
        zero = {key: 0.0 if key in ("rate", "stddev") else value for key, value in config.items()}
        yield case(f"{name} of nothing", (4, 3), layer(name, seed=None, **zero))
    for form in ("channels_last", "channels_first"):
        yield case(f"SpatialDropout2D {form} in inference", (2, 3, 4), layer("SpatialDropout2D", rate=0.4, seed=None, data_format=form), training=False)
        yield case(f"SpatialDropout3D {form} in inference", (2, 2, 3, 4), layer("SpatialDropout3D", rate=0.4, seed=None, data_format=form), training=False)


SPACE = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}
KERNEL = {1: (3,), 2: (3, 2), 3: (2, 3, 2)}


def formed(n, channels, form):
    return (channels, *SPACE[n]) if form == "channels_first" else (*SPACE[n], channels)


def convolutions():
    for n in (1, 2, 3):
        k = KERNEL[n]
        base = {"kernel_size": list(k), "strides": [1] * n, "padding": "valid", "data_format": "channels_last", "dilation_rate": [1] * n, "activation": "linear", "use_bias": True}
        variants = {"valid": {}, "same": {"padding": "same"}, "same strides 2": {"padding": "same", "strides": [2] * n}, "valid strides 2": {"strides": [2] * n}, "dilated valid": {"dilation_rate": [2] * n}, "dilated same": {"padding": "same", "dilation_rate": [2] * n}, "strides over kernel": {"padding": "same", "strides": [max(k) + 1] * n}, "no bias, tanh": {"use_bias": False, "activation": "tanh"}, "channels first": {"data_format": "channels_first"}, "channels first same strides 2": {"data_format": "channels_first", "padding": "same", "strides": [2] * n}}
        if n == 1:
            variants |= {"causal": {"padding": "causal"}, "causal dilated": {"padding": "causal", "dilation_rate": [2]}, "causal strides 2": {"padding": "causal", "strides": [2]}, "causal dilated channels first": {"padding": "causal", "dilation_rate": [3], "data_format": "channels_first"}, "causal no bias, tanh": {"padding": "causal", "use_bias": False, "activation": "tanh"}}
        for name, more in variants.items():
            config = {**base, **more}
            shape = formed(n, 4, config["data_format"])
            bias = config["use_bias"]
            if n == 3 and "dilated" in name:
                shape = (5, 6, 4, 4)
            yield case(f"Conv{n}D {name}", shape, layer(f"Conv{n}D", [(*k, 4, 3), (3,)][: 1 + bias], filters=3, groups=1, **config))
            if n < 3 and "dilated" not in name and "causal" not in name or name.startswith("dilated") and n < 3:
                yield case(f"SeparableConv{n}D {name}", shape, layer(f"SeparableConv{n}D", [(*k, 4, 2), (*[1] * n, 8, 3), (3,)][: 2 + bias], filters=3, depth_multiplier=2, **config))
                yield case(f"DepthwiseConv{n}D {name}", shape, layer(f"DepthwiseConv{n}D", [(*k, 4, 2), (8,)][: 1 + bias], depth_multiplier=2, **config))
            if "dilated" not in name and "causal" not in name:
                small = (3, 3, 2) if n == 3 else SPACE[n]
                shape = (4, *small) if config["data_format"] == "channels_first" else (*small, 4)
                yield case(f"Conv{n}DTranspose {name}", shape, layer(f"Conv{n}DTranspose", [(*k, 3, 4), (3,)][: 1 + bias], filters=3, output_padding=None, **config))
        yield case(f"Conv{n}D groups", formed(n, 4, ""), layer(f"Conv{n}D", [(*k, 2, 6), (6,)], filters=6, groups=2, **base))
        grouped = {"groups of one same": (4, {"padding": "same"}), "groups same strides 2": (2, {"padding": "same", "strides": [2] * n}), "groups no bias, relu": (2, {"use_bias": False, "activation": "relu"}), "groups channels first": (4, {"data_format": "channels_first"}), "groups dilated": (2, {"dilation_rate": [2] + [1] * (n - 1)}), "groups softmax": (2, {"activation": "softmax"})}
        if n == 1:
            grouped |= {"groups causal": (2, {"padding": "causal"})}
        for name, (groups, more) in grouped.items():
            config = {**base, **more}
            yield case(f"Conv{n}D {name}", formed(n, 4, config["data_format"]), layer(f"Conv{n}D", [(*k, 4 // groups, 8), (8,)][: 1 + config["use_bias"]], filters=8, groups=groups, **config))
        small = (2, 3, 2) if n == 3 else SPACE[n]
        for name, more in {"output_padding valid": {"output_padding": [1] * n, "strides": [2] * n}, "output_padding same": {"output_padding": [1] * n, "strides": [2] * n, "padding": "same"}, "no output_padding same": {"output_padding": [0] * n, "strides": [2] * n, "padding": "same"}, "dilated": {"output_padding": None, "dilation_rate": [2] + [1] * (n - 1)}, "dilated same": {"output_padding": None, "dilation_rate": [2] * n, "padding": "same"}}.items():
            yield case(f"Conv{n}DTranspose {name}", (*small, 4), layer(f"Conv{n}DTranspose", [(*k, 3, 4), (3,)], filters=3, **{**base, **more}))


def poolings():
    for n in (1, 2, 3):
        for kind in ("Max", "Average"):
            for name, more in {"valid": {}, "same": {"padding": "same"}, "same, window 3, strides 2": {"pool_size": [3] * n, "strides": [2] * n, "padding": "same"}, "valid, window 3, strides 1": {"pool_size": [3] * n, "strides": [1] * n}, "same, strides over window": {"strides": [3] * n, "padding": "same"}, "channels first": {"data_format": "channels_first"}, "channels first same": {"data_format": "channels_first", "padding": "same"}}.items():
                config = {"pool_size": [2] * n, "strides": [2] * n, "padding": "valid", "data_format": "channels_last", **more}
                yield case(f"{kind}Pooling{n}D {name}", formed(n, 3, config["data_format"]), layer(f"{kind}Pooling{n}D", **config))
            for form in ("channels_last", "channels_first"):
                for size in ([2] * n, [3, 4, 2][:n]):
                    yield case(f"Adaptive{kind}Pooling{n}D {form} to {size}", formed(n, 3, form), layer(f"Adaptive{kind}Pooling{n}D", output_size=size, data_format=form))
                for keep in (False, True):
                    yield case(f"Global{kind}Pooling{n}D {form} keepdims {keep}", formed(n, 3, form), layer(f"Global{kind}Pooling{n}D", data_format=form, keepdims=keep))


def spatial():
    for n in (1, 2, 3):
        forms = ("channels_last",) if n == 1 else ("channels_last", "channels_first")
        unequal = {1: [1, 2], 2: [[1, 2], [0, 1]], 3: [[1, 0], [0, 1], [1, 1]]}[n]
        for form in forms:
            data = {} if n == 1 else {"data_format": form}
            for amount, name in ((1, "equal"), (unequal, "unequal")):
                amount = [amount] * n if amount == 1 and n > 1 else [1, 1] if amount == 1 else amount
                yield case(f"ZeroPadding{n}D {form} {name}", formed(n, 2, form), layer(f"ZeroPadding{n}D", padding=amount, **data))
                yield case(f"Cropping{n}D {form} {name}", formed(n, 2, form), layer(f"Cropping{n}D", cropping=amount, **data))
            sizes = {1: (2, 3), 2: ([2, 2], [2, 3]), 3: ([2, 2, 2], [1, 2, 3])}[n]
            for size in sizes:
                ways = ("nearest", "bilinear") if n == 2 else (None,)
                for way in ways:
                    more = {} if way is None else {"interpolation": way}
                    yield case(f"UpSampling{n}D {form} {size} {way or ''}".strip(), formed(n, 2, form), layer(f"UpSampling{n}D", size=size, **more, **data))
    for size in ([3, 3], [4, 4], [1, 2], [5, 1]):
        yield case(f"UpSampling2D bilinear {size}", (3, 2, 2), layer("UpSampling2D", size=size, interpolation="bilinear", data_format="channels_last"))
    yield case("UpSampling2D bilinear of one pixel", (1, 1, 2), layer("UpSampling2D", size=[2, 3], interpolation="bilinear", data_format="channels_last"))
    yield case("TimeDistributed UpSampling2D bilinear", (2, 3, 2, 2), layer("TimeDistributed", layer={"class_name": "UpSampling2D", "config": {"size": [2, 2], "interpolation": "bilinear", "data_format": "channels_last"}}))


def normalizations():
    for shape in ((4,), (5, 4), (3, 2, 4), (2, 2, 3, 4)):
        for scale, center in ((True, True), (False, True), (True, False), (False, False)):
            if len(shape) < 3 or scale == center:
                own = [[(4,), SCALE]] * scale + [(4,)] * center
                yield case(f"BatchNormalization rank {len(shape)} scale {scale} center {center}", shape, layer("BatchNormalization", [*own, [(4,), MEAN], [(4,), VARIANCE]], axis=-1, momentum=0.9, epsilon=0.01, center=center, scale=scale), averages=True)
                own = [[(4,), SCALE]] * scale + [(4,)] * center
                yield case(f"LayerNormalization rank {len(shape)} scale {scale} center {center}", shape, layer("LayerNormalization", own, axis=[len(shape)], epsilon=0.01, center=center, scale=scale))
    for axis, shape in ((1, (4, 3)), (1, (4, 2, 3)), (2, (3, 4, 2)), (1, (4, 2, 2, 3))):
        yield case(f"BatchNormalization rank {len(shape)} axis {axis}", shape, layer("BatchNormalization", [[(4,), SCALE], (4,), [(4,), MEAN], [(4,), VARIANCE]], axis=axis, momentum=0.99, epsilon=0.001, center=True, scale=True), averages=True)
    frozen = {"trainable": False}
    yield case("BatchNormalization not trainable", (4,), layer("BatchNormalization", [[(4,), {**SCALE, **frozen}], [(4,), frozen], [(4,), MEAN], [(4,), VARIANCE]], axis=-1, momentum=0.9, epsilon=0.001, center=True, scale=True, trainable=False))
    for axis, shape, own in (([1, 2], (3, 4), (3, 4)), ([1], (3, 4), (3,)), ([2, 3], (2, 3, 4), (3, 4))):
        yield case(f"LayerNormalization axis {axis}", shape, layer("LayerNormalization", [[own, SCALE], own], axis=axis, epsilon=0.001, center=True, scale=True))
    for groups in (2, -1, 1):
        yield case(f"GroupNormalization groups {groups}", (3, 2, 4), layer("GroupNormalization", [[(4,), SCALE], (4,)], groups=groups, axis=-1, epsilon=0.001, center=True, scale=True))
    for axis, shape in ((1, (4,)), (-1, (3, 4)), (1, (4, 2, 3)), (2, (3, 4, 2)), (1, (4, 2, 2, 3))):
        yield case(f"GroupNormalization of {shape} axis {axis}", shape, layer("GroupNormalization", [[(4,), SCALE], (4,)], groups=2, axis=axis, epsilon=0.001, center=True, scale=True))
    for scale, center in ((False, True), (True, False), (False, False)):
        yield case(f"GroupNormalization scale {scale} center {center}", (3, 4), layer("GroupNormalization", [[(4,), SCALE]] * scale + [(4,)] * center, groups=2, axis=-1, epsilon=0.001, center=center, scale=scale))
    yield case("UnitNormalization", (3, 4), layer("UnitNormalization", axis=-1))
    for axis in (1, [1, 2]):
        yield case(f"UnitNormalization axis {axis}", (3, 4), layer("UnitNormalization", axis=axis))
    for axis, own in (([-1], (4,)), ([1], (3,)), ([1, 2], (3, 4))):
        yield case(f"RMSNormalization axis {axis}", (3, 4), layer("RMSNormalization", [[own, SCALE]], axis=axis, epsilon=0.001))
    for scale in (True, False):
        yield case(f"LayerNormalization rms_scaling scale {scale}", (3, 4), layer("LayerNormalization", [[(4,), SCALE]], axis=[-1], epsilon=0.001, center=True, scale=scale, rms_scaling=True))


def merges():
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        yield case(f"{name} of two", [(3, 4), (3, 4)], layer(name))
        yield case(f"{name} broadcasting", [(3, 4), (1, 4)], layer(name))
        yield case(f"{name} broadcasting both", [(3, 1), (1, 4)], layer(name))
        if name != "Subtract":
            yield case(f"{name} of three", [(4,), (4,), (4,)], layer(name))
    for axis, shapes in ((-1, [(3, 4), (3, 2)]), (1, [(3, 4), (2, 4)]), (3, [(2, 3, 4), (2, 3, 1)]), (2, [(2, 3, 4), (2, 1, 4)])):
        yield case(f"Concatenate axis {axis} rank {len(shapes[0])}", shapes, layer("Concatenate", axis=axis))
    for normalize in (False, True):
        for axes, shapes in ((1, [(4,), (4,)]), (-1, [(4,), (4,)]), (2, [(3, 4), (2, 4)]), ([2, 1], [(3, 4), (4, 2)]), ([1, 2], [(4, 3), (2, 4)]), (1, [(4, 3), (4, 2)]), ([2, 1], [(3, 4), (4,)]), ([1, 2], [(4,), (3, 4)])):
            yield case(f"Dot axes {axes} of {shapes[0]} and {shapes[1]} normalize {normalize}", shapes, layer("Dot", axes=axes, normalize=normalize))


def rnn_weights(features, units, gates, bias=True, after=False, at="cell"):
    place = {"at": at}
    rows = [[(features, gates * units), place], [(units, gates * units), place]]
    return rows + ([[(2, gates * units) if after else (gates * units,), place]] if bias else [])


COUNT = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


def rnn_config(name, **more):
    config = {"units": 3, "activation": "tanh", "use_bias": True, "dropout": 0.0, "recurrent_dropout": 0.0, "seed": None}
    if "SimpleRNN" not in name:
        config["recurrent_activation"] = "sigmoid"
    if "LSTM" in name:
        config["unit_forget_bias"] = True
    if "GRU" in name:
        config["reset_after"] = False
    if not name.endswith("Cell"):
        config |= {"return_sequences": False, "return_state": False, "go_backwards": False, "stateful": False, "unroll": False, "zero_output_for_mask": False}
    return {**config, **more}


def recurrent():
    for name, gates, own in (*((name, gates, {}) for name, gates in COUNT.items()), ("GRU", 3, {"reset_after": True})):
        after = bool(own)
        kind = f"{name} reset_after" if after else name
        variants = {"": {}, "return_sequences": {"return_sequences": True}, "go_backwards": {"go_backwards": True}, "go_backwards return_sequences": {"go_backwards": True, "return_sequences": True}, "no bias": {"use_bias": False}, "relu": {"activation": "relu"}, "unroll": {"unroll": True}, "stateful": {"stateful": True}, "softsign": {"activation": "softsign"}}
        if gates > 1:
            variants |= {"hard gates": {"recurrent_activation": "hard_sigmoid"}, "tanh gates": {"recurrent_activation": "tanh"}}
        if name == "GRU":
            variants |= {"hard candidate": {"activation": "hard_sigmoid", "recurrent_activation": "hard_sigmoid"}, "kernel_regularizer": {"kernel_regularizer": {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.2}, "registered_name": None}}}
        for title, more in variants.items():
            config = rnn_config(name, **own, **more)
            yield case(f"{kind} {title}".strip(), (4, 2), layer(name, rnn_weights(2, 3, gates, config["use_bias"], after), **config))
        yield case(f"{kind} dropouts in inference", (4, 2), layer(name, rnn_weights(2, 3, gates, after=after), **rnn_config(name, **own, dropout=0.4, recurrent_dropout=0.3)), training=False)
        yield case(f"{kind} one step", (1, 2), layer(name, rnn_weights(2, 3, gates, after=after), **rnn_config(name, **own)))
        inner = {"class_name": name, "config": rnn_config(name, **own)}
        both = rnn_weights(2, 3, gates, after=after, at="forward_layer/cell") + rnn_weights(2, 3, gates, after=after, at="backward_layer/cell")
        for mode in ("concat", "sum", "mul", "ave"):
            for sequences in (False, True):
                ahead = {**inner, "config": {**inner["config"], "return_sequences": sequences}}
                back = {**ahead, "config": {**ahead["config"], "go_backwards": True}}
                yield case(f"Bidirectional {kind} {mode} return_sequences {sequences}", (3, 2), layer("Bidirectional", both, layer=ahead, merge_mode=mode, backward_layer={"module": "keras.layers", "registered_name": None, **back, "config": {"name": "backward", **back["config"]}}))
        cell = {"class_name": f"{name}Cell", "config": rnn_config(f"{name}Cell", **own)}
        yield case(f"RNN of {name}Cell{' reset_after' if after else ''}", (4, 2), layer("RNN", rnn_weights(2, 3, gates, after=after), cell=cell, return_sequences=True, return_state=False, go_backwards=False, stateful=False, unroll=False))
    cells = [{"class_name": "LSTMCell", "config": rnn_config("LSTMCell")}, {"class_name": "SimpleRNNCell", "config": rnn_config("SimpleRNNCell", units=2)}]
    for after in (False, True):
        gru = {"class_name": "GRUCell", "config": rnn_config("GRUCell", units=2, reset_after=after)}
        two = rnn_weights(2, 3, 4, at="cell/cells/lstm_cell") + rnn_weights(3, 2, 3, after=after, at="cell/cells/gru_cell")
        yield case(f"RNN of LSTMCell and GRUCell reset_after {after}", (4, 2), layer("RNN", two, cell={"class_name": "StackedRNNCells", "config": {"cells": [cells[0], gru]}}, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False))
    stacked = rnn_weights(2, 3, 4, at="cell/cells/lstm_cell") + rnn_weights(3, 2, 1, at="cell/cells/simple_rnn_cell")
    yield case("RNN of StackedRNNCells", (4, 2), layer("RNN", stacked, cell={"class_name": "StackedRNNCells", "config": {"cells": cells}}, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False))
    for title, more in {"": {}, "return_sequences same": {"return_sequences": True, "padding": "same"}, "go_backwards": {"go_backwards": True}, "hard gates": {"recurrent_activation": "hard_sigmoid"}, "no bias": {"use_bias": False}, "strides 2": {"strides": [2, 2]}, "channels first": {"data_format": "channels_first", "return_sequences": True}}.items():
        config = {**rnn_config("LSTM"), "filters": 2, "kernel_size": [2, 2], "strides": [1, 1], "padding": "valid", "data_format": "channels_last", "dilation_rate": [1, 1], **more}
        for key in ("units", "unroll", "zero_output_for_mask"):
            del config[key]
        shape = (3, 2, 4, 3) if config["data_format"] == "channels_first" else (3, 4, 3, 2)
        place = {"at": "cell"}
        own = [[(2, 2, 2, 8), place], [(2, 2, 2, 8), place], [(8,), place]]
        yield case(f"ConvLSTM2D {title}".strip(), shape, layer("ConvLSTM2D", own[: 2 + config["use_bias"]], **config))
    inside = {"at": "layer"}
    yield case("TimeDistributed Dense", (3, 4), layer("TimeDistributed", [[(4, 2), inside], [(2,), inside]], layer={"class_name": "Dense", "config": {"units": 2, "activation": "tanh", "use_bias": True}}))
    yield case("TimeDistributed Conv1D causal dilated", (2, 5, 2), layer("TimeDistributed", [[(2, 2, 3), inside], [(3,), inside]], layer={"class_name": "Conv1D", "config": {"filters": 3, "kernel_size": [2], "strides": [1], "padding": "causal", "data_format": "channels_last", "dilation_rate": [2], "groups": 1, "activation": "relu", "use_bias": True}}))
    yield case("TimeDistributed Conv2D", (2, 4, 3, 2), layer("TimeDistributed", [[(2, 2, 2, 3), inside], [(3,), inside]], layer={"class_name": "Conv2D", "config": {"filters": 3, "kernel_size": [2, 2], "strides": [1, 1], "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "linear", "use_bias": True}}))
    yield case("TimeDistributed BatchNormalization", (3, 4), layer("TimeDistributed", [[(4,), {**SCALE, **inside}], [(4,), inside], [(4,), {**MEAN, **inside}], [(4,), {**VARIANCE, **inside}]], layer={"class_name": "BatchNormalization", "config": {"axis": -1, "momentum": 0.9, "epsilon": 0.01, "center": True, "scale": True}}))


def products():
    for equation, shape, out, axes, own, bias in (("ab,bc->ac", (4,), 3, "c", (4, 3), (3,)), ("abc,cd->abd", (3, 4), [None, 2], "d", (4, 2), (2,)), ("...x,xy->...y", (2, 3, 4), 5, "y", (4, 5), (5,)), ("...x,xyz->...yz", (3, 4), [2, 5], "yz", (4, 2, 5), (2, 5)), ("abc,cde->abde", (3, 4), [None, 2, 3], "d", (4, 2, 3), (2, 1)), ("abcd,cde->abe", (3, 2, 4), [None, 5], None, (2, 4, 5), None), ("abc,bcd->abd", (3, 4), [None, 2], "bd", (3, 4, 2), (3, 2)), ("abc,cb->acb", (3, 4), [4, 3], None, (4, 3), None), ("ab...,bc->ac...", (4, 2, 3), 5, "c", (4, 5), (5, 1, 1)), ("abc,d->ad", (3, 4), 2, None, (2,), None)):
        yield case(f"EinsumDense {equation} of {shape} bias {axes}", shape, layer("EinsumDense", [own] + [bias] * (bias is not None), equation=equation, output_shape=out, activation="tanh", bias_axes=axes))
    at = {"at": "layer"}
    yield case("SpectralNormalization Dense", (4,), layer("SpectralNormalization", [[(4, 3), at], [(3,), at]], power_iterations=1, layer={"class_name": "Dense", "config": {"units": 3, "activation": "silu", "use_bias": True}}))
    yield case("SpectralNormalization Conv2D", (4, 3, 2), layer("SpectralNormalization", [[(2, 2, 2, 3), at]], power_iterations=2, layer={"class_name": "Conv2D", "config": {"filters": 3, "kernel_size": [2, 2], "strides": [1, 1], "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "relu", "use_bias": False}}))
    for n, size, positions in ((1, [3], (5,)), (2, [3, 2], (4, 4))):
        base = {"kernel_size": size, "strides": [1] * n, "padding": "valid", "data_format": "channels_last", "activation": "tanh", "use_bias": True, "implementation": 1}
        k = size[0] * (size[1] if n == 2 else 1)
        for name, more in (("", {}), ("strides 2", {"strides": [2] * n}), ("channels first", {"data_format": "channels_first"}), ("no bias", {"use_bias": False})):
            config = {**base, **more}
            space = tuple((p - 1) // config["strides"][0] + 1 for p in positions)
            count = space[0] * (space[1] if n == 2 else 1)
            yield case(f"LocallyConnected{n}D {name}".strip(), formed(n, 2, config["data_format"]), layer(f"LocallyConnected{n}D", [(count, k * 2, 3), (*space, 3)][: 1 + config["use_bias"]], filters=3, **config))
    yield case("TimeDistributed EinsumDense", (3, 2, 4), layer("TimeDistributed", [[(4, 5), at], [(5,), at]], layer={"class_name": "EinsumDense", "config": {"equation": "abc,cd->abd", "output_shape": [None, 5], "bias_axes": "d"}}))
    yield case("TimeDistributed Conv2D groups", (2, 4, 3, 2), layer("TimeDistributed", [[(2, 2, 1, 4), at], [(4,), at]], layer={"class_name": "Conv2D", "config": {"filters": 4, "kernel_size": [2, 2], "strides": [1, 1], "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 2, "activation": "hard_silu", "use_bias": True}}))


def attentions():
    def head(shapes, heads, kv, size, value, bias=True, gate=False, private=False, output=None):
        at = lambda name: {"at": name if name.startswith("_") or not private else f"_{name}"}
        query = shapes[0][-1]
        of_value, of_key = (shapes[1][-1] if len(shapes) > 1 else query), (shapes[-1][-1] if len(shapes) > 1 else query)
        out = [output] if output else [query]
        rows = []
        for name, read, n, h in (("query_dense", query, heads, size), ("key_dense", of_key, kv, size), *([("_gate_dense", query, heads, value)] if gate else []), ("value_dense", of_value, kv, value)):
            rows += [[(read, n, h), at(name)], [(n, h), at(name)]][: 1 + bias]
        return rows + [[(heads, value, *out), at("output_dense")], [tuple(out), at("output_dense")]][: 1 + bias]

    base = {"num_heads": 2, "key_dim": 3, "value_dim": 3, "dropout": 0.0, "use_bias": True, "use_gate": False, "output_shape": None, "attention_axes": [1], "sliding_window": None, "seed": None}
    own = {"to itself": ([(5, 4)], {}), "to another": ([(5, 4), (3, 6)], {}), "with keys": ([(3, 4), (5, 6), (5, 2)], {}), "value_dim": ([(5, 4)], {"value_dim": 2}), "no bias": ([(5, 4)], {"use_bias": False}), "causal": ([(5, 4)], {"call": {"use_causal_mask": True}}), "causal to another": ([(5, 4), (3, 4)], {"call": {"use_causal_mask": True}}), "sliding window": ([(6, 4)], {"sliding_window": 2}), "gate": ([(5, 4)], {"use_gate": True, "value_dim": 2}), "output_shape": ([(5, 4)], {"output_shape": [3]}), "over axis 1": ([(3, 2, 4)], {"attention_axes": [1]}), "over axis 2": ([(3, 2, 4)], {"attention_axes": [2]}), "over both axes": ([(3, 2, 4)], {"attention_axes": [1, 2]})}
    for name, (shapes, more) in own.items():
        config = {**base, **more}
        rows = head(shapes, 2, 2, 3, config["value_dim"], config["use_bias"], config["use_gate"], output=(config["output_shape"] or [None])[0])
        yield case(f"MultiHeadAttention {name}", shapes, layer("MultiHeadAttention", rows, **config))
    yield case("MultiHeadAttention dropout in inference", (5, 4), layer("MultiHeadAttention", head([(5, 4)], 2, 2, 3, 3), **{**base, "dropout": 0.4}), training=False)
    base = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "use_bias": True, "use_gate": False, "sliding_window": None, "dropout": 0.0, "seed": None}
    for name, shapes, more in (("to itself", [(5, 4)], {}), ("to another", [(5, 4), (3, 4)], {}), ("causal, no bias", [(5, 4)], {"use_bias": False, "call": {"use_causal_mask": True}}), ("gate", [(5, 4)], {"use_gate": True}), ("one key", [(5, 4)], {"num_key_value_heads": 1})):
        config = {**base, **more}
        yield case(f"GroupedQueryAttention {name}", shapes, layer("GroupedQueryAttention", head(shapes, 4, config["num_key_value_heads"], 3, 3, config["use_bias"], config["use_gate"], True), **config))
    two, keys = [(5, 4), (3, 4)], [(5, 4), (3, 6), (3, 4)]
    for name, shapes, use_scale, mode, more in (("", two, False, "dot", {}), ("scale", two, True, "dot", {}), ("with keys", keys, False, "dot", {}), ("concat", two, False, "concat", {}), ("concat scale", two, True, "concat", {}), ("causal", two, False, "dot", {"call": {"use_causal_mask": True}})):
        rows = [()] * (use_scale + (mode == "concat"))
        yield case(f"Attention {name}".strip(), shapes, layer("Attention", rows, use_scale=use_scale, score_mode=mode, dropout=0.0, seed=None, **more))
    for use_scale in (True, False):
        yield case(f"AdditiveAttention scale {use_scale}", two, layer("AdditiveAttention", [(4,)] * use_scale, use_scale=use_scale, dropout=0.0, seed=None))


def cases():
    for family in (activations, core, convolutions, poolings, spatial, normalizations, merges, recurrent, products, attentions):
        yield from family()
