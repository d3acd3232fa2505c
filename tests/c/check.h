/*
 * Named checks. Each prints one line: `ok NAME`, `not ok NAME reason` or `skip NAME reason`; the
 * last line of the program is `N passed, N failed, N skipped`. Knows nothing of the library.
 * Main thread only: other threads leave what they saw where the test can look at it.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* `prefix` comes before the name of every test. */
void begin_tests(const char *prefix);

/* Runs one test; one that takes longer than a minute fails and ends the program. */
void run_test(const char *name, void (*test)(void));

/* Prints the last line; the program's exit code. */
int end_tests(void);

/* The running test fails; only its first reason is printed. */
void test_failed(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The running test cannot run here. */
void test_skipped(const char *reason);

bool test_has_failed(void);

/* Runs `body` in a process of its own, a fork of this one, where failing and skipping mean the
 * running test; a child that crashes fails it. Not on Windows. */
void run_in_child(void (*body)(void));

/* Milliseconds on the monotonic clock. */
int64_t now_ms(void);

void sleep_ms(int64_t ms);

/* Random numbers of this run, the same for the same seed; the seed is printed by begin_tests. */
uint32_t random_below(uint32_t bound);

/* Ends the test where `condition` does not hold. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_failed(__FILE__, __LINE__, "%s", #condition);                                     \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Ends the test where two whole numbers differ, and says both. */
#define REQUIRE_EQUAL(expected, actual)                                                            \
    do {                                                                                           \
        long long expected_ = (long long)(expected);                                               \
        long long actual_ = (long long)(actual);                                                   \
        if (expected_ != actual_) {                                                                \
            test_failed(__FILE__, __LINE__, "%s is %lld, not %s (%lld)", #actual, actual_,         \
                        #expected, expected_);                                                     \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Ends the test where something it called has failed it. */
#define REQUIRE_NO_FAILURE()                                                                       \
    do {                                                                                           \
        if (test_has_failed()) {                                                                   \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define RUN(test) run_test(#test, test)

#endif
