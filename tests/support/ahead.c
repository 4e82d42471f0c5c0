/* Sets the calendar of a process ahead by CERTCTL_TEST_AHEAD seconds (LD_PRELOAD; scripts/test --ahead). Only the three
   calls that read the calendar are replaced: the monotonic clock, sleeps, deadlines and the times of files stay as they are.
   It opens no file and shares nothing between processes, so one that is killed leaves nothing behind. */
#define _GNU_SOURCE
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
