/** Whether a file's first bytes are those of an ONNX model: protocol buffers have no signature, so that its fields are compared. */

/** Of ModelProto, by number: whether bytes (2) or a number (0). */
const MODEL: Readonly<Record<number, 0 | 2>> = { 1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2 };
/** Tags that a GraphProto, and a NodeProto in it, begins with: fields of bytes. */
const GRAPH_TAGS = [1, 2, 5, 10, 11, 12, 13, 14, 15].map((field) => field * 8 + 2);
const NODE_TAGS = [1, 2, 3, 4, 5, 6, 7].map((field) => field * 8 + 2);

/** The number at `at` and what is behind it; null where the bytes end, or it is too long. */
function number(bytes: Uint8Array, at: number): { value: number; next: number } | null {
  for (let [value, scale, next] = [0, 1, at]; next < bytes.length && next < at + 10; scale *= 128) {
    const byte = bytes[next++]!;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next };
  }
  return null;
}

/** Printable text: a producer, its version, a domain. */
function isText(bytes: Uint8Array): boolean {
  return bytes.length < 1000 && bytes.every((byte) => byte >= 32 && byte !== 127);
}

/** What a graph begins with: a node, whose first field is one of a node's, its name, or another of its fields. */
function isGraph(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true;
  if (!GRAPH_TAGS.includes(bytes[0]!)) return false;
  const length = number(bytes, 1);
  if (bytes[0] !== 10 || length === null || length.next >= bytes.length) return true;
  return NODE_TAGS.includes(bytes[length.next]!);
}

/**
 * Whether bytes are the beginning of an ONNX model: the version of the format comes first, every field is one of ModelProto's and of
 * its kind, the producer is text, and a graph begins as graphs do. Other protocol buffers (SavedModel, Core ML, frozen graphs,
 * TensorProto) are not.
 * @param head the first bytes of the file, some hundred or all.
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
