/*
 * Decoding the operations of each kind: reads the words, checks them and fills the operation; faults go to the reader.
 */
#ifndef LC_DECODE_H
#define LC_DECODE_H
#include "program/words.h"

void decode_convolution(Reader *r, Convolution *c, int tiled);
void decode_input_gradient(Reader *r, InputGradient *d, int tiled);
void decode_filter_gradient(Reader *r, FilterGradient *d, int tiled);
void decode_depthwise(Reader *r, Depthwise *d, int kind);
void decode_pooling(Reader *r, Pooling *p, int kind);
/* steps: see operation_decode. */
void decode_fused(Reader *r, Fused *f, Step **steps);
#endif
