/* One source for WASM SIMD and native builds: GCC/clang vector extensions, no intrinsics, no libc. */
#ifndef LC_SIMD_H
#define LC_SIMD_H

typedef unsigned char u8;
typedef float f32x4 __attribute__((vector_size(16)));
typedef int i32x4 __attribute__((vector_size(16)));
typedef u8 u8x4 __attribute__((vector_size(4)));

/* Loads and stores at any float's address: weights of a layer start wherever the layer before ended. */
typedef f32x4 f32x4u __attribute__((aligned(4), may_alias));
typedef u8x4 u8x4u __attribute__((aligned(1), may_alias));

#define LOAD(p) (*(const f32x4u *)(p))
#define STORE(p, x) (*(f32x4u *)(p) = (x))
#define INLINE static inline __attribute__((always_inline))

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name) __attribute__((visibility("default")))
#endif

INLINE f32x4 splat(float x) { return (f32x4){x, x, x, x}; }

/* x where the mask's bits are set, else 0. */
INLINE f32x4 keep_where(i32x4 mask, f32x4 x) { return (f32x4)((i32x4)x & mask); }

#endif
