/* Of macOS's libSystem: what element-wise steps call. */
#ifndef LC_MATH_H
#define LC_MATH_H
float powf(float, float);
float atan2f(float, float);
float sinf(float);
float cosf(float);
float tanf(float);
float asinf(float);
float acosf(float);
float atanf(float);
float sinhf(float);
float coshf(float);
float asinhf(float);
float acoshf(float);
float atanhf(float);
#endif
