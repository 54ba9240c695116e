"""keras.io/api/layers/attention_layers (Keras 3), in float64, as the einsum equations of its documentation."""
import numpy as np

from activations import sigmoid, softmax


def allowed(config, queries, keys):
    """Positions that a query may read: [T, S]."""
    i, j = np.arange(queries)[:, None], np.arange(keys)[None]
    may = np.ones((queries, keys), bool)
    if config.get("call", {}).get("use_causal_mask"):
        may &= i >= j
    if config.get("sliding_window"):
        may &= np.abs(i - j) < config["sliding_window"]
    return may


def three(xs):
    query, value = (xs[0], xs[0]) if len(xs) == 1 else xs[:2]
    return query, value, xs[2] if len(xs) > 2 else value


def multi_head(config, weights, xs, training):
    query, value, key = three(xs)
    given = list(weights)

    def projected(x):
        y = np.einsum("...f,fnh->...nh", x, given.pop(0))
        return y + given.pop(0) if config["use_bias"] else y

    q, k = projected(query), projected(key)
    gate = sigmoid(projected(query)) if config["use_gate"] else 1
    v = projected(value)
    times = q.shape[-2] // k.shape[-2]
    k, v = np.repeat(k, times, -2), np.repeat(v, times, -2)
    if query.ndim == 3:
        scores = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(q.shape[-1])
        scores = np.where(allowed(config, query.shape[1], key.shape[1]), scores, -np.inf)
        read = np.einsum("bnts,bsnh->btnh", softmax(scores), v)
    elif config["attention_axes"] == [2]:
        shares = softmax(np.einsum("batnh,basnh->bants", q, k) / np.sqrt(q.shape[-1]))
        read = np.einsum("bants,basnh->batnh", shares, v)
    elif config["attention_axes"] == [1]:
        shares = softmax(np.einsum("btanh,bsanh->bants", q, k) / np.sqrt(q.shape[-1]))
        read = np.einsum("bants,bsanh->btanh", shares, v)
    else:
        shares = softmax(np.einsum("btunh,bswnh->bntusw", q, k) / np.sqrt(q.shape[-1]), [-2, -1])
        read = np.einsum("bntusw,bswnh->btunh", shares, v)
    y = np.einsum("...nh,nhf->...f", read * gate, given.pop(0))
    return y + given.pop(0) if config["use_bias"] else y


def attention(config, weights, xs, training):
    query, value, key = three(xs)
    given = list(weights)
    scale = given.pop(0) if config["use_scale"] else 1
    sums = query[:, :, None] + key[:, None]
    if "score_mode" not in config:
        scores = (scale * np.tanh(sums)).sum(-1)
    elif config["score_mode"] == "concat":
        scores = given.pop(0) * np.tanh(scale * sums).sum(-1)
    else:
        scores = scale * np.einsum("btf,bsf->bts", query, key)
    return softmax(np.where(allowed(config, query.shape[1], key.shape[1]), scores, -np.inf)) @ value


LAYERS = {"MultiHeadAttention": multi_head, "GroupedQueryAttention": multi_head, "Attention": attention, "AdditiveAttention": attention}
