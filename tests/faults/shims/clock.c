/* A wall clock that goes wrong: LD_PRELOAD this, and the seconds in the file SHIM_CLOCK (a double,
 * as the machine stores it) are added to what the program reads. Monotonic clocks stay right. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile double *offset;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("SHIM_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) offset = mapped;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!real_clock_gettime) begin();
  int failed = real_clock_gettime(clock, now);
  if (failed || !offset || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
    return failed;
  long long nanoseconds = now->tv_sec * 1000000000LL + now->tv_nsec + (long long)(*offset * 1e9);
  now->tv_sec = nanoseconds / 1000000000LL;
  now->tv_nsec = nanoseconds % 1000000000LL;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *told) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (told) *told = exact.tv_sec;
  return exact.tv_sec;
}
