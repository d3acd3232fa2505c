/* Much at a time: many pools at once, callers that never collect, callbacks that hang. */
#include "engine.h"

#include <pthread.h>
#include <string.h>

enum { POOLS = 10, POOL_CALLS = 200, POOL_CONNECTS = 254 };

static uint16_t closed_port;

static void run_counting(void *context, rr_worker worker)
{
    rr_call call;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        add_one(context);
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            return;
        }
    }
}

/* A pool of one thread's, and what it got. Threads may not fail the test: they leave a reason. */
typedef struct {
    uint64_t first;
    bool echoes;
    int calls_run;
    uint64_t answers, foreign, wrong;
    const char *reason;
} own_pool;

static void see_own(const rr_completion *completion, own_pool *self)
{
    uint64_t part = completion->user_data - self->first;
    uint32_t expected = part < POOL_CALLS    ? RR_OUTCOME_COMPLETED
                        : part == POOL_CALLS ? RR_OUTCOME_REFUSED
                                             : RR_OUTCOME_SUCCESS;
    self->answers += completion->jobs;
    if (part > POOL_CALLS + 1) {
        self->foreign++;
    } else if (completion->outcome != expected) {
        self->wrong++;
    }
}

static bool submit_text(own_pool *self, rr_pool pool, const rr_probe_options *options, uint64_t user_data)
{
    static const char text[] = "127.0.0.0/24";
    rr_target target = target_of(text, user_data);
    size_t taken = 0;
    rr_status status = rr_pool_submit_probes(pool, options, &target, 1, sizeof target,
                                             (const uint8_t *)text, sizeof text - 1, &taken);
    if (status != RR_STATUS_OK) {
        self->reason = rr_status_message(status);
    }
    return status == RR_STATUS_OK;
}

static void *use_own_pool(void *context)
{
    own_pool *self = context;
    rr_pool_options options = pool_options();
    rr_probe_options echo = echo_options();
    rr_probe_options tcp = connect_options(&closed_port, 1);
    uint64_t numbers[POOL_CALLS];
    rr_completion completions[64];
    uint8_t text[4096];
    size_t taken = 0;
    rr_pool pool = 0;
    rr_status status;
    options.max_workers = 4;
    options.run = run_counting;
    options.context = &self->calls_run;
    for (uint64_t i = 0; i < POOL_CALLS; i++) {
        numbers[i] = self->first + i;
    }
    status = rr_pool_open(&options, &pool);
    if (status != RR_STATUS_OK) {
        self->reason = rr_status_message(status);
        return NULL;
    }
    status = rr_pool_submit_calls(pool, numbers, POOL_CALLS, &taken);
    if (status != RR_STATUS_OK || taken != POOL_CALLS) {
        self->reason = rr_status_message(status);
    }
    if (submit_text(self, pool, &tcp, self->first + POOL_CALLS) && self->echoes) {
        submit_text(self, pool, &echo, self->first + POOL_CALLS + 1);
    }
    rr_pool_close_input(pool);
    while ((status = rr_pool_poll(pool, 20000, NULL)) == RR_STATUS_OK) {
        size_t count = 0;
        size_t used = 0;
        status = rr_pool_collect(pool, completions, 64, sizeof completions[0], text, sizeof text,
                                 &count, &used);
        if (status != RR_STATUS_OK) {
            break;
        }
        for (size_t i = 0; i < count; i++) {
            see_own(&completions[i], self);
        }
    }
    if (status != RR_STATUS_CLOSED) {
        self->reason = rr_status_message(status);
    }
    rr_pool_close(pool, NULL);
    return NULL;
}

static void ten_pools_at_once_have_their_own_answers_each(void)
{
    static own_pool pools[POOLS];
    pthread_t threads[POOLS];
    bool echoes = may_echo();
    if (!echoes) {
        test_skipped("");
    }
    closed_port = refused_port();
    memset(pools, 0, sizeof pools);
    for (uint64_t i = 0; i < POOLS; i++) {
        pools[i].first = (i + 1) * 100000;
        pools[i].echoes = echoes;
        REQUIRE(pthread_create(&threads[i], NULL, use_own_pool, &pools[i]) == 0);
    }
    for (int i = 0; i < POOLS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < POOLS; i++) {
        if (pools[i].reason) {
            test_failed(__FILE__, __LINE__, "pool %d: %s", i, pools[i].reason);
            return;
        }
        REQUIRE_EQUAL(POOL_CALLS + POOL_CONNECTS + (echoes ? 254 : 0), pools[i].answers);
        REQUIRE_EQUAL(POOL_CALLS, read_value(&pools[i].calls_run));
        REQUIRE_EQUAL(0, pools[i].foreign);
        REQUIRE_EQUAL(0, pools[i].wrong);
    }
}

/* What nobody collects is bounded, and in nobody's way: neither another pool's nor the end's. */
static void a_caller_that_never_collects_holds_up_nobody_else(void)
{
    enum { WAITING_LIMIT = 65536, SLACK = 8192 };
    static int calls_run;
    rr_pool_options options = pool_options();
    rr_pool_counts counts;
    uint64_t numbers[1024];
    uint64_t submitted = 0;
    rr_status status = RR_STATUS_OK;
    rr_pool pool = 0;
    int64_t begin = now_ms();
    calls_run = 0;
    memset(numbers, 0, sizeof numbers);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    options.max_workers = 4;
    options.run = run_counting;
    options.context = &calls_run;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    /* Until there are so many answers that no more jobs are taken. */
    while (counts.ready < WAITING_LIMIT) {
        size_t taken = 0;
        status = rr_pool_submit_calls(pool, numbers, 1024, &taken);
        REQUIRE(status == RR_STATUS_OK || status == RR_STATUS_AGAIN);
        submitted += taken;
        REQUIRE(rr_pool_poll(pool, 0, &counts) >= 0);
        REQUIRE(now_ms() - begin < 30000);
    }
    while (status != RR_STATUS_AGAIN) {
        size_t taken = 0;
        status = rr_pool_submit_calls(pool, numbers, 1024, &taken);
        REQUIRE(status == RR_STATUS_OK || status == RR_STATUS_AGAIN);
        submitted += taken;
    }
    REQUIRE(submitted <= 2 * WAITING_LIMIT + SLACK);
    own_pool other;
    memset(&other, 0, sizeof other);
    other.first = 1;
    closed_port = refused_port();
    use_own_pool(&other);
    REQUIRE(other.reason == NULL);
    REQUIRE_EQUAL(POOL_CALLS + POOL_CONNECTS, other.answers);
    begin = now_ms();
    close_pool(pool);
    REQUIRE(now_ms() - begin < 1500);
}

/* A pool belongs to no thread. */
static void *open_and_leave(void *context)
{
    static uint64_t numbers[POOL_CALLS];
    static int calls_run;
    rr_pool_options options = pool_options();
    rr_pool *pool = context;
    size_t taken = 0;
    options.run = run_counting;
    options.context = &calls_run;
    if (rr_pool_open(&options, pool) == RR_STATUS_OK) {
        rr_pool_submit_calls(*pool, numbers, POOL_CALLS, &taken);
    }
    return NULL;
}

static void a_pool_outlives_the_thread_that_opened_it(void)
{
    pthread_t thread;
    rr_pool pool = 0;
    REQUIRE(pthread_create(&thread, NULL, open_and_leave, &pool) == 0);
    pthread_join(thread, NULL);
    REQUIRE(pool != 0);
    REQUIRE_EQUAL(POOL_CALLS, finish_pool(pool).outcomes[RR_OUTCOME_COMPLETED]);
}

/* `stop` may not block. One that does all the same holds up neither close nor another pool. */
static int hanging, may_go_on;

static void run_until_let_go(void *context, rr_worker worker)
{
    rr_call call;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    if (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        add_one(context);
        wait_until(&may_go_on, 1);
    }
}

static void stop_hangs(void *context, rr_worker worker, uint64_t user_data)
{
    (void)context;
    (void)worker;
    (void)user_data;
    add_one(&hanging);
    wait_until(&may_go_on, 1);
}

static void a_stop_that_hangs_holds_up_neither_close_nor_another_pool(void)
{
    static int begun;
    rr_pool_options options = pool_options();
    uint64_t number = 0;
    size_t taken = 0;
    uint32_t running = 0;
    rr_pool pool = 0;
    own_pool other;
    int64_t begin;
    begun = 0;
    hanging = 0;
    may_go_on = 0;
    options.run = run_until_let_go;
    options.stop = stop_hangs;
    options.context = &begun;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_submit_calls(pool, &number, 1, &taken));
    REQUIRE(wait_until(&begun, 1));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_cancel(pool));
    REQUIRE(wait_until(&hanging, 1));
    memset(&other, 0, sizeof other);
    other.first = 1;
    closed_port = refused_port();
    use_own_pool(&other);
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close(pool, &running));
    REQUIRE(now_ms() - begin < 1500);
    add_one(&may_go_on);
    REQUIRE_EQUAL(2, running);
    REQUIRE(other.reason == NULL);
    REQUIRE_EQUAL(POOL_CALLS + POOL_CONNECTS, other.answers);
}

void run_load_tests(void)
{
    RUN(ten_pools_at_once_have_their_own_answers_each);
    RUN(a_caller_that_never_collects_holds_up_nobody_else);
    RUN(a_pool_outlives_the_thread_that_opened_it);
    RUN(a_stop_that_hangs_holds_up_neither_close_nor_another_pool);
}
