/** The versions of ONNX that are read. */

/** Versions of the file format: the newest is that of onnxruntime 1.30; before 3 a file does not give its operator set. */
export const IR_VERSIONS = { least: 3, most: 13 } as const;

/** Versions of ONNX's own operators: those that onnxruntime 1.30 runs. */
export const OPSETS = { least: 7, most: 26 } as const;
