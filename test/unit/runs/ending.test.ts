import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../daemon/runs/ending.js';

describe('what ended a trainer', () => {
  it.each([
    [null, 'SIGSEGV', null, 'SIGSEGV', 'crash'],
    [null, 'SIGABRT', 'onnxruntime: assertion failed', 'SIGABRT', 'crash'],
    // V8 and the C++ library abort where memory is short.
    [null, 'SIGABRT', 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'SIGABRT', 'memory'], // prettier-ignore
    [null, 'SIGABRT', "terminate called after throwing an instance of 'std::bad_alloc'", 'SIGABRT', 'memory'],
    [null, 'SIGKILL', null, 'SIGKILL', 'memory'],
    [null, 'SIGQUIT', null, 'SIGQUIT', 'killed'],
    // Windows: NTSTATUS as Node.js reports it, unsigned or not.
    [3221225477, null, null, 'exit code 0xC0000005 (access violation)', 'crash'],
    [-1073741819, null, null, 'exit code 0xC0000005 (access violation)', 'crash'],
    [0xc0000409, null, null, 'exit code 0xC0000409 (aborted)', 'crash'],
    [0xc0000017, null, null, 'exit code 0xC0000017 (no memory)', 'memory'],
    [0xc0001234, null, null, 'exit code 0xC0001234', 'crash'],
    [134, null, null, 'exit code 134', 'crash'],
    [1, null, null, 'exit code 1', 'killed'],
  ] as const)('code %s, signal %s, "%s": %s, %s', (code, signal, tail, how, cause) => {
    expect(causeOf({ code, signal }, tail)).toEqual({ how, cause });
  });
});
