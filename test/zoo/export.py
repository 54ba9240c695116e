"""
Exports networks of the zoo: python3 export.py FOLDER SIZE NAME..., each as NAME.eval.onnx and NAME.train.onnx.

SIZE: pixels of an image's edge: of a file with an open batch, and of one with a fixed one; "gradients" for the smallest that a network takes, with loss and gradients of one batch beside each file.
"""
import os
import sys

import onnx
import torch
from onnx import numpy_helper

sys.path.insert(0, os.path.dirname(__file__))
from gradients import write_gradients  # noqa: E402
from models import build  # noqa: E402

torch.set_num_threads(1)


def export(name, folder, size, training, dynamic=True):
    gradients = size == "gradients"
    module, shapes = build(name, None if gradients else int(size))
    module.train(training)
    tokens = name == "transformer"
    batch = 4 if gradients else 2 if training else 1
    data = tuple(
        torch.randint(0, 30, (batch, *shape)) if tokens else torch.randn(batch, *shape) for shape in shapes
    )
    mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL
    # Tracing in training mode moves the statistics of BatchNormalization: the file gets those from before.
    before = {key: value.clone() for key, value in module.state_dict().items() if "running" in key}
    names = [f"input{i}" for i in range(len(data))]
    path = os.path.join(folder, f"{name}.{'train' if training else 'eval'}{'' if dynamic else '.fixed'}.onnx")
    torch.onnx.export(
        module, data, path, opset_version=16,
        training=mode, do_constant_folding=not training, input_names=names,
        output_names=["output"] if name not in ("googlenet", "inception_v3") else None,
        dynamic_axes={n: {0: "batch"} for n in names} | {"output": {0: "batch"}} if dynamic else None,
    )
    if training:
        model = onnx.load(path)
        for tensor in model.graph.initializer:
            if tensor.name in before:
                tensor.CopyFrom(numpy_helper.from_array(before[tensor.name].numpy(), tensor.name))
        onnx.save(model, path)
    if gradients:
        write_gradients(module.eval(), training, data, path)


folder, size = sys.argv[1:3]
os.makedirs(folder, exist_ok=True)
for name in sys.argv[3:]:
    for training, dynamic in [(mode, d) for mode in (False, True) for d in (True, False) if d or size != "gradients"]:
        try:
            export(name, folder, size, training, dynamic)
        except Exception as error:  # noqa: BLE001 - what cannot be exported is reported, the others go on
            print(f"{name} ({'training' if training else 'evaluation'}): {str(error).splitlines()[0]}", file=sys.stderr)
