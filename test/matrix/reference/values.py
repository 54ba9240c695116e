"""Numbers that this script and the test make alike: a linear congruential generator (Numerical Recipes), in float32."""
import numpy as np


def values(shape, seed, scale=1.0, offset=0.0, kind="real"):
    """An array of numbers offset + scale * u, u in [-1, 1), rounded to float32; of kind "whole", floor(scale * (u + 1) / 2)."""
    state = (seed * 2654435761 + 12345) % 2**32
    out = np.empty(int(np.prod(shape, dtype=int)))
    for i in range(out.size):
        state = (state * 1664525 + 1013904223) % 2**32
        u = (state >> 8) / 2**23 - 1
        out[i] = np.floor(scale * (u + 1) / 2) if kind == "whole" else np.float32(offset + scale * u)
    return out.reshape(shape)
