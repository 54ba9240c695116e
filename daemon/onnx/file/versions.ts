/** Versions of ONNX that are read. */

/** Of the file format: the newest is that of onnxruntime 1.30; before 3 a file does not say its operator set. */
export const IR_VERSIONS = { least: 3, most: 13 } as const;

/** Of ONNX's own operators: what onnxruntime 1.30 runs. */
export const OPSETS = { least: 7, most: 26 } as const;
