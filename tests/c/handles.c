/* Handles that are none: zero, closed, foreign, guessed, inherited through fork. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

/* Calls every function that takes a pool with `handle`; the first status that is not
 * BAD_HANDLE, or BAD_HANDLE. */
static rr_status use_everywhere(rr_pool handle)
{
    uint16_t port = 1;
    rr_probe_options options = connect_options(&port, 1);
    rr_target target = target_of("127.0.0.1", 0);
    rr_completion completion;
    rr_pool_counts counts;
    rr_call call;
    uint8_t text[64];
    uint64_t number = 0;
    uint32_t running = 0;
    size_t first = 0;
    size_t second = 0;
    rr_status statuses[11];
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    statuses[0] = rr_pool_submit_probes(handle, &options, &target, 1, sizeof target,
                                        (const uint8_t *)"127.0.0.1", 9, &first);
    statuses[1] = rr_pool_submit_calls(handle, &number, 1, &first);
    statuses[2] = rr_pool_close_input(handle);
    statuses[3] = rr_pool_poll(handle, UINT64_MAX, &counts);
    statuses[4] = rr_pool_collect(handle, &completion, 1, sizeof completion, text, sizeof text,
                                  &first, &second);
    statuses[5] = rr_pool_wake(handle);
    statuses[6] = rr_pool_cancel(handle);
    statuses[7] = rr_pool_close(handle, &running);
    statuses[8] = rr_worker_next(handle, &call);
    statuses[9] = rr_worker_finish(handle, RR_OUTCOME_COMPLETED);
    statuses[10] = rr_worker_opened(handle);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i] != RR_STATUS_BAD_HANDLE) {
            return statuses[i];
        }
    }
    return RR_STATUS_BAD_HANDLE;
}

static void zero_is_no_handle(void)
{
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, use_everywhere(0));
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, use_everywhere(UINT64_MAX));
}

static void a_closed_handle_is_none(void)
{
    rr_pool pool = open_pool();
    uint32_t running = 77;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close(pool, &running));
    REQUIRE_EQUAL(0, running);
    running = 77;
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, rr_pool_close(pool, &running));
    REQUIRE_EQUAL(77, running);
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, use_everywhere(pool));
}

static void a_closed_handle_is_not_the_next_pool(void)
{
    rr_pool first = open_pool();
    rr_pool second;
    close_pool(first);
    second = open_pool();
    REQUIRE(first != second);
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, use_everywhere(first));
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(second, 0, NULL));
    close_pool(second);
}

static void guessed_handles_are_none(void)
{
    rr_pool pool = open_pool();
    for (int bit = 0; bit < 64; bit++) {
        REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, use_everywhere(pool ^ ((rr_pool)1 << bit)));
    }
    for (int i = 0; i < 1000; i++) {
        rr_pool guess = (rr_pool)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
        if (guess != pool) {
            REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, use_everywhere(guess));
        }
    }
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 0, NULL));
    close_pool(pool);
}

typedef struct {
    rr_pool pool;
    /* What the callback saw with its own handle where a pool's is asked for. */
    rr_status poll, close, submit;
    int released;
} foreign;

static void run_foreign(void *context, rr_worker worker)
{
    foreign *state = context;
    rr_call call;
    uint64_t number = 0;
    size_t taken = 0;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        state->poll = rr_pool_poll(worker, 0, NULL);
        state->close = rr_pool_close(worker, NULL);
        state->submit = rr_pool_submit_calls(worker, &number, 1, &taken);
        rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    }
}

static void release_foreign(void *context)
{
    add_one(&((foreign *)context)->released);
}

static void a_worker_is_no_pool_and_a_pool_no_worker(void)
{
    static foreign state;
    rr_pool_options options = pool_options();
    rr_call call;
    memset(&state, 0, sizeof state);
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    options.run = run_foreign;
    options.release = release_foreign;
    options.context = &state;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &state.pool));
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, rr_worker_next(state.pool, &call));
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, rr_worker_finish(state.pool, RR_OUTCOME_COMPLETED));
    submit_calls(state.pool, 0, 1);
    REQUIRE_EQUAL(1, finish_pool(state.pool).outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, state.poll);
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, state.close);
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, state.submit);
}

#ifdef _WIN32
static void fork_inherits_no_handles(void) { test_skipped("the system has no fork"); }

static void a_forked_child_opens_no_pool(void) { test_skipped("the system has no fork"); }

static void a_forked_child_meets_no_lock(void) { test_skipped("the system has no fork"); }
#else
/* The exit code of a forked child that runs `child`; -1 where it did not end by itself. */
static int in_child(int (*child)(rr_pool), rr_pool pool)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        _exit(child(pool));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static int child_uses_handle(rr_pool pool)
{
    return use_everywhere(pool) == RR_STATUS_BAD_HANDLE ? 0 : 1;
}

static int child_opens(rr_pool pool)
{
    rr_pool_options options = pool_options();
    rr_pool own = 77;
    rr_status status = rr_pool_open(&options, &own);
    (void)pool;
    return status < 0 && own == 77 ? 0 : 1;
}

static void fork_inherits_no_handles(void)
{
    rr_probe_options options = echo_options();
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1", 0);
    REQUIRE_EQUAL(0, in_child(child_uses_handle, pool));
    /* The parent's pool is as before. */
    REQUIRE_EQUAL(1, finish_pool(pool).outcomes[RR_OUTCOME_SUCCESS]);
}

static void a_forked_child_opens_no_pool(void)
{
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(0, in_child(child_opens, pool));
    close_pool(pool);
}

/* A pool that joins the engine's thread when it is opened. */
static rr_status open_limited(rr_pool *pool)
{
    rr_pool_options options = pool_options();
    options.run_limit_ms = 60000;
    return rr_pool_open(&options, pool);
}

static int child_opens_limited(rr_pool pool)
{
    rr_pool own = 77;
    if (use_everywhere(pool) != RR_STATUS_BAD_HANDLE) {
        return 1;
    }
    return open_limited(&own) == RR_STATUS_BAD_STATE && own == 77 ? 0 : 2;
}

typedef struct {
    /* Counted by add_one. */
    int enough, failures;
} opener;

static void *open_until_enough(void *context)
{
    opener *self = context;
    while (read_value(&self->enough) == 0) {
        rr_pool pool = 0;
        if (open_limited(&pool) != RR_STATUS_OK || rr_pool_close(pool, NULL) != RR_STATUS_OK) {
            add_one(&self->failures);
        }
    }
    return NULL;
}

/* Another thread holds the library's locks at some of the forks, and nobody gives them back. */
static void a_forked_child_meets_no_lock(void)
{
    opener other = {0, 0};
    pthread_t thread;
    int code = 0;
    if (getenv("TEST_EMULATED")) {
        test_skipped("at a fork, other threads hold locks of the emulator, too, and its child never starts");
        return;
    }
    pthread_create(&thread, NULL, open_until_enough, &other);
    for (int i = 0; i < 100 && code == 0; i++) {
        code = in_child(child_opens_limited, 1);
    }
    add_one(&other.enough);
    pthread_join(thread, NULL);
    REQUIRE_EQUAL(0, code);
    REQUIRE_EQUAL(0, other.failures);
}
#endif

void run_handle_tests(void)
{
    RUN(zero_is_no_handle);
    RUN(a_closed_handle_is_none);
    RUN(a_closed_handle_is_not_the_next_pool);
    RUN(guessed_handles_are_none);
    RUN(a_worker_is_no_pool_and_a_pool_no_worker);
    RUN(fork_inherits_no_handles);
    RUN(a_forked_child_opens_no_pool);
    RUN(a_forked_child_meets_no_lock);
}
