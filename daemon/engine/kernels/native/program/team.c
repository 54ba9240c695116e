/*
 * Threads that share out the tasks of one operation after another. Each has a range of its own, the same one for as
 * many tasks, so that what one operation leaves in a core's cache the next one finds there; who is done takes from the
 * others. Between operations they spin for a moment, then sleep: spinning longer would take the processor from whatever
 * else runs on the machine.
 */
#include "program/team.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

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
  Team *team;
  uv_thread_t thread;
  float *scratch;
  long floats;
} Member;

/*
 * The gate of a job: how many members are in (bits 0-7), whether more may come in (bit 8), the job's number (the rest).
 */
#define IN 0xffu
#define OPEN 0x100u
#define JOB 0x200u

struct Team {
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
  long floats;
};

static void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void work(Team *team, Member *member) {
  if (member->floats < team->floats) {
    free(member->scratch);
    member->floats = team->floats;
    long bytes = ((team->floats + SLACK) * (long)sizeof(float) + 63) / 64 * 64;
    member->scratch = aligned_alloc(64, bytes);
    if (!member->scratch) {
      member->floats = 0;
      atomic_store(&team->failed, 1);
      return;
    }
  }
  int self = member - team->members;
  for (int turn = 0; turn < team->threads; turn++) {
    Member *from = &team->members[(self + turn) % team->threads];
    for (;;) {
      int i = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed);
      if (i >= from->end) break;
      team->task(team->argument, team->turned ? from->start + from->end - 1 - i : i, member->scratch);
    }
  }
}

/* A job that is open and not the one seen last. */
static int opens(unsigned gate, unsigned seen) { return (gate & OPEN) && gate / JOB != seen; }

/* Waits for a job. 1 when the time to spin is over. */
static int spin(Team *team, unsigned seen) {
  uint64_t end = uv_hrtime() + SPIN_NANOSECONDS;
  do
    for (int i = 0; i < 50; i++) {
      if (opens(atomic_load_explicit(&team->gate, memory_order_relaxed), seen) || atomic_load(&team->stopping))
        return 0;
      pause_cpu();
    }
  while (uv_hrtime() < end);
  return 1;
}

static void member_main(void *argument) {
  Member *member = argument;
  Team *team = member->team;
  unsigned seen = 0;
  for (;;) {
    if (spin(team, seen)) {
      uv_mutex_lock(&team->mutex);
      atomic_fetch_add(&team->sleeping, 1);
      while (!opens(atomic_load(&team->gate), seen) && !atomic_load(&team->stopping))
        uv_cond_wait(&team->wake, &team->mutex);
      atomic_fetch_sub(&team->sleeping, 1);
      uv_mutex_unlock(&team->mutex);
    }
    if (atomic_load(&team->stopping)) return;
    unsigned gate = atomic_load(&team->gate);
    if (!opens(gate, seen) || !atomic_compare_exchange_strong(&team->gate, &gate, gate + 1)) continue;
    seen = gate / JOB;
    work(team, member);
    atomic_fetch_sub(&team->gate, 1);
  }
}

static void wake(Team *team) {
  if (atomic_load(&team->sleeping) == 0) return;
  uv_mutex_lock(&team->mutex);
  uv_cond_broadcast(&team->wake);
  uv_mutex_unlock(&team->mutex);
}

/*
 * The caller works too, and waits for those only who came in: on a busy machine a thread that is not running holds
 * nobody up, but for the task it may be in.
 */
void team_run(Team *team, int n, Task task, const void *argument, long floats, double nanoseconds) {
  team->task = task;
  team->argument = argument;
  team->floats = floats;
  int large = n > 1 && nanoseconds > WORTH_NANOSECONDS, threads = large ? team->threads : 1;
  /* Where one operation ended the next begins: what was computed last is in the cache. */
  team->turned ^= large;
  for (int i = 0; i < team->threads; i++) {
    Member *member = &team->members[i];
    member->start = i < threads ? (long)n * i / threads : 0;
    member->end = i < threads ? (long)n * (i + 1) / threads : 0;
    atomic_store_explicit(&member->next, member->start, memory_order_relaxed);
  }
  if (threads == 1) {
    work(team, &team->members[0]);
    return;
  }
  atomic_store(&team->gate, (atomic_load(&team->gate) / JOB + 1) * JOB | OPEN);
  wake(team);
  work(team, &team->members[0]);
  atomic_fetch_and(&team->gate, ~OPEN);
  for (int spins = 0; (atomic_load(&team->gate) & IN) > 0; spins++) {
    pause_cpu();
    /* The other threads may be waiting for this very processor. */
    if (spins > 4000) uv_sleep(0);
  }
}

int team_failed(Team *team) { return atomic_exchange(&team->failed, 0); }

Team *team_create(int threads) {
  Team *team = aligned_alloc(64, sizeof(Team));
  if (!team) return NULL;
  memset(team, 0, sizeof(Team));
  uv_mutex_init(&team->mutex);
  uv_cond_init(&team->wake);
  team->threads = 1;
  team->members[0].team = team;
  for (int i = 1; i < MIN(threads, MAX_THREADS); i++) {
    team->members[i].team = team;
    if (uv_thread_create(&team->members[i].thread, member_main, &team->members[i]) != 0) break;
    team->threads++;
  }
  return team;
}

void team_free(Team *team) {
  atomic_store(&team->stopping, 1);
  wake(team);
  for (int i = 1; i < team->threads; i++) uv_thread_join(&team->members[i].thread);
  for (int i = 0; i < team->threads; i++) free(team->members[i].scratch);
  uv_cond_destroy(&team->wake);
  uv_mutex_destroy(&team->mutex);
  free(team);
}
