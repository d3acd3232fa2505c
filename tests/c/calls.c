/* Call jobs: the callback takes them, ends them, and may call back into its pool. */
#include "engine.h"

#include <pthread.h>
#include <string.h>

/* The context of the callbacks in this file; static, for those that outlive their test. */
typedef struct {
    rr_pool pool;
    /* Counted by add_one. */
    int begun, taken, returned, released;
    /* What the callback saw, to be looked at when the pool is closed. */
    rr_status statuses[16];
    rr_worker worker;
    uint32_t worker_number;
    int64_t waits_ms;
} host;

static rr_call empty_call(void)
{
    rr_call call;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    return call;
}

static void release_host(void *context)
{
    add_one(&((host *)context)->released);
}

static void open_host(host *state, void (*run)(void *, rr_worker))
{
    rr_pool_options options = pool_options();
    rr_status status;
    memset(state, 0, sizeof *state);
    options.run = run;
    options.release = release_host;
    options.context = state;
    status = rr_pool_open(&options, &state->pool);
    if (status != RR_STATUS_OK) {
        test_failed(__FILE__, __LINE__, "rr_pool_open: %s", rr_status_message(status));
    }
}

static void run_all(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    add_one(&state->begun);
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        state->worker_number = call.worker_number;
        add_one(&state->taken);
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            break;
        }
    }
    add_one(&state->returned);
}

typedef struct {
    unsigned char seen[1000];
    bool wrong;
} answers;

static void see_answer(const rr_completion *completion, const char *text, void *context)
{
    answers *all = context;
    (void)text;
    if (completion->user_data < 100 || completion->user_data >= 1100 || completion->jobs != 1 ||
        completion->kind != RR_KIND_CALL || completion->outcome != RR_OUTCOME_COMPLETED ||
        completion->worker == 0 || completion->family != 0 || completion->rtt_last_ns != -1) {
        all->wrong = true;
        return;
    }
    all->seen[completion->user_data - 100]++;
}

static void every_call_runs_once(void)
{
    static host state;
    answers all;
    memset(&all, 0, sizeof all);
    open_host(&state, run_all);
    submit_calls(state.pool, 100, 1000);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(state.pool));
    collect_to_the_end(state.pool, see_answer, &all);
    close_pool(state.pool);
    REQUIRE(!all.wrong);
    for (size_t i = 0; i < sizeof all.seen; i++) {
        REQUIRE_EQUAL(1, all.seen[i]);
    }
    REQUIRE_EQUAL(1000, read_value(&state.taken));
    REQUIRE(state.worker_number >= 1);
}

static void run_until_asked(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        add_one(&state->taken);
        wait_until(&state->begun, 5);
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            break;
        }
    }
}

static uint64_t count_question(void *context)
{
    host *state = context;
    add_one(&state->begun);
    return 0;
}

/* Jobs wait for workers, so the host is asked how long its runtime stood still, again and again. */
static void a_host_is_asked_for_its_pauses(void)
{
    static host state;
    rr_pool_options options = pool_options();
    options.run = run_until_asked;
    options.paused = count_question;
    options.context = &state;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &state.pool));
    submit_calls(state.pool, 0, 100);
    REQUIRE_EQUAL(100, finish_pool(state.pool).jobs);
    REQUIRE(read_value(&state.begun) >= 5);
}

static void release_is_called_once_after_close(void)
{
    static host state;
    open_host(&state, run_all);
    submit_calls(state.pool, 0, 10);
    REQUIRE_EQUAL(10, finish_pool(state.pool).jobs);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(read_value(&state.begun), read_value(&state.returned));
    sleep_ms(20);
    REQUIRE_EQUAL(1, read_value(&state.released));
}

static void release_is_called_where_no_call_ever_ran(void)
{
    static host state;
    open_host(&state, run_all);
    REQUIRE_EQUAL(0, read_value(&state.released));
    close_pool(state.pool);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(0, read_value(&state.begun));
}

static void release_is_not_called_where_open_fails(void)
{
    static host state;
    rr_pool_options options = pool_options();
    memset(&state, 0, sizeof state);
    options.run = run_all;
    options.release = release_host;
    options.context = &state;
    options.max_workers = 1025;
    REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT, rr_pool_open(&options, &state.pool));
    REQUIRE_EQUAL(0, read_value(&state.released));
    REQUIRE_EQUAL(0, state.pool);
}

static void run_outcomes(void *context, rr_worker worker)
{
    static const uint32_t outcomes[] = {RR_OUTCOME_COMPLETED, RR_OUTCOME_FAILED,
                                        RR_OUTCOME_STOPPED, RR_OUTCOME_LOST};
    rr_call call = empty_call();
    (void)context;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        rr_worker_finish(worker, outcomes[call.user_data]);
    }
}

static void calls_end_as_the_callback_says(void)
{
    static host state;
    tally sum;
    open_host(&state, run_outcomes);
    submit_calls(state.pool, 0, 4);
    sum = finish_pool(state.pool);
    REQUIRE_EQUAL(4, sum.completions);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_FAILED]);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_STOPPED]);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_LOST]);
}

static void run_out_of_order(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    rr_call small = empty_call();
    small.struct_size = sizeof small - 1;
    state->statuses[0] = rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    state->statuses[1] = rr_worker_next(worker, NULL);
    state->statuses[2] = rr_worker_next(worker, &small);
    state->statuses[3] = rr_worker_next(worker, &call);
    state->statuses[4] = rr_worker_next(worker, &call);
    state->statuses[5] = rr_worker_finish(worker, RR_OUTCOME_SUCCESS);
    state->statuses[6] = rr_worker_finish(worker, RR_OUTCOME_TIMED_OUT);
    state->statuses[7] = rr_worker_finish(worker, 77);
    state->statuses[8] = rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    state->statuses[9] = rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    state->statuses[10] = rr_worker_next(state->pool, &call);
    state->statuses[11] = rr_worker_next(worker, &call);
    state->worker = worker;
    add_one(&state->returned);
}

static void worker_functions_keep_their_order(void)
{
    static host state;
    rr_call call = empty_call();
    open_host(&state, run_out_of_order);
    submit_calls(state.pool, 5, 1);
    REQUIRE_EQUAL(1, finish_pool(state.pool).outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE(wait_until(&state.returned, 1));
    REQUIRE_EQUAL(RR_STATUS_BAD_STATE, state.statuses[0]);
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, state.statuses[1]);
    REQUIRE_EQUAL(RR_STATUS_BAD_SIZE, state.statuses[2]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[3]);
    REQUIRE_EQUAL(RR_STATUS_BAD_STATE, state.statuses[4]);
    REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT, state.statuses[5]);
    REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT, state.statuses[6]);
    REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT, state.statuses[7]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[8]);
    REQUIRE_EQUAL(RR_STATUS_BAD_STATE, state.statuses[9]);
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, state.statuses[10]);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, state.statuses[11]);
    REQUIRE(wait_until(&state.released, 1));
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, rr_worker_next(state.worker, &call));
    REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, rr_worker_finish(state.worker, RR_OUTCOME_COMPLETED));
}

static void run_and_leave(void *context, rr_worker worker)
{
    rr_call call = empty_call();
    add_one(&((host *)context)->begun);
    rr_worker_next(worker, &call);
}

static void a_callback_that_leaves_its_call_still_answers_it(void)
{
    static host state;
    tally sum;
    open_host(&state, run_and_leave);
    submit_calls(state.pool, 0, 3);
    sum = finish_pool(state.pool);
    REQUIRE_EQUAL(3, sum.completions);
    REQUIRE_EQUAL(0, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE(wait_until(&state.released, 1));
}

static void run_calling_back(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        if (call.user_data == 0) {
            uint64_t more[] = {1, 2};
            rr_pool_counts counts;
            rr_pool inner = 0;
            rr_pool_options options = pool_options();
            size_t taken = 0;
            memset(&counts, 0, sizeof counts);
            counts.struct_size = sizeof counts;
            state->statuses[0] = rr_pool_submit_calls(state->pool, more, 2, &taken);
            state->statuses[1] = rr_pool_wake(state->pool);
            state->statuses[2] = rr_pool_poll(state->pool, 10, &counts);
            state->statuses[3] = rr_pool_close(state->pool, NULL);
            state->statuses[4] = rr_pool_open(&options, &inner);
            state->statuses[5] = rr_pool_poll(inner, 1, &counts);
            state->statuses[6] = rr_pool_close(inner, NULL);
            state->statuses[7] = rr_pool_close_input(state->pool);
        }
        rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    }
}

static void a_callback_may_call_back_into_its_pool(void)
{
    static host state;
    tally sum;
    memset(&sum, 0, sizeof sum);
    open_host(&state, run_calling_back);
    submit_calls(state.pool, 0, 1);
    collect_to_the_end(state.pool, count_completion, &sum);
    close_pool(state.pool);
    REQUIRE_EQUAL(3, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[0]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[1]);
    REQUIRE_EQUAL(RR_STATUS_WOULD_DEADLOCK, state.statuses[2]);
    REQUIRE_EQUAL(RR_STATUS_WOULD_DEADLOCK, state.statuses[3]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[4]);
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, state.statuses[5]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[6]);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[7]);
    REQUIRE(wait_until(&state.released, 1));
}

static void run_cancelling(void *context, rr_worker worker)
{
    host *state = context;
    rr_call call = empty_call();
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        add_one(&state->taken);
        state->statuses[0] = rr_pool_cancel(state->pool);
        state->statuses[1] = rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    }
}

static void a_callback_may_cancel_its_pool(void)
{
    static host state;
    tally sum;
    open_host(&state, run_cancelling);
    submit_calls(state.pool, 0, 200);
    sum = finish_pool(state.pool);
    REQUIRE_EQUAL(200, sum.jobs);
    REQUIRE_EQUAL(RR_STATUS_OK, state.statuses[0]);
    REQUIRE(sum.outcomes[RR_OUTCOME_NOT_STARTED] > 0);
    REQUIRE_EQUAL(0, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE(sum.outcomes[RR_OUTCOME_STOPPED] >= 1);
    REQUIRE(wait_until(&state.released, 1));
}

static void calls_and_probes_share_a_pool(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    static host state;
    tally sum;
    open_host(&state, run_all);
    submit_calls(state.pool, 0, 50);
    submit_one(state.pool, &options, "127.0.0.1-50", 0);
    sum = finish_pool(state.pool);
    REQUIRE_EQUAL(50, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(50, sum.outcomes[RR_OUTCOME_REFUSED]);
}

void run_call_tests(void)
{
    RUN(every_call_runs_once);
    RUN(a_host_is_asked_for_its_pauses);
    RUN(release_is_called_once_after_close);
    RUN(release_is_called_where_no_call_ever_ran);
    RUN(release_is_not_called_where_open_fails);
    RUN(calls_end_as_the_callback_says);
    RUN(worker_functions_keep_their_order);
    RUN(a_callback_that_leaves_its_call_still_answers_it);
    RUN(a_callback_may_call_back_into_its_pool);
    RUN(a_callback_may_cancel_its_pool);
    RUN(calls_and_probes_share_a_pool);
}
