/* Of macOS's libSystem; the compiler may replace a copy of a few bytes. */
#ifndef LC_STRING_H
#define LC_STRING_H
#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
int strcmp(const char *, const char *);
#define memcpy __builtin_memcpy
#define memset __builtin_memset
#endif
