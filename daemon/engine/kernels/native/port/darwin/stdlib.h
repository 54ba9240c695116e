/* Of macOS's libSystem, from macOS 10.15 on. */
#ifndef LC_STDLIB_H
#define LC_STDLIB_H
#include <stddef.h>
void *malloc(size_t);
void *calloc(size_t, size_t);
void *aligned_alloc(size_t, size_t);
void free(void *);
#endif
