"""Writes ONNX's own node-level cases to a folder: python3 generate.py FOLDER. Debian's package has their sources only."""
import glob
import sys

import numpy as np

# ONNX 1.12 uses names that newer versions of NumPy have dropped.
for name, kind in {"float": float, "int": int, "bool": bool, "object": object, "str": str}.items():
    if name not in np.__dict__:
        setattr(np, name, kind)

import onnx  # noqa: E402
from onnx.backend.test.cmd_tools import main  # noqa: E402

folder = sys.argv[1]
sys.argv = [sys.argv[0], "generate-data", "-o", folder]
main()
# A case has the operator set in which its operator changed last. Before 7 nothing is read; the operator is the same in 7.
for path in glob.glob(f"{folder}/node/*/model.onnx"):
    model = onnx.load(path)
    old = [opset for opset in model.opset_import if opset.domain == "" and opset.version < 7]
    for opset in old:
        opset.version = 7
    if old:
        onnx.save(model, path)
