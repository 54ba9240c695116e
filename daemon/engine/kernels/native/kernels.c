/* All kernels in one file, compiled once for each level: KERNELS is the name of the level's table, UPDATE of its
 * update. */
#include "convolution.c"
#include "depthwise.c"
#include "elementwise/fused.c"
#include "elementwise/reductions.c"
#include "move.c"
#include "winograd/winograd.c"

void UPDATE(float *w, float *v, const float *g, const float *target, const uint8_t *keep, int n, float eta,
            float momentum, float decay, float mu, int nesterov);

const Kernels KERNELS = {
    .gemm = gemm,
    .convolution = convolution,
    .input_gradient = convolution_input_gradient,
    .filter_gradient = convolution_filter_gradient,
    .winograd = winograd,
    .winograd_input_gradient = winograd_input_gradient,
    .winograd_filter_gradient = winograd_filter_gradient,
    .depthwise = depthwise,
    .depthwise_input_gradient = depthwise_input_gradient,
    .depthwise_filter_gradient = depthwise_filter_gradient,
    .max_pool = max_pool,
    .max_pool_gradient = max_pool_gradient,
    .average_pool = average_pool,
    .average_pool_gradient = average_pool_gradient,
    .fused = fused,
    .reduce = reduce,
    .cumulative_sum = cumulative_sum,
    .move = move,
    .gather = gather,
    .segment_sum = segment_sum,
    .update = UPDATE,
};
