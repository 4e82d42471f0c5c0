/* Sets the calendar of a process ahead by CERTCTL_TEST_AHEAD seconds (LD_PRELOAD; scripts/test --ahead). Replaced are the three
   calls that read the calendar, and the waits for a condition until a time of the calendar, which the kernel compares with its
   own: the monotonic clock, sleeps and the times of files stay as they are.
   It opens no file and shares nothing between processes, so one that is killed leaves nothing behind. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead;

/* At the start: servers such as nginx overwrite their environment later. */
__attribute__((constructor)) static void read_ahead(void) {
  const char *text = getenv("CERTCTL_TEST_AHEAD");
  if (text) ahead = atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = syscall(SYS_clock_gettime, clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead;
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int failed = syscall(SYS_gettimeofday, now, zone);
  if (!failed) now->tv_sec += ahead;
  return failed;
}

time_t time(time_t *now) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  if (now) *now = at.tv_sec;
  return at.tv_sec;
}

typedef int (*timed_wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

/* A deadline that was computed from the calendar lies ahead; one of the monotonic clock counts from the start of the machine. */
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  static timed_wait real;
  if (!real) real = (timed_wait)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!real) real = (timed_wait)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  struct timespec now, deadline = *until;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  if (ahead && deadline.tv_sec > now.tv_sec + ahead / 2) deadline.tv_sec -= ahead;
  return real(condition, mutex, &deadline);
}
