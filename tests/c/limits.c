/* Calls that take too long: time limits, stop requests, workers that never come back. */
#include "engine.h"

#include <pthread.h>
#include <string.h>

/* The context of the callbacks in this file; static, for those that outlive their test. */
typedef struct {
    rr_pool pool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock: the stuck callbacks may go on. */
    bool go_on;
    /* Counted by add_one. */
    int stuck, stops, released, returned;
    /* What the callbacks saw. */
    uint64_t stop_user_data;
    rr_worker stop_worker, stuck_worker;
    rr_status next_status, finish_status;
} host;

static rr_call empty_call(void)
{
    rr_call call;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    return call;
}

static void let_go(host *state)
{
    pthread_mutex_lock(&state->lock);
    state->go_on = true;
    pthread_cond_broadcast(&state->changed);
    pthread_mutex_unlock(&state->lock);
}

static void wait_to_go_on(host *state)
{
    pthread_mutex_lock(&state->lock);
    while (!state->go_on) {
        pthread_cond_wait(&state->changed, &state->lock);
    }
    pthread_mutex_unlock(&state->lock);
}

/* Call 0 is stuck until let_go; the others end at once. */
static void run_with_one_stuck(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        bool stuck = call.user_data == 0;
        rr_status status;
        if (stuck) {
            state->stuck_worker = worker;
            add_one(&state->stuck);
            wait_to_go_on(state);
        }
        status = rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
        if (stuck) {
            state->finish_status = status;
            state->next_status = rr_worker_next(worker, &call);
            break;
        }
    }
    add_one(&state->returned);
}

static void stop_by_letting_go(void *context, rr_worker worker, uint64_t user_data)
{
    host *state = context;
    state->stop_user_data = user_data;
    state->stop_worker = worker;
    add_one(&state->stops);
    let_go(state);
}

static void stop_in_vain(void *context, rr_worker worker, uint64_t user_data)
{
    (void)worker;
    (void)user_data;
    add_one(&((host *)context)->stops);
}

static void release_host(void *context)
{
    add_one(&((host *)context)->released);
}

static void open_host(host *state, uint64_t job_limit_ms,
                      void (*stop)(void *, rr_worker, uint64_t))
{
    rr_pool_options options = pool_options();
    rr_status status;
    memset(state, 0, sizeof *state);
    pthread_mutex_init(&state->lock, NULL);
    pthread_cond_init(&state->changed, NULL);
    options.max_workers = 1; /* what waits behind a stuck call has nobody else to run it */
    options.job_limit_ms = job_limit_ms;
    options.run = run_with_one_stuck;
    options.stop = stop;
    options.release = release_host;
    options.context = state;
    status = rr_pool_open(&options, &state->pool);
    if (status != RR_STATUS_OK) {
        test_failed(__FILE__, __LINE__, "rr_pool_open: %s", rr_status_message(status));
    }
}

static void destroy_host(host *state)
{
    pthread_cond_destroy(&state->changed);
    pthread_mutex_destroy(&state->lock);
}

static void see_outcomes(const rr_completion *completion, const char *text, void *context)
{
    uint32_t *outcomes = context;
    (void)text;
    if (completion->user_data < 4 && completion->jobs == 1) {
        outcomes[completion->user_data] = completion->outcome;
    }
}

static void a_worker_past_the_job_limit_is_replaced(void)
{
    static host state;
    uint32_t outcomes[4] = {99, 99, 99, 99};
    uint32_t running = 99;
    rr_pool_counts counts;
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    open_host(&state, 50, NULL);
    submit_calls(state.pool, 0, 4);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(state.pool));
    collect_to_the_end(state.pool, see_outcomes, outcomes);
    REQUIRE_EQUAL(RR_OUTCOME_TIMED_OUT, outcomes[0]);
    for (int i = 1; i < 4; i++) {
        REQUIRE_EQUAL(RR_OUTCOME_COMPLETED, outcomes[i]);
    }
    REQUIRE_EQUAL(RR_STATUS_CLOSED, rr_pool_poll(state.pool, 0, &counts));
    REQUIRE_EQUAL(1, counts.workers_abandoned);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close(state.pool, &running));
    REQUIRE_EQUAL(1, running);
    sleep_ms(20);
    REQUIRE_EQUAL(0, read_value(&state.released));
    let_go(&state);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(RR_STATUS_CLOSED, state.finish_status);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, state.next_status);
    sleep_ms(20);
    REQUIRE_EQUAL(1, read_value(&state.released));
    destroy_host(&state);
}

static void a_callback_that_never_returns_holds_nothing_up(void)
{
    static host state;
    int64_t begin;
    uint32_t running = 0;
    tally sum;
    memset(&sum, 0, sizeof sum);
    open_host(&state, 50, stop_in_vain);
    submit_calls(state.pool, 0, 1);
    submit_calls(state.pool, 1, 100);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(state.pool));
    collect_to_the_end(state.pool, count_completion, &sum);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_TIMED_OUT]);
    REQUIRE_EQUAL(100, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE(read_value(&state.stops) >= 1);
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close(state.pool, &running));
    REQUIRE(now_ms() - begin < 1500);
    REQUIRE_EQUAL(1, running);
    REQUIRE_EQUAL(0, read_value(&state.released));
}

static void a_call_that_stops_when_asked_keeps_its_worker(void)
{
    static host state;
    uint32_t outcomes[4] = {99, 99, 99, 99};
    rr_pool_counts counts;
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    open_host(&state, 50, stop_by_letting_go);
    submit_calls(state.pool, 0, 1);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(state.pool));
    collect_to_the_end(state.pool, see_outcomes, outcomes);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, rr_pool_poll(state.pool, 0, &counts));
    close_pool(state.pool);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(RR_OUTCOME_TIMED_OUT, outcomes[0]);
    REQUIRE_EQUAL(0, counts.workers_abandoned);
    REQUIRE_EQUAL(1, read_value(&state.stops));
    REQUIRE_EQUAL(0, state.stop_user_data);
    REQUIRE(state.stop_worker == state.stuck_worker);
    REQUIRE_EQUAL(RR_STATUS_OK, state.finish_status);
    destroy_host(&state);
}

static void cancel_asks_the_running_call_to_stop(void)
{
    static host state;
    tally sum;
    open_host(&state, 0, stop_by_letting_go);
    submit_calls(state.pool, 0, 3);
    REQUIRE(wait_until(&state.stuck, 1));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_cancel(state.pool));
    sum = finish_pool(state.pool);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_STOPPED]);
    REQUIRE_EQUAL(2, sum.outcomes[RR_OUTCOME_NOT_STARTED]);
    REQUIRE_EQUAL(1, read_value(&state.stops));
    REQUIRE(wait_until(&state.released, 1));
    destroy_host(&state);
}

static void cancel_answers_a_call_that_does_not_stop(void)
{
    static host state;
    int64_t begin;
    tally sum;
    open_host(&state, 0, stop_in_vain);
    submit_calls(state.pool, 0, 3);
    REQUIRE(wait_until(&state.stuck, 1));
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_cancel(state.pool));
    sum = finish_pool(state.pool);
    REQUIRE(now_ms() - begin < 2000);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_STOPPED]);
    REQUIRE_EQUAL(2, sum.outcomes[RR_OUTCOME_NOT_STARTED]);
    let_go(&state);
    REQUIRE(wait_until(&state.released, 1));
    destroy_host(&state);
}

static void close_does_not_wait_for_a_running_callback(void)
{
    static host state;
    int64_t begin;
    uint32_t running = 0;
    open_host(&state, 0, NULL);
    submit_calls(state.pool, 0, 5);
    REQUIRE(wait_until(&state.stuck, 1));
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close(state.pool, &running));
    REQUIRE(now_ms() - begin < 1500);
    REQUIRE_EQUAL(1, running);
    REQUIRE_EQUAL(0, read_value(&state.released));
    let_go(&state);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(RR_STATUS_CLOSED, state.finish_status);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, state.next_status);
    destroy_host(&state);
}

static void the_run_limit_ends_calls_too(void)
{
    static host state;
    rr_pool_options options = pool_options();
    tally sum;
    memset(&state, 0, sizeof state);
    pthread_mutex_init(&state.lock, NULL);
    pthread_cond_init(&state.changed, NULL);
    options.max_workers = 1;
    options.run_limit_ms = 100;
    options.run = run_with_one_stuck;
    options.stop = stop_by_letting_go;
    options.release = release_host;
    options.context = &state;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &state.pool));
    submit_calls(state.pool, 0, 3);
    sum = finish_pool(state.pool);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_STOPPED]);
    REQUIRE_EQUAL(2, sum.outcomes[RR_OUTCOME_NOT_STARTED]);
    REQUIRE(wait_until(&state.released, 1));
    destroy_host(&state);
}

enum { STUCK_WORKERS = 64, STUCK_CALLS = 600, ABANDONED_LIMIT = 256 };

static void run_stuck(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    if (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        wait_to_go_on(state);
        rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    }
}

typedef struct {
    tally all, failed;
} both;

static void see_all_and_failures(const rr_completion *completion, const char *text, void *context)
{
    both *sums = context;
    count_completion(completion, text, &sums->all);
    if (completion->outcome == RR_OUTCOME_FAILED) {
        count_completion(completion, text, &sums->failed);
    }
}

/* Callbacks that never come back keep their threads: there is a bound, and it is told. */
static void workers_given_up_are_replaced_up_to_a_bound(void)
{
    static host state;
    static both sums;
    rr_pool_options options = pool_options();
    rr_pool_counts counts;
    memset(&state, 0, sizeof state);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    pthread_mutex_init(&state.lock, NULL);
    pthread_cond_init(&state.changed, NULL);
    options.max_workers = STUCK_WORKERS;
    options.job_limit_ms = 1;
    options.run = run_stuck;
    options.release = release_host;
    options.context = &state;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &state.pool));
    submit_calls(state.pool, 0, STUCK_CALLS);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(state.pool));
    collect_to_the_end(state.pool, see_all_and_failures, &sums);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, rr_pool_poll(state.pool, 0, &counts));
    let_go(&state);
    close_pool(state.pool);
    REQUIRE(wait_until(&state.released, 1));
    destroy_host(&state);
    REQUIRE_EQUAL(STUCK_CALLS, sums.all.completions);
    REQUIRE(sums.all.outcomes[RR_OUTCOME_TIMED_OUT] >= ABANDONED_LIMIT);
    REQUIRE(sums.all.outcomes[RR_OUTCOME_TIMED_OUT] <= ABANDONED_LIMIT + STUCK_WORKERS);
    REQUIRE_EQUAL(sums.all.outcomes[RR_OUTCOME_TIMED_OUT], counts.workers_abandoned);
    REQUIRE_EQUAL(STUCK_CALLS - counts.workers_abandoned, sums.failed.completions);
    REQUIRE(strstr(sums.failed.detail, "too many workers were given up") == sums.failed.detail);
}

void run_limit_tests(void)
{
    RUN(a_worker_past_the_job_limit_is_replaced);
    RUN(a_callback_that_never_returns_holds_nothing_up);
    RUN(a_call_that_stops_when_asked_keeps_its_worker);
    RUN(cancel_asks_the_running_call_to_stop);
    RUN(cancel_answers_a_call_that_does_not_stop);
    RUN(close_does_not_wait_for_a_running_callback);
    RUN(the_run_limit_ends_calls_too);
    RUN(workers_given_up_are_replaced_up_to_a_bound);
}
