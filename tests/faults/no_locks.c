/* Stands in for a file system without locks: each call for one fails with the errno named by NO_LOCKS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>

static int refused(void)
{
    errno = atoi(getenv("NO_LOCKS"));
    return -1;
}

static int passed_on(const char *name, int file, int command, void *argument)
{
    if (command == F_GETLK || command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
        command == F_OFD_SETLKW)
        return refused();
    int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    return next(file, command, argument);
}

#define FCNTL(name)                                      \
    int name(int file, int command, ...)                 \
    {                                                    \
        va_list rest;                                    \
        va_start(rest, command);                         \
        void *argument = va_arg(rest, void *);           \
        va_end(rest);                                    \
        return passed_on(#name, file, command, argument); \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

int flock(int file, int operation)
{
    return refused();
}
