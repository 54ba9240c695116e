#ifndef LC_THREAD_POOL_H
#define LC_THREAD_POOL_H
#include "runtime.h"

/* A pool of `threads` threads, the caller of thread_pool_run among them. NULL when memory or threads cannot be had. */
ThreadPool *thread_pool_create(int threads);
void thread_pool_free(ThreadPool *workers);
/* Whether a task was left out since the last call, for want of memory. */
int thread_pool_failed(ThreadPool *workers);
#endif
