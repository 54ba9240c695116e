/* What the kernels use of libuv, for targets without the system headers that libuv's own header includes. */
#ifndef LC_UV_H
#define LC_UV_H
#include <stdint.h>

/* A HANDLE of Windows, a pthread_t of macOS: both are pointers. */
typedef void *uv_thread_t;
/* Room for what libuv keeps there: at most 64 bytes on both systems. */
typedef struct {
  _Alignas(16) char room[128];
} uv_mutex_t;
typedef uv_mutex_t uv_cond_t;

int uv_thread_create(uv_thread_t *thread, void (*entry)(void *), void *argument);
int uv_thread_join(uv_thread_t *thread);
int uv_mutex_init(uv_mutex_t *mutex);
void uv_mutex_lock(uv_mutex_t *mutex);
void uv_mutex_unlock(uv_mutex_t *mutex);
void uv_mutex_destroy(uv_mutex_t *mutex);
int uv_cond_init(uv_cond_t *condition);
void uv_cond_wait(uv_cond_t *condition, uv_mutex_t *mutex);
void uv_cond_broadcast(uv_cond_t *condition);
void uv_cond_destroy(uv_cond_t *condition);
uint64_t uv_hrtime(void);
void uv_sleep(unsigned milliseconds);
#endif
