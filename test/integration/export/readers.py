"""Independent readers of exported files: prints {name: {"shape": [...], "kept": n, "sum": s, "sha": sha256 of the float32 bytes}}."""
import hashlib, json, os, struct, sys, zlib
import numpy as np


def safetensors(path):
    raw = open(path, 'rb').read()
    (n,) = struct.unpack('<Q', raw[:8])
    header = json.loads(raw[8:8 + n])
    assert json.loads(header.pop('__metadata__')['topology'])['class_name']
    types = {'F32': '<f4', 'I32': '<i4', 'BOOL': '?'}
    at, out = 0, {}
    for name, one in header.items():
        begin, end = one['data_offsets']
        assert begin == at, 'tensors must follow each other'
        at = end
        out[name] = np.frombuffer(raw[8 + n + begin:8 + n + end], types[one['dtype']]).reshape(one['shape'])
    assert 8 + n + at == len(raw)
    return out


def scipy_csr(folder):
    import scipy.sparse
    out = dict(np.load(os.path.join(folder, 'dense.npz')))
    for file, one in json.load(open(os.path.join(folder, 'kernels.json'))).items():
        matrix = scipy.sparse.load_npz(os.path.join(folder, file))
        assert matrix.format == 'csr' and matrix.has_sorted_indices
        out[one['name']] = matrix.toarray().reshape(one['shape'])
    return out


def mask(path):
    arrays = dict(np.load(path))
    assert all(a.dtype == bool for a in arrays.values())
    return {name: a.astype('<f4') for name, a in arrays.items()}


class Bits:
    def __init__(self, raw):
        self.bits, self.at = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder='little'), 0

    def read(self, n):
        value = sum(int(b) << i for i, b in enumerate(self.bits[self.at:self.at + n]))
        self.at += n
        return value

    def unary(self):
        n = 0
        while self.read(1) == 0:
            n += 1
        return n


def lcp(path):
    """From docs/sparse-format.md alone."""
    raw = open(path, 'rb').read()
    assert raw[:5] == b'LCSP\x01' and zlib.crc32(raw[:-4]) == struct.unpack('<I', raw[-4:])[0]
    (n,) = struct.unpack('<I', raw[5:9])
    header = json.loads(zlib.decompress(raw[9:9 + n], -15))
    at, out = 9 + n, {}
    width = lambda size: (size - 1).bit_length() if size > 1 else 0
    for members in header['sections']:
        shapes = [header['weights'][i][1] for i in members]
        sizes = [int(np.prod(shape)) for shape in shapes]
        total = sum(sizes)
        position_code, value_code, kept = struct.unpack('<BBI', raw[at:at + 6])
        at += 6
        k = 0
        if position_code == 3:
            k, at = raw[at], at + 1
        codes = steps = None
        if value_code == 1:
            (count,) = struct.unpack('<H', raw[at:at + 2])
            codes = np.frombuffer(raw[at + 2:at + 2 + 4 * count], '<f4')
            at += 2 + 4 * count
        elif value_code == 2:
            steps = np.frombuffer(raw[at:at + 8 * len(members)], '<f8')
            at += 8 * len(members)
        bits = Bits(raw[at:-4])
        if position_code == 0:
            places = list(range(total))
        elif position_code == 1:
            places = [bits.read(width(total)) for _ in range(kept)]
        elif position_code == 2:
            places = [i for i in range(total) if bits.read(1)]
        else:
            places, following = [], 0
            for _ in range(kept):
                high = bits.unary()
                places.append(following + (high << k) + bits.read(k))
                following = places[-1] + 1
        vector, ends = np.zeros(total, '<f4'), np.cumsum(sizes)
        for place in places:
            if value_code == 0:
                vector[place] = struct.unpack('<f', struct.pack('<I', bits.read(32)))[0]
            elif value_code == 1:
                vector[place] = codes[bits.read(max(1, width(len(codes))))]
            else:
                q = bits.read(8)
                vector[place] = np.float32((q - 256 if q > 127 else q) * steps[np.searchsorted(ends, place, 'right')])
        at += (bits.at + 7) // 8
        for i, shape, end, size in zip(members, shapes, ends, sizes):
            out[header['weights'][i][0]] = vector[end - size:end].reshape(shape)
    assert at == len(raw) - 4
    return out


def summary(array):
    array = np.ascontiguousarray(array, '<f4')
    return {'shape': list(array.shape), 'kept': int(np.count_nonzero(array)), 'sha': hashlib.sha256(array.tobytes()).hexdigest()}


if __name__ == '__main__':
    readers = {'safetensors': safetensors, 'scipy-csr': scipy_csr, 'mask-npz': mask, 'sparse': lcp}
    print(json.dumps({name: summary(a) for name, a in readers[sys.argv[1]](sys.argv[2]).items()}))
