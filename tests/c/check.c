/* Owns the result of the running test and the totals; see check.h. Main thread only. */
#include "check.h"

#ifndef _WIN32
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *test_prefix = "";
static const char *running = "";
static char failure[512];
static char skip_reason[512];
static unsigned passed, failed, skipped;
static uint64_t random_state;

#ifdef _WIN32
/* The system has no alarm: who runs the tests ends them. */
static void watch_time(void) {}
static void begin_time(void) {}
static void end_time(void) {}
#else
/* A test that hangs may hold any lock: only async-signal-safe calls here. */
static void too_long(int signal_number)
{
    char line[1024];
    size_t length = 0;
    const char *parts[] = {"not ok ", test_prefix, running, " did not end within a minute\n"};
    (void)signal_number;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t part = strlen(parts[i]);
        if (length + part <= sizeof line) {
            memcpy(line + length, parts[i], part);
            length += part;
        }
    }
    if (write(STDOUT_FILENO, line, length) < 0) {
        _exit(3);
    }
    _exit(2);
}

static void watch_time(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = too_long;
    sigaction(SIGALRM, &action, NULL);
}

static void begin_time(void) { alarm(60); }

static void end_time(void) { alarm(0); }

/* What the child has to say comes as one letter and the reason. */
static void hear_child(int descriptor)
{
    char said[sizeof failure] = "";
    size_t length = 0;
    ssize_t part;
    while (length + 1 < sizeof said &&
           (part = read(descriptor, said + length, sizeof said - 1 - length)) > 0) {
        length += (size_t)part;
    }
    if (said[0] == 'f' && !failure[0]) {
        snprintf(failure, sizeof failure, "%s", said + 1);
    } else if (said[0] == 's') {
        test_skipped(said + 1);
    }
}

void run_in_child(void (*body)(void))
{
    int ends[2];
    int status = 0;
    pid_t child;
    if (pipe(ends) != 0 || (child = fork()) < 0) {
        test_failed(__FILE__, __LINE__, "no child process");
        return;
    }
    if (child == 0) {
        close(ends[0]);
        alarm(50);
        body();
        if (failure[0] || skip_reason[0]) {
            char line[sizeof failure + 1];
            int length = snprintf(line, sizeof line, "%c%s", failure[0] ? 'f' : 's',
                                  failure[0] ? failure : skip_reason);
            _exit(write(ends[1], line, (size_t)length) < 0);
        }
        _exit(0);
    }
    close(ends[1]);
    hear_child(ends[0]);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        test_failed(__FILE__, __LINE__, "the child ended by signal %d", WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        test_failed(__FILE__, __LINE__, "the child ended with %d", WEXITSTATUS(status));
    }
}
#endif

void begin_tests(const char *prefix)
{
    const char *given = getenv("TEST_SEED");
    watch_time();
    test_prefix = prefix;
    setvbuf(stdout, NULL, _IOLBF, 0);
    random_state = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid();
    printf("# TEST_SEED=%llu\n", (unsigned long long)random_state);
}

void run_test(const char *name, void (*test)(void))
{
    running = name;
    failure[0] = '\0';
    skip_reason[0] = '\0';
    begin_time();
    test();
    end_time();
    if (failure[0]) {
        failed++;
        printf("not ok %s%s %s\n", test_prefix, name, failure);
    } else if (skip_reason[0]) {
        skipped++;
        printf("skip %s%s %s\n", test_prefix, name, skip_reason);
    } else {
        passed++;
        printf("ok %s%s\n", test_prefix, name);
    }
}

int end_tests(void)
{
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}

void test_failed(const char *file, int line, const char *format, ...)
{
    const char *name = strrchr(file, '/');
    va_list arguments;
    int used;
    if (failure[0]) {
        return;
    }
    used = snprintf(failure, sizeof failure, "%s:%d: ", name ? name + 1 : file, line);
    va_start(arguments, format);
    vsnprintf(failure + used, sizeof failure - (size_t)used, format, arguments);
    va_end(arguments);
}

void test_skipped(const char *reason)
{
    snprintf(skip_reason, sizeof skip_reason, "%s", reason);
}

bool test_has_failed(void)
{
    return failure[0] != '\0';
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int64_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0) {
    }
}

uint32_t random_below(uint32_t bound)
{
    /* Knuth's 64-bit linear congruential generator; the high half is good enough here. */
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32) % bound;
}
