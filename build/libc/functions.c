/*
 * What the standard library and the engine call of the C library that glibc 2.17 does not export:
 * hidden functions of the library's own, by the system calls themselves. For Linux on 64 bits, where
 * the kernel's struct stat is the C library's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)

/* Exported since glibc 2.33, inline before; musl has them as fstat and stat. */
int fstat64(int file, struct stat64 *into)
{
    return (int)syscall(SYS_fstat, file, into);
}

int stat64(const char *path, struct stat64 *into)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, into, 0);
}

int lstat64(const char *path, struct stat64 *into)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW);
}

/* Since glibc 2.25. */
ssize_t getrandom(void *into, size_t size, unsigned flags)
{
    return syscall(SYS_getrandom, into, size, flags);
}

/* In every glibc a program's own, over a function that is exported; in musl exported itself. */
int pthread_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void))
{
    int (*for_library)(void (*)(void), void (*)(void), void (*)(void), void *);
    int (*plain)(void (*)(void), void (*)(void), void (*)(void));
    /* ISO C has no conversion from an object's pointer to a function's; POSIX has. */
    *(void **)&for_library = dlsym(RTLD_DEFAULT, "__register_atfork");
    if (for_library) {
        return for_library(before, in_parent, in_child, NULL);
    }
    *(void **)&plain = dlsym(RTLD_DEFAULT, "pthread_atfork");
    return plain ? plain(before, in_parent, in_child) : -1;
}

/* glibc's own name for it, which the compiler's run time for arm64 uses; musl has only the other. */
unsigned long __getauxval(unsigned long kind)
{
    return getauxval(kind);
}

#pragma GCC visibility pop
