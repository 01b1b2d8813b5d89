// Faults of a disk and of a clock, put between a program and the system: cc -shared -fPIC -o shim.so shim.c, LD_PRELOAD.
//
// FAULT_DIR is the folder whose files can fail, FAULT_CONTROL a file with `mode argument clock`, read at every call:
//   none             everything works
//   errno N          writing, cutting and opening for writing fail with this number
//   main N           the same for the database alone: its WAL is written, and no checkpoint can be
//   syncs N          syncs fail with this number
//   torn N           the next write to a WAL writes N bytes, and the power goes
//   tornmain N       the same of the database
//   cut SEED         the power goes: what was not synced is undone, page by page all of it (0) or a random half
//   nosync           syncs say that they worked and did nothing
//   dies N           N writes, cuts, syncs and renames from now on work, and at the next the power goes
//   fills N          as many work, and then there is no space
// `clock` is in seconds and moves the time of day.
//
// What was not synced is undone in the file itself by what it held before, kept here until its next sync; a rename, by what
// was in the place before, until its folder is synced.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
    static type (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

// What a file held before a write that is not synced yet, the latest first.
struct undo {
    struct undo *next;
    char path[512];
    off_t offset, size;
    size_t held;
    char *bytes;
};
static struct undo *undos;

struct control {
    char mode[16];
    long argument, clock;
};

static struct control control(void) {
    struct control told = {"none", 0, 0};
    REAL(ssize_t, read, int, void *, size_t);
    char text[128] = {0};
    const char *file = getenv("FAULT_CONTROL");
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        if (real_read(fd, text, sizeof text - 1) > 0)
            sscanf(text, "%15s %ld %ld", told.mode, &told.argument, &told.clock);
        close(fd);
    }
    return told;
}

static int is(const struct control *told, const char *mode) { return strcmp(told->mode, mode) == 0; }

enum { ELSEWHERE, FILE_OF_IT, FOLDER };

// The path of a file or folder in the folder, or of itself.
static int path_of(int fd, char path[512]) {
    char link[64];
    struct stat what;
    const char *dir = getenv("FAULT_DIR");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = dir ? readlink(link, path, 511) : -1;
    if (length <= 0) return ELSEWHERE;
    path[length] = 0;
    if (strncmp(path, dir, strlen(dir)) != 0) return ELSEWHERE;
    if (fstat(fd, &what) == 0 && S_ISDIR(what.st_mode)) return FOLDER;
    return path[strlen(dir)] == '/' ? FILE_OF_IT : ELSEWHERE;
}

static int is_kept_in_mind(const char *path) { return strstr(path, "-shm") == NULL; }

static void remember(int fd, const char *path, off_t offset, size_t length) {
    REAL(ssize_t, pread64, int, void *, size_t, off_t);
    struct stat now;
    if (!is_kept_in_mind(path) || fstat(fd, &now) != 0) return;
    struct undo *undo = calloc(1, sizeof *undo);
    snprintf(undo->path, sizeof undo->path, "%s", path);
    undo->offset = offset;
    undo->size = now.st_size;
    undo->bytes = malloc(length ? length : 1);
    // Opened anew, because the file may be open for writing alone.
    int reading = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t held = reading >= 0 ? real_pread64(reading, undo->bytes, length, offset) : 0;
    if (reading >= 0) close(reading);
    undo->held = held > 0 ? (size_t)held : 0;
    undo->next = undos;
    undos = undo;
}

static void forget(const char *path) {
    for (struct undo **at = &undos; *at;) {
        struct undo *undo = *at;
        if (strcmp(undo->path, path) != 0) {
            at = &undo->next;
            continue;
        }
        *at = undo->next;
        free(undo->bytes);
        free(undo);
    }
}

// A random half of the pages, the same for every write of a page.
static int is_lost(const struct undo *undo, unsigned long seed) {
    unsigned long mix = seed * 0x9e3779b97f4a7c15UL ^ (unsigned long)(undo->offset / 4096) * 0xbf58476d1ce4e5b9UL;
    return seed == 0 || ((mix >> 31) & 1);
}

// A rename whose folder is not synced yet, the latest first; what it replaced lies beside FAULT_CONTROL.
struct renamed {
    struct renamed *next;
    char from[512], to[512], replaced[560];
    int had;
};
static struct renamed *renames;

static void remember_rename(const char *from, const char *to) {
    static int number;
    struct renamed *renamed = calloc(1, sizeof *renamed);
    snprintf(renamed->from, sizeof renamed->from, "%s", from);
    snprintf(renamed->to, sizeof renamed->to, "%s", to);
    snprintf(renamed->replaced, sizeof renamed->replaced, "%s.%d-%d", getenv("FAULT_CONTROL"), (int)getpid(), number++);
    renamed->had = link(to, renamed->replaced) == 0;
    renamed->next = renames;
    renames = renamed;
}

static void forget_renames(void) {
    while (renames) {
        struct renamed *renamed = renames;
        renames = renamed->next;
        if (renamed->had) unlink(renamed->replaced);
        free(renamed);
    }
}

static void lose_renames(int (*real_rename)(const char *, const char *)) {
    for (struct renamed *renamed = renames; renamed; renamed = renamed->next) {
        if (real_rename(renamed->to, renamed->from) != 0) abort();
        if (renamed->had && real_rename(renamed->replaced, renamed->to) != 0) abort();
    }
}

static void power_goes(unsigned long seed) {
    REAL(int, rename, const char *, const char *);
    REAL(ssize_t, pwrite64, int, const void *, size_t, off_t);
    REAL(int, ftruncate64, int, off_t);
    // A half that is lost is one of writes.
    if (seed == 0) lose_renames(real_rename);
    for (struct undo *undo = undos; undo; undo = undo->next) {
        if (!is_lost(undo, seed)) continue;
        int fd = open(undo->path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) continue;
        if (undo->held && real_pwrite64(fd, undo->bytes, undo->held, undo->offset) < 0) abort();
        if (seed == 0 && real_ftruncate64(fd, undo->size) != 0) abort();
        close(fd);
    }
    _exit(137);
}

static int is_main(const char *path) {
    const char *end = strstr(path, ".db");
    return end && end[3] == 0;
}

// Whether more was asked than may still work.
static int is_over(const struct control *told) {
    static long asked;
    if (!is(told, "dies") && !is(told, "fills")) {
        asked = 0;
        return 0;
    }
    return ++asked > told->argument;
}

// Whether a write fails; with the lock held.
static int refuses(const struct control *told, const char *path) {
    if (is(told, "cut")) power_goes((unsigned long)told->argument);
    if (is_over(told)) {
        if (is(told, "dies")) power_goes(0);
        errno = ENOSPC;
        return 1;
    }
    if (!is(told, "errno") && !(is(told, "main") && is_main(path))) return 0;
    errno = (int)told->argument;
    return 1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off_t);
    char path[512];
    if (!path_of(fd, path)) return real_pwrite64(fd, bytes, length, offset);
    pthread_mutex_lock(&lock);
    struct control told = control();
    ssize_t written = -1;
    if (!refuses(&told, path)) {
        int tears = (is(&told, "torn") && strstr(path, "-wal")) || (is(&told, "tornmain") && is_main(path));
        if (tears && length > (size_t)told.argument) {
            if (real_pwrite64(fd, bytes, (size_t)told.argument, offset) < 0) abort();
            _exit(137);
        }
        remember(fd, path, offset, length);
        written = real_pwrite64(fd, bytes, length, offset);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

// While the power goes, nobody reads what is half undone: else a thread could still answer that the database is damaged.
ssize_t pread64(int fd, void *bytes, size_t length, off_t offset) {
    REAL(ssize_t, pread64, int, void *, size_t, off_t);
    char path[512];
    if (!path_of(fd, path)) return real_pread64(fd, bytes, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t held = real_pread64(fd, bytes, length, offset);
    pthread_mutex_unlock(&lock);
    return held;
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset) { return pread64(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    char path[512];
    if (!path_of(fd, path)) return real_write(fd, bytes, length);
    pthread_mutex_lock(&lock);
    struct control told = control();
    ssize_t written = -1;
    if (!refuses(&told, path)) {
        remember(fd, path, lseek(fd, 0, SEEK_CUR), length);
        written = real_write(fd, bytes, length);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

int ftruncate64(int fd, off_t length) {
    REAL(int, ftruncate64, int, off_t);
    char path[512];
    if (!path_of(fd, path)) return real_ftruncate64(fd, length);
    pthread_mutex_lock(&lock);
    struct control told = control();
    struct stat now;
    int cut = -1;
    if (!refuses(&told, path)) {
        if (fstat(fd, &now) == 0 && now.st_size > length) remember(fd, path, length, (size_t)(now.st_size - length));
        cut = real_ftruncate64(fd, length);
    }
    pthread_mutex_unlock(&lock);
    return cut;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, int (*real)(int)) {
    char path[512];
    int here = path_of(fd, path);
    int is_folder = here == FOLDER;
    if (!here) return real(fd);
    pthread_mutex_lock(&lock);
    struct control told = control();
    int done = -1;
    if (is(&told, "syncs")) {
        errno = (int)told.argument;
    } else if (is(&told, "nosync")) {
        done = 0;
    } else if (!refuses(&told, path)) {
        done = real(fd);
        if (done == 0) is_folder ? forget_renames() : forget(path);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return synced(fd, real_fsync);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    const char *dir = getenv("FAULT_DIR");
    if (!dir || strncmp(to, dir, strlen(dir)) != 0) return real_rename(from, to);
    pthread_mutex_lock(&lock);
    struct control told = control();
    int moved = -1;
    if (!refuses(&told, to)) {
        remember_rename(from, to);
        moved = real_rename(from, to);
    }
    pthread_mutex_unlock(&lock);
    return moved;
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return synced(fd, real_fdatasync);
}

static int opens(const char *path, int flags, mode_t mode) {
    REAL(int, open64, const char *, int, mode_t);
    const char *dir = getenv("FAULT_DIR");
    int here = dir && strncmp(path, dir, strlen(dir)) == 0;
    if (here && (flags & O_ACCMODE) != O_RDONLY) {
        struct control told = control();
        if (is(&told, "errno")) {
            errno = (int)told.argument;
            return -1;
        }
    }
    return real_open64(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opens(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opens(path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int told = real_clock_gettime(clock, time);
    if (told == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += control().clock;
    return told;
}
