"""Loss and gradients of one batch in PyTorch's float64, beside an exported file: FILE.json names the arrays of FILE.bin."""
import json
from contextlib import contextmanager

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

# Of PyTorch's gates, in the order of ONNX: input, output, forget, cell; update, reset, hidden.
GATES = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}


@contextmanager
def nothing_dropped(scaled):
    """Dropout draws masks; meanwhile each keeps everything, scaled as in training, or is not there, as in a file for evaluation."""
    own = nn.functional.dropout
    nn.functional.dropout = lambda x, p=0.5, training=True, inplace=False: x / (1 - p) if scaled and training else x
    try:
        yield
    finally:
        nn.functional.dropout = own


def packed(layer, part):
    """W, R and B of ONNX's recurrent operators, for each layer. part: what to take of a parameter."""
    kind = layer.mode.split("_")[0]

    def gates(name):
        rows = part(getattr(layer, name))
        pieces = rows.reshape(len(GATES[kind]), -1, *rows.shape[1:])[GATES[kind]]
        return pieces.reshape(rows.shape)

    ends = ["", "_reverse"] if layer.bidirectional else [""]
    for at in range(layer.num_layers):
        yield torch.stack([gates(f"weight_ih_l{at}{end}") for end in ends])
        yield torch.stack([gates(f"weight_hh_l{at}{end}") for end in ends])
        yield torch.stack([torch.cat([gates(f"bias_ih_l{at}{end}"), gates(f"bias_hh_l{at}{end}")]) for end in ends])


def tensors(module, part):
    """What a file may hold of a module, in one order: parameters, their transposes, what recurrent layers pack."""
    for name, parameter in module.named_parameters():
        yield name, part(parameter)
        if parameter.dim() == 2:
            yield name + " transposed", part(parameter).T
        if parameter.dim() == 1:
            yield name + " of channels", part(parameter)[:, None, None]
    for name, layer in module.named_modules():
        if isinstance(layer, nn.RNNBase):
            for i, tensor in enumerate(packed(layer, part)):
                yield f"{name} packed {i}", tensor


def fold_norms(module, inputs):
    """As the exporter does for evaluation: a norm that reads a convolution's output goes into its weights."""
    outputs, pairs, hooks = {}, [], []

    def read(norm, x):
        if id(x[0]) in outputs:
            pairs.append((outputs[id(x[0])][0], norm))

    for part in module.modules():
        if isinstance(part, nn.modules.conv._ConvNd) and not part.transposed:
            hooks.append(part.register_forward_hook(lambda conv, _, out: outputs.update({id(out): (conv, out)})))
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            hooks.append(part.register_forward_pre_hook(read))
    with torch.no_grad():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    for conv, norm in pairs:
        moments = norm.running_mean, norm.running_var, norm.eps
        conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, conv.bias, *moments, norm.weight, norm.bias)
    folded = {norm for _, norm in pairs}
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if child in folded:
                setattr(parent, name, nn.Identity())


def close(a, b):
    return a.shape == b.shape and np.abs(a - b).max() <= 1e-5 * max(np.abs(b).max(), 1e-30)


def matched(module, initializers):
    """Initializer -> name in `tensors`: by its name, else by its values."""
    values = {name: tensor.detach().numpy() for name, tensor in tensors(module, lambda p: p)}
    by_shape = {}
    for name, value in values.items():
        by_shape.setdefault(value.shape, []).append(name)
    found = {}
    for key, value in initializers.items():
        if key in values and values[key].shape == value.shape:
            found[key] = key
        else:
            like = [name for name in by_shape.get(value.shape, []) if close(values[name], value)]
            if len(like) > 0 and value.size > 1:
                found[key] = like[0]
    return found


def step(module, inputs, labels):
    module.zero_grad()
    output = module(*inputs)
    output = output[0] if isinstance(output, tuple) else output
    loss = nn.functional.cross_entropy(output, labels)
    loss.backward()
    none = lambda p: torch.zeros_like(p) if p.grad is None else p.grad  # noqa: E731
    return loss.item(), dict(tensors(module, none)), {name for name, p in module.named_parameters() if p.grad is None}


def write_step(module, training, inputs, path):
    if not training:
        fold_norms(module, inputs)
    module.train()
    # A convolution whose norm is folded trains without it: only norms that the file has use the batch.
    file = onnx.load(path)
    initializers = {t.name: numpy_helper.to_array(t) for t in file.graph.initializer}
    pairs = matched(module, {key: value for key, value in initializers.items() if value.dtype == np.float32})
    parameters = dict(module.named_parameters())
    with torch.no_grad():
        # Folding rounds in another order in PyTorch than in its exporter.
        for key, name in pairs.items():
            value = torch.tensor(initializers[key])
            if name in parameters:
                parameters[name].copy_(value)
            elif name.endswith(" transposed"):
                parameters[name.removesuffix(" transposed")].copy_(value.T)
        output = module(*inputs)
        output = output[0] if isinstance(output, tuple) else output
    generator = torch.Generator().manual_seed(11)
    labels = torch.randint(output.shape[1], (output.shape[0], *output.shape[2:]), generator=generator)
    _, single, _ = step(module, inputs, labels)
    single = {key: single[name].double().numpy().copy() for key, name in pairs.items()}
    module = module.double()
    loss, gradients, without = step(module, [x.double() if x.is_floating_point() else x for x in inputs], labels)
    gradients = {key: gradients[name].numpy() for key, name in pairs.items() if name not in without}
    largest = max(np.abs(g).max() for g in gradients.values())
    # A bias before a norm has a gradient of 0 in exact arithmetic, and is off by roundings of larger numbers.
    scale = {k: np.abs(g).max() if np.abs(g).max() > 1e-9 * largest else largest for k, g in gradients.items()}
    error = max(np.abs(single[k] - g).max() / scale[k] for k, g in gradients.items())
    arrays = {f"input{i}": x.double().numpy() for i, x in enumerate(inputs)} | {"labels": labels.double().numpy()}
    arrays |= {"gradient of " + key: g for key, g in gradients.items()}
    with open(path.replace(".onnx", ".bin"), "wb") as out:
        for array in arrays.values():
            out.write(np.ascontiguousarray(array, dtype="<f8").tobytes())
    with open(path.replace(".onnx", ".json"), "w") as out:
        shapes = [{"name": name, "shape": array.shape} for name, array in arrays.items()]
        json.dump({"loss": loss, "torchFloat32": float(error), "arrays": shapes}, out)


def write_gradients(module, training, inputs, path):
    """Writes the batch, its labels, the loss and the gradient of each initializer. module: in evaluation mode."""
    with nothing_dropped(scaled=training):
        write_step(module, training, inputs, path)
