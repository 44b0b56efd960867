/* A disk that refuses, and that forgets: LD_PRELOAD this, with the folder SHIM_DISK.
 *
 * Refusing: the int at the beginning of the file SHIM_ORDERS is an errno; while it is not 0, all
 * that would change a file below SHIM_DISK fails with it (ENOSPC lets files be deleted).
 *
 * Forgetting: below SHIM_SHADOW is kept what a power cut would leave.
 *   content/<inode>  a file's bytes as of its last fsync or fdatasync;
 *   names/<path>     a link to the inode that has this name for good, with % for each /.
 * A name is for good once its folder was synced, or, as Linux' file systems do it, once a new file
 * was. So a file that was renamed and whose folder was not synced is there under its old name, and
 * one that was deleted is there again. pins/<inode> keeps deleted inodes from being used again.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *disk, *shadow;
static volatile int *orders;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  disk = getenv("SHIM_DISK");
  shadow = getenv("SHIM_SHADOW");
  const char *path = getenv("SHIM_ORDERS");
  int file = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof(int), PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) orders = mapped;
  REAL(close)(file);
}

/* -- where a file is -- */

static int is_on_disk(const char *path) {
  size_t length = disk ? strlen(disk) : 0;
  return length && !strncmp(path, disk, length) && (path[length] == '/' || !path[length]);
}

static int path_of(int file, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_on_disk(path);
}

static int path_at(int folder, const char *name, char path[PATH_MAX]) {
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
  } else if (folder == AT_FDCWD) {
    if (!getcwd(path, PATH_MAX)) return 0;
    snprintf(path + strlen(path), PATH_MAX - strlen(path), "/%s", name);
  } else {
    if (!path_of(folder, path)) return 0;
    snprintf(path + strlen(path), PATH_MAX - strlen(path), "/%s", name);
  }
  return is_on_disk(path);
}

/* -- refusing -- */

static int refuses(int on_disk) {
  if (!orders || !*orders || !on_disk) return 0;
  errno = *orders;
  return 1;
}

static int refuses_file(int file) {
  char path[PATH_MAX];
  return orders && *orders && refuses(path_of(file, path));
}

static int refuses_open(int folder, const char *name, int flags) {
  char path[PATH_MAX];
  int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
  if (!orders || !*orders || !writes || !path_at(folder, name, path)) return 0;
  int is_there = !access(path, F_OK);
  /* A full disk opens what is there; one that is read-only opens nothing for writing. */
  return !(is_there && *orders != EROFS) && refuses(1);
}

static int refuses_name(int folder, const char *name, int deletes) {
  char path[PATH_MAX];
  if (!orders || !*orders || !path_at(folder, name, path)) return 0;
  return !(deletes && *orders == ENOSPC) && refuses(1);
}

/* -- forgetting -- */

static void copy(int from, const char *to) {
  char part[PATH_MAX], buffer[65536];
  snprintf(part, sizeof part, "%s.part", to);
  int file = REAL(open)(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ssize_t count;
  for (off_t at = 0; (count = REAL(pread)(from, buffer, sizeof buffer, at)) > 0; at += count)
    if (REAL(write)(file, buffer, count) != count) abort();
  REAL(close)(file);
  if (REAL(rename)(part, to)) abort();
}

static void name_of(const char *path, char name[PATH_MAX]) {
  snprintf(name, PATH_MAX, "%s/names/%s", shadow, path + strlen(disk) + 1);
  for (char *c = name + strlen(shadow) + strlen("/names/"); *c; c++)
    if (*c == '/') *c = '%';
}

static void keep_name(const char *path, ino_t inode) {
  char name[PATH_MAX], number[32], pin[PATH_MAX];
  name_of(path, name);
  snprintf(number, sizeof number, "%lu", (unsigned long)inode);
  snprintf(pin, sizeof pin, "%s/pins/%s", shadow, number);
  if (REAL(link)(path, pin) && errno != EEXIST) return;
  REAL(unlink)(name);
  if (symlink(number, name)) abort();
}

static void keep_file(int file, const char *path, ino_t inode) {
  char name[PATH_MAX], content[PATH_MAX];
  struct stat there;
  snprintf(content, sizeof content, "%s/content/%lu", shadow, (unsigned long)inode);
  int readable = REAL(open)(path, O_RDONLY | O_CLOEXEC);
  struct stat same;
  /* Opened anew, since it may be open for writing only; it may also have lost its name. */
  if (readable < 0 || fstat(readable, &same) || same.st_ino != inode) {
    if (readable >= 0) REAL(close)(readable);
    readable = dup(file);
  }
  copy(readable, content);
  REAL(close)(readable);
  name_of(path, name);
  if (lstat(name, &there)) keep_name(path, inode);
}

static void keep_folder(const char *folder) {
  char names[PATH_MAX], prefix[PATH_MAX], path[PATH_MAX];
  struct dirent *entry;
  struct stat found;
  size_t skipped = strlen(shadow) + strlen("/names/");
  /* What is no longer in the folder is forgotten, what is there is kept. */
  snprintf(path, sizeof path, "%s/", folder);
  name_of(path, prefix);
  snprintf(names, sizeof names, "%s/names", shadow);
  DIR *listing = opendir(names);
  while (listing && (entry = readdir(listing))) {
    const char *start = prefix + skipped;
    if (entry->d_name[0] == '.' || strncmp(entry->d_name, start, strlen(start))) continue;
    if (strchr(entry->d_name + strlen(start), '%')) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name + strlen(start));
    if (lstat(path, &found)) unlinkat(dirfd(listing), entry->d_name, 0);
  }
  if (listing) closedir(listing);
  listing = opendir(folder);
  while (listing && (entry = readdir(listing))) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (!lstat(path, &found) && S_ISREG(found.st_mode)) keep_name(path, found.st_ino);
  }
  if (listing) closedir(listing);
}

static void keep(int file) {
  char path[PATH_MAX];
  struct stat found;
  if (!shadow || !path_of(file, path) || fstat(file, &found)) return;
  pthread_mutex_lock(&lock);
  if (S_ISDIR(found.st_mode)) keep_folder(path);
  else if (S_ISREG(found.st_mode)) keep_file(file, path, found.st_ino);
  pthread_mutex_unlock(&lock);
}

int fsync(int file) {
  if (refuses_file(file)) return -1;
  int failed = REAL(fsync)(file);
  if (!failed) keep(file);
  return failed;
}

int fdatasync(int file) {
  if (refuses_file(file)) return -1;
  int failed = REAL(fdatasync)(file);
  if (!failed) keep(file);
  return failed;
}

/* -- all that changes a file -- */

#define OPENED(name, call)                                                     \
  va_list more;                                                                \
  va_start(more, flags);                                                       \
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;      \
  va_end(more);                                                                \
  return call

int open(const char *path, int flags, ...) {
  if (refuses_open(AT_FDCWD, path, flags)) return -1;
  OPENED(open, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
  if (refuses_open(AT_FDCWD, path, flags)) return -1;
  OPENED(open64, REAL(open64)(path, flags, mode));
}

int openat(int folder, const char *path, int flags, ...) {
  if (refuses_open(folder, path, flags)) return -1;
  OPENED(openat, REAL(openat)(folder, path, flags, mode));
}

int openat64(int folder, const char *path, int flags, ...) {
  if (refuses_open(folder, path, flags)) return -1;
  OPENED(openat64, REAL(openat64)(folder, path, flags, mode));
}

ssize_t write(int file, const void *data, size_t size) {
  return refuses_file(file) ? -1 : REAL(write)(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
  return refuses_file(file) ? -1 : REAL(pwrite)(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
  return refuses_file(file) ? -1 : REAL(pwrite64)(file, data, size, at);
}

ssize_t writev(int file, const struct iovec *data, int count) {
  return refuses_file(file) ? -1 : REAL(writev)(file, data, count);
}

int ftruncate(int file, off_t size) {
  return refuses_file(file) ? -1 : REAL(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size) {
  return refuses_file(file) ? -1 : REAL(ftruncate64)(file, size);
}

int fallocate(int file, int mode, off_t at, off_t size) {
  return refuses_file(file) ? -1 : REAL(fallocate)(file, mode, at, size);
}

int mkdir(const char *path, mode_t mode) {
  return refuses_name(AT_FDCWD, path, 0) ? -1 : REAL(mkdir)(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
  return refuses_name(folder, path, 0) ? -1 : REAL(mkdirat)(folder, path, mode);
}

int unlink(const char *path) {
  return refuses_name(AT_FDCWD, path, 1) ? -1 : REAL(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags) {
  return refuses_name(folder, path, 1) ? -1 : REAL(unlinkat)(folder, path, flags);
}

int rename(const char *from, const char *to) {
  return refuses_name(AT_FDCWD, to, 1) ? -1 : REAL(rename)(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return refuses_name(to_folder, to, 1) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  if (refuses_name(to_folder, to, 0)) return -1;
  return REAL(linkat)(from_folder, from, to_folder, to, flags);
}

int chmod(const char *path, mode_t mode) {
  int lets = orders && *orders == ENOSPC;
  return !lets && refuses_name(AT_FDCWD, path, 0) ? -1 : REAL(chmod)(path, mode);
}
