/* Several threads at one pool, and many pools in one process. */
#include "engine.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#ifndef _WIN32
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

/*
 * A thread that polls `pool` for ever and says what came of it. BUSY is what it gets while the one
 * that waits for it looks: it is not inside yet, and tries again.
 */
typedef struct {
    rr_pool pool;
    int started, ended;
    rr_status status;
} poller;

static void *poll_for_ever(void *context)
{
    poller *self = context;
    add_one(&self->started);
    do {
        self->status = rr_pool_poll(self->pool, UINT64_MAX, NULL);
    } while (self->status == RR_STATUS_BUSY);
    add_one(&self->ended);
    return NULL;
}

/* Starts the thread and waits until it is inside the poll: then others are BUSY. */
static void start_poller(poller *self, pthread_t *thread)
{
    int64_t end = now_ms() + 5000;
    memset(self, 0, sizeof *self);
    self->pool = open_pool();
    pthread_create(thread, NULL, poll_for_ever, self);
    while (rr_pool_poll(self->pool, 0, NULL) != RR_STATUS_BUSY) {
        if (now_ms() > end) {
            test_failed(__FILE__, __LINE__, "rr_pool_poll was never BUSY");
            return;
        }
        sleep_ms(1);
    }
}

static void close_ends_the_poll_of_another_thread(void)
{
    poller other;
    pthread_t thread;
    int64_t begin;
    start_poller(&other, &thread);
    begin = now_ms();
    close_pool(other.pool);
    pthread_join(thread, NULL);
    REQUIRE(now_ms() - begin < 1500);
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, other.status);
}

static void a_second_poller_is_busy(void)
{
    poller other;
    pthread_t thread;
    rr_completion completion;
    uint8_t text[64];
    size_t count = 77;
    size_t used = 77;
    start_poller(&other, &thread);
    REQUIRE_EQUAL(RR_STATUS_BUSY, rr_pool_poll(other.pool, UINT64_MAX, NULL));
    REQUIRE_EQUAL(RR_STATUS_BUSY, rr_pool_collect(other.pool, &completion, 1, sizeof completion,
                                                  text, sizeof text, &count, &used));
    REQUIRE_EQUAL(77, count);
    REQUIRE_EQUAL(77, used);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_wake(other.pool));
    pthread_join(thread, NULL);
    REQUIRE_EQUAL(RR_STATUS_OK, other.status);
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(other.pool, 0, NULL));
    close_pool(other.pool);
}

static void closing_the_input_ends_the_poll(void)
{
    poller other;
    pthread_t thread;
    start_poller(&other, &thread);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(other.pool));
    pthread_join(thread, NULL);
    /* CLOSED at once, or OK for the change and CLOSED at the next poll. */
    if (other.status == RR_STATUS_OK) {
        other.status = rr_pool_poll(other.pool, UINT64_MAX, NULL);
    }
    REQUIRE_EQUAL(RR_STATUS_CLOSED, other.status);
    close_pool(other.pool);
}

enum { SUBMITTERS = 4, SUBMISSIONS = 25, HOSTS = 20 };

static void *submit_hosts(void *context)
{
    const rr_pool *pool = context;
    uint16_t port = 1;
    rr_probe_options options = connect_options(&port, 1);
    const char *text = "127.0.0.1-20";
    for (int i = 0; i < SUBMISSIONS; i++) {
        rr_target target = target_of(text, 0);
        size_t taken = 0;
        while (rr_pool_submit_probes(*pool, &options, &target, 1, sizeof target,
                                     (const uint8_t *)text, strlen(text),
                                     &taken) == RR_STATUS_AGAIN) {
            sleep_ms(1);
        }
    }
    return NULL;
}

static void any_thread_submits(void)
{
    pthread_t threads[SUBMITTERS];
    rr_pool pool = open_pool();
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_create(&threads[i], NULL, submit_hosts, &pool);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    REQUIRE_EQUAL(SUBMITTERS * SUBMISSIONS * HOSTS, finish_pool(pool).jobs);
}

/* Two threads that poll and collect one pool without agreeing: whoever is second is BUSY. */
typedef struct {
    rr_pool pool;
    uint64_t collected;
    const char *wrong;
} collector;

static void *collect_in_competition(void *context)
{
    collector *self = context;
    for (;;) {
        rr_completion completions[16];
        uint8_t text[1024];
        size_t count = 0;
        size_t used = 0;
        rr_status polled = rr_pool_poll(self->pool, 20, NULL);
        rr_status taken;
        if (polled == RR_STATUS_CLOSED) {
            return NULL;
        }
        taken = rr_pool_collect(self->pool, completions, 16, sizeof completions[0], text,
                                sizeof text, &count, &used);
        if (taken == RR_STATUS_OK) {
            self->collected += count;
        } else if (taken != RR_STATUS_BUSY) {
            self->wrong = rr_status_message(taken);
            return NULL;
        }
    }
}

static void competing_collectors_lose_nothing(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    collector collectors[2];
    pthread_t threads[2];
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(2032, submit_one(pool, &options, "127.0.0.1-127.0.7.240", 0));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    for (int i = 0; i < 2; i++) {
        memset(&collectors[i], 0, sizeof collectors[i]);
        collectors[i].pool = pool;
        pthread_create(&threads[i], NULL, collect_in_competition, &collectors[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    close_pool(pool);
    REQUIRE(collectors[0].wrong == NULL && collectors[1].wrong == NULL);
    REQUIRE_EQUAL(2032, collectors[0].collected + collectors[1].collected);
}

static void *open_and_close(void *context)
{
    for (int i = 0; i < 25; i++) {
        rr_pool_options options = pool_options();
        rr_pool pool = 0;
        if (rr_pool_open(&options, &pool) != RR_STATUS_OK ||
            rr_pool_close(pool, NULL) != RR_STATUS_OK) {
            add_one(context);
        }
    }
    return NULL;
}

static void pools_open_and_close_from_many_threads(void)
{
    pthread_t threads[4];
    int failures = 0;
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, open_and_close, &failures);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    REQUIRE_EQUAL(0, failures);
}

static int entries_of(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    if (!directory) {
        return -1;
    }
    while (readdir(directory)) {
        count++;
    }
    closedir(directory);
    return count;
}

static void use_one_pool(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    rr_pool pool = open_pool();
    submit_one(pool, &options, "127.0.0.1-5", 0);
    if (finish_pool(pool).jobs != 5) {
        test_failed(__FILE__, __LINE__, "jobs are missing");
    }
}

static void many_pools_leave_no_descriptors_and_threads(void)
{
    int descriptors, threads;
    int64_t end;
    use_one_pool();
    descriptors = entries_of("/proc/self/fd");
    threads = entries_of("/proc/self/task");
    if (descriptors < 0 || threads < 0) {
        test_skipped("no /proc");
        return;
    }
    for (int i = 0; i < 300; i++) {
        use_one_pool();
        REQUIRE_NO_FAILURE();
    }
    /* The last threads may still be on their way out. */
    end = now_ms() + 5000;
    while (entries_of("/proc/self/task") > threads && now_ms() < end) {
        sleep_ms(5);
    }
    REQUIRE(entries_of("/proc/self/task") <= threads);
    REQUIRE(entries_of("/proc/self/fd") <= descriptors);
}

#ifdef _WIN32
static void a_process_that_stood_still_is_counted(void)
{
    test_skipped("the system has no signal that stops a process");
}
#else
/* Another process stops this one for a while, as a debugger may. */
static bool stand_still(void)
{
    static const char *script = "kill -STOP $PPID; sleep 0.3; kill -CONT $PPID";
    int status = -1;
    pid_t other = fork();
    if (other == 0) {
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(1);
    }
    return other > 0 && waitpid(other, &status, 0) == other && status == 0;
}

static void a_process_that_stood_still_is_counted(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    rr_pool_counts counts;
    rr_pool pool;
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    options.flags = RR_PROBE_STATISTICS;
    options.count = 1000;
    options.interval_ms = 20;
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1", 0);
    REQUIRE(rr_pool_poll(pool, 0, &counts) >= 0);
    REQUIRE_EQUAL(0, counts.late_turns);
    /* Mostly the engine sleeps when it is stopped, for 20 ms at most, and then sees how late it is. */
    for (int i = 0; i < 10 && counts.late_turns == 0; i++) {
        REQUIRE(stand_still());
        sleep_ms(100);
        REQUIRE(rr_pool_poll(pool, 0, &counts) >= 0);
    }
    close_pool(pool);
    REQUIRE(counts.late_turns >= 1);
    /* What another pool's time brought is not this one's. */
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1", 0);
    REQUIRE(rr_pool_poll(pool, 0, &counts) >= 0);
    close_pool(pool);
    REQUIRE_EQUAL(0, counts.late_turns);
}
#endif

void run_thread_tests(void)
{
    RUN(close_ends_the_poll_of_another_thread);
    RUN(a_second_poller_is_busy);
    RUN(closing_the_input_ends_the_poll);
    RUN(any_thread_submits);
    RUN(competing_collectors_lose_nothing);
    RUN(pools_open_and_close_from_many_threads);
    RUN(many_pools_leave_no_descriptors_and_threads);
    RUN(a_process_that_stood_still_is_counted);
}
