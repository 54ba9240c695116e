"""Writes ONNX's own node-level cases to a folder: python3 generate.py FOLDER. Debian's package has their sources only."""
import sys

import numpy as np

# ONNX 1.12 uses names that newer versions of NumPy have dropped.
for name, kind in {"float": float, "int": int, "bool": bool, "object": object, "str": str}.items():
    if name not in np.__dict__:
        setattr(np, name, kind)

from onnx.backend.test.cmd_tools import main  # noqa: E402

sys.argv = [sys.argv[0], "generate-data", "-o", sys.argv[1]]
main()
