/* Stands between a program and the system, in tests only (LD_PRELOAD).
 *
 * Whatever a process does to the world outside of itself it does through one of these calls: it writes
 * or flushes a file, renames one, sends over a socket. A process that is killed has made some of them
 * and not the next; so killing it before every one of them, one after the other, tries every moment
 * that matters, without a mark in the program.
 *
 * ONEPATH_DIE_AT=N      kill -9 before the N-th call
 * ONEPATH_FAIL_AT=N     the N-th call on a file fails with ONEPATH_FAIL_WITH (ENOSPC or EIO)
 * ONEPATH_FAIL_WHILE=F  calls on files fail while the file F is there; it says with what
 * ONEPATH_CLOCK=F       the wall clock is off by the seconds that F says
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long die_at, fail_at;
static int fail_with;
static const char *fail_while;
static const volatile long *offset;
static atomic_long calls, file_calls;

static int named(const char *name) {
    return name && strncmp(name, "EIO", 3) == 0 ? EIO : ENOSPC;
}

__attribute__((constructor)) static void start(void) {
    const char *text = getenv("ONEPATH_DIE_AT");
    die_at = text ? atol(text) : 0;
    text = getenv("ONEPATH_FAIL_AT");
    fail_at = text ? atol(text) : 0;
    fail_with = named(getenv("ONEPATH_FAIL_WITH"));
    fail_while = getenv("ONEPATH_FAIL_WHILE");
    text = getenv("ONEPATH_CLOCK");
    if (text) {
        int file = open(text, O_RDONLY);
        void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
        offset = page == MAP_FAILED ? 0 : page;
    }
}

enum kind { NEITHER, FILE_OF_DATA, SOCKET };

static enum kind kind_of(int fd) {
    struct stat about;
    if (fd <= 2 || fstat(fd, &about) != 0) return NEITHER;
    if (S_ISREG(about.st_mode)) return FILE_OF_DATA;
    return S_ISSOCK(about.st_mode) ? SOCKET : NEITHER;
}

/* Counts a call; the error with which it fails, or 0. */
static int outward(enum kind kind) {
    if (kind == NEITHER) return 0;
    if (die_at && atomic_fetch_add(&calls, 1) + 1 == die_at) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
    if (kind != FILE_OF_DATA) return 0;
    if (fail_at && atomic_fetch_add(&file_calls, 1) + 1 == fail_at) return fail_with;
    if (fail_while && access(fail_while, F_OK) == 0) {
        char text[8] = {0};
        int file = open(fail_while, O_RDONLY);
        if (file >= 0) {
            ssize_t got = read(file, text, sizeof text - 1);
            close(file);
            if (got > 0) return named(text);
        }
    }
    return 0;
}

/* The call as the system has it. */
#define REAL(name) ((__typeof__(&name))({                         \
    static void *known;                                           \
    if (!known) known = dlsym(RTLD_NEXT, #name);                  \
    known;                                                        \
}))

#define CALL(kind, result, name, types, values)                   \
    result name types {                                           \
        int error = outward(kind);                                \
        if (error) { errno = error; return (result)-1; }          \
        return REAL(name) values;                                 \
    }

CALL(kind_of(fd), ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
CALL(kind_of(fd), ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
CALL(kind_of(fd), ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
CALL(kind_of(fd), ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
CALL(kind_of(fd), ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o))
CALL(kind_of(fd), ssize_t, send, (int fd, const void *b, size_t n, int f), (fd, b, n, f))
CALL(kind_of(fd), ssize_t, sendto,
     (int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l),
     (fd, b, n, f, a, l))
CALL(kind_of(fd), ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))
CALL(kind_of(fd), int, fsync, (int fd), (fd))
CALL(kind_of(fd), int, fdatasync, (int fd), (fd))
CALL(kind_of(fd), int, ftruncate, (int fd, off_t n), (fd, n))
CALL(kind_of(fd), int, ftruncate64, (int fd, off64_t n), (fd, n))
CALL(FILE_OF_DATA, int, rename, (const char *a, const char *b), (a, b))
CALL(FILE_OF_DATA, int, link, (const char *a, const char *b), (a, b))
CALL(FILE_OF_DATA, int, linkat, (int d, const char *a, int e, const char *b, int f), (d, a, e, b, f))
CALL(FILE_OF_DATA, int, unlink, (const char *a), (a))
CALL(FILE_OF_DATA, int, mkdir, (const char *a, mode_t m), (a, m))

int clock_gettime(clockid_t which, struct timespec *now) {
    int result = REAL(clock_gettime)(which, now);
    if (result == 0 && offset && which == CLOCK_REALTIME) now->tv_sec += *offset;
    return result;
}
