/*
 * Threads that share out the tasks of one operation after another. Each has a range of its own, the same one for as
 * many tasks, so that what one operation leaves in a core's cache the next one finds there; who is done takes from the
 * others. Between operations they spin for a moment, then sleep: spinning longer would take the processor from whatever
 * else runs on the machine.
 */
#include "program/thread_pool.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#if defined(_WIN32)
#include <malloc.h>
#define aligned_alloc(alignment, bytes) _aligned_malloc(bytes, alignment)
#define free_aligned _aligned_free
#else
#define free_aligned free
#endif

/* As long as a batch takes to prepare, about. */
#define SPIN_NANOSECONDS 200000
/* Less work than this is not shared out; a build that looks for races shares all of it. */
#ifndef WORTH_NANOSECONDS
#define WORTH_NANOSECONDS 8000
#endif
#define MAX_THREADS 64

typedef struct {
  /* The next task of its own range; alone on its cache line. */
  _Alignas(64) atomic_int next;
  int start, end;
  ThreadPool *workers;
  uv_thread_t thread;
  float *scratch;
  int64_t floats;
} Member;

/*
 * The gate of a job: how many members are in (bits 0-7), whether more may come in (bit 8), the job's number (the rest).
 */
#define IN 0xffu
#define OPEN 0x100u
#define JOB 0x200u

struct ThreadPool {
  Member members[MAX_THREADS];
  int threads;
  uv_mutex_t mutex;
  uv_cond_t wake;
  /* The job is written while nobody is in, before the gate opens. */
  _Alignas(64) atomic_uint gate;
  _Alignas(64) atomic_int sleeping;
  atomic_int failed, stopping;
  /* Whether ranges are walked from their ends. */
  int turned;
  Task task;
  const void *argument;
  int64_t floats;
};

static void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void work(ThreadPool *workers, Member *member) {
  if (member->floats < workers->floats) {
    free_aligned(member->scratch);
    member->floats = workers->floats;
    int64_t bytes = ((workers->floats + SLACK) * (int64_t)sizeof(float) + 63) / 64 * 64;
    member->scratch = aligned_alloc(64, bytes);
    if (!member->scratch) {
      member->floats = 0;
      atomic_store(&workers->failed, 1);
      return;
    }
  }
  int self = member - workers->members;
  for (int turn = 0; turn < workers->threads; turn++) {
    Member *from = &workers->members[(self + turn) % workers->threads];
    for (;;) {
      int i = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed);
      if (i >= from->end) break;
      workers->task(workers->argument, workers->turned ? from->start + from->end - 1 - i : i, member->scratch);
    }
  }
}

/* A job that is open and not the one seen last. */
static int opens(unsigned gate, unsigned seen) { return (gate & OPEN) && gate / JOB != seen; }

/* Waits for a job. 1 when the time to spin is over. */
static int spin(ThreadPool *workers, unsigned seen) {
  uint64_t end = uv_hrtime() + SPIN_NANOSECONDS;
  do
    for (int i = 0; i < 50; i++) {
      if (opens(atomic_load_explicit(&workers->gate, memory_order_relaxed), seen) || atomic_load(&workers->stopping))
        return 0;
      pause_cpu();
    }
  while (uv_hrtime() < end);
  return 1;
}

static void member_main(void *argument) {
  Member *member = argument;
  ThreadPool *workers = member->workers;
  unsigned seen = 0;
  for (;;) {
    if (spin(workers, seen)) {
      uv_mutex_lock(&workers->mutex);
      atomic_fetch_add(&workers->sleeping, 1);
      while (!opens(atomic_load(&workers->gate), seen) && !atomic_load(&workers->stopping))
        uv_cond_wait(&workers->wake, &workers->mutex);
      atomic_fetch_sub(&workers->sleeping, 1);
      uv_mutex_unlock(&workers->mutex);
    }
    if (atomic_load(&workers->stopping)) return;
    unsigned gate = atomic_load(&workers->gate);
    if (!opens(gate, seen) || !atomic_compare_exchange_strong(&workers->gate, &gate, gate + 1)) continue;
    seen = gate / JOB;
    work(workers, member);
    atomic_fetch_sub(&workers->gate, 1);
  }
}

static void wake(ThreadPool *workers) {
  if (atomic_load(&workers->sleeping) == 0) return;
  uv_mutex_lock(&workers->mutex);
  uv_cond_broadcast(&workers->wake);
  uv_mutex_unlock(&workers->mutex);
}

/*
 * The caller works too, and waits for those only who came in: on a busy machine a thread that is not running holds
 * nobody up, but for the task it may be in.
 */
void thread_pool_run(ThreadPool *workers, int n, Task task, const void *argument, int64_t floats, double nanoseconds) {
  workers->task = task;
  workers->argument = argument;
  workers->floats = floats;
  int large = n > 1 && nanoseconds > WORTH_NANOSECONDS, threads = large ? workers->threads : 1;
  /* Where one operation ended the next begins: what was computed last is in the cache. */
  workers->turned ^= large;
  for (int i = 0; i < workers->threads; i++) {
    Member *member = &workers->members[i];
    member->start = i < threads ? (int64_t)n * i / threads : 0;
    member->end = i < threads ? (int64_t)n * (i + 1) / threads : 0;
    atomic_store_explicit(&member->next, member->start, memory_order_relaxed);
  }
  if (threads == 1) {
    work(workers, &workers->members[0]);
    return;
  }
  atomic_store(&workers->gate, (atomic_load(&workers->gate) / JOB + 1) * JOB | OPEN);
  wake(workers);
  work(workers, &workers->members[0]);
  atomic_fetch_and(&workers->gate, ~OPEN);
  for (int spins = 0; (atomic_load(&workers->gate) & IN) > 0; spins++) {
    pause_cpu();
    /* The other threads may be waiting for this very processor. */
    if (spins > 4000) uv_sleep(0);
  }
}

int thread_pool_failed(ThreadPool *workers) { return atomic_exchange(&workers->failed, 0); }

ThreadPool *thread_pool_create(int threads) {
  ThreadPool *workers = aligned_alloc(64, sizeof(ThreadPool));
  if (!workers) return NULL;
  memset(workers, 0, sizeof(ThreadPool));
  uv_mutex_init(&workers->mutex);
  uv_cond_init(&workers->wake);
  workers->threads = 1;
  workers->members[0].workers = workers;
  for (int i = 1; i < MIN(threads, MAX_THREADS); i++) {
    workers->members[i].workers = workers;
    if (uv_thread_create(&workers->members[i].thread, member_main, &workers->members[i]) != 0) break;
    workers->threads++;
  }
  return workers;
}

void thread_pool_free(ThreadPool *workers) {
  atomic_store(&workers->stopping, 1);
  wake(workers);
  for (int i = 1; i < workers->threads; i++) uv_thread_join(&workers->members[i].thread);
  for (int i = 0; i < workers->threads; i++) free_aligned(workers->members[i].scratch);
  uv_cond_destroy(&workers->wake);
  uv_mutex_destroy(&workers->mutex);
  free_aligned(workers);
}
