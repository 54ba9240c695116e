/** Detects an ONNX model by a file's first bytes. Protocol buffers have no signature, so the fields are compared. */

/** Fields of ModelProto, by number: whether they hold bytes (2) or a number (0). */
const MODEL: Readonly<Record<number, 0 | 2>> = { 1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2 };
/** Tags that a GraphProto, and a NodeProto in it, can begin with: fields of bytes. */
const GRAPH_TAGS = [1, 2, 5, 10, 11, 12, 13, 14, 15].map((field) => field * 8 + 2);
const NODE_TAGS = [1, 2, 3, 4, 5, 6, 7].map((field) => field * 8 + 2);

/** Reads the varint at `at`: its value and the offset after it; null if the bytes end, or it is too long. */
function number(bytes: Uint8Array, at: number): { value: number; next: number } | null {
  for (let [value, scale, next] = [0, 1, at]; next < bytes.length && next < at + 10; scale *= 128) {
    const byte = bytes[next++]!;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next };
  }
  return null;
}

/** Whether bytes are printable text: a producer, its version, a domain. */
function isText(bytes: Uint8Array): boolean {
  return bytes.length < 1000 && bytes.every((byte) => byte >= 32 && byte !== 127);
}

/** Whether a graph can begin so: with a node whose first field is a field of NodeProto, with its name, or with another field of its own. */
function isGraph(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true;
  if (!GRAPH_TAGS.includes(bytes[0]!)) return false;
  const length = number(bytes, 1);
  if (bytes[0] !== 10 || length === null || length.next >= bytes.length) return true;
  return NODE_TAGS.includes(bytes[length.next]!);
}

/**
 * Whether bytes are the beginning of an ONNX model. The version of the format comes first, every field is one of ModelProto's and has
 * its type, the producer is text, and a graph begins as graphs do. Other protocol buffers (SavedModel, Core ML, frozen graphs,
 * TensorProto) differ in one of these.
 * @param head the first bytes of the file, a few hundred or all.
 */
export function isOnnxHead(head: Uint8Array): boolean {
  const version = head[0] === 8 ? number(head, 1) : null;
  if (!version || version.value < 1 || version.value > 99) return false;
  let hasGraph = false;
  let fields = 1;
  for (let at = version.next; at < head.length;) {
    const tag = number(head, at);
    if (!tag) break;
    const field = Math.floor(tag.value / 8);
    if (MODEL[field] !== tag.value % 8) return false;
    const value = number(head, tag.next);
    if (!value) break;
    const end = MODEL[field] === 0 ? value.next : value.next + value.value;
    const content = head.subarray(value.next, end);
    if ([2, 3, 4].includes(field) && !isText(content)) return false;
    if (field === 7 && !isGraph(content)) return false;
    hasGraph ||= field === 7;
    fields++;
    at = end;
  }
  return hasGraph || fields > 2;
}
