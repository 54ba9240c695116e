#ifndef LC_TEAM_H
#define LC_TEAM_H
#include "runtime.h"

/* A team of `threads`, the caller of team_run among them. NULL when memory or threads cannot be had. */
Team *team_create(int threads);
void team_free(Team *team);
/* Whether a task was left out since the last call, for want of memory. */
int team_failed(Team *team);
#endif
