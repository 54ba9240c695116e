/*
 * Threads that share out the tasks of one operation after another. Between operations they spin for some microseconds,
 * then sleep: spinning longer would take the processor from whatever else runs on the machine.
 */
#include "team.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

#define SPINS 4000
#define MAX_THREADS 64

typedef struct {
  Team *team;
  uv_thread_t thread;
  float *scratch;
  long floats;
} Member;

struct Team {
  int threads;
  Member members[MAX_THREADS];
  uv_mutex_t mutex;
  uv_cond_t wake;
  /* Changes with every operation; the job is written before, read after. */
  atomic_uint generation;
  atomic_int sleeping, working, next, failed;
  int stopping;
  Task task;
  const void *argument;
  int n;
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
  for (;;) {
    int i = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
    if (i >= team->n) return;
    team->task(team->argument, i, member->scratch);
  }
}

static void member_main(void *argument) {
  Member *member = argument;
  Team *team = member->team;
  unsigned seen = 0;
  for (;;) {
    int spins = 0;
    while (atomic_load_explicit(&team->generation, memory_order_acquire) == seen) {
      if (++spins < SPINS) {
        pause_cpu();
        continue;
      }
      uv_mutex_lock(&team->mutex);
      atomic_fetch_add(&team->sleeping, 1);
      while (atomic_load(&team->generation) == seen) uv_cond_wait(&team->wake, &team->mutex);
      atomic_fetch_sub(&team->sleeping, 1);
      uv_mutex_unlock(&team->mutex);
    }
    seen = atomic_load(&team->generation);
    if (team->stopping) return;
    work(team, member);
    atomic_fetch_sub_explicit(&team->working, 1, memory_order_release);
  }
}

static void start_generation(Team *team) {
  atomic_fetch_add(&team->generation, 1);
  if (atomic_load(&team->sleeping) > 0) {
    uv_mutex_lock(&team->mutex);
    uv_cond_broadcast(&team->wake);
    uv_mutex_unlock(&team->mutex);
  }
}

void team_run(Team *team, int n, Task task, const void *argument, long floats) {
  team->task = task;
  team->argument = argument;
  team->n = n;
  team->floats = floats;
  atomic_store(&team->next, 0);
  if (team->threads == 1 || n == 1) {
    work(team, &team->members[0]);
    return;
  }
  atomic_store(&team->working, team->threads - 1);
  start_generation(team);
  work(team, &team->members[0]);
  for (int spins = 0; atomic_load_explicit(&team->working, memory_order_acquire) > 0; spins++) {
    pause_cpu();
    /* The other threads may be waiting for this very processor. */
    if (spins > SPINS) uv_sleep(0);
  }
}

int team_failed(Team *team) { return atomic_exchange(&team->failed, 0); }

Team *team_create(int threads) {
  Team *team = calloc(1, sizeof(Team));
  if (!team) return NULL;
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
  team->stopping = 1;
  start_generation(team);
  for (int i = 1; i < team->threads; i++) uv_thread_join(&team->members[i].thread);
  for (int i = 0; i < team->threads; i++) free(team->members[i].scratch);
  uv_cond_destroy(&team->wake);
  uv_mutex_destroy(&team->mutex);
  free(team);
}
