/*
 * A wall clock that is set while the engine runs: the library's own questions for the time come
 * here, for this program's clock_gettime stands before the system's. Knows when somebody asks for
 * the wall clock, and answers with years of difference.
 */
#define _DEFAULT_SOURCE /* syscall */
#include "engine.h"

#ifndef __linux__
static void a_wall_clock_that_is_set_moves_no_deadline(void)
{
    test_skipped("only Linux lets a program stand before the system's clock");
}
#else

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int clock_is_wild, wild_readings;

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME && __atomic_load_n(&clock_is_wild, __ATOMIC_SEQ_CST)) {
        /* Forth by up to ten years, and back, at each reading. */
        int reading = __atomic_add_fetch(&wild_readings, 1, __ATOMIC_SEQ_CST);
        time->tv_sec += (reading % 11 - 5) * (time_t)63072000;
    }
    return result;
}

static uint64_t strange_times;

static void see_times(const rr_completion *completion, const char *text, void *context)
{
    const uint64_t longest = 5000000000u;
    count_completion(completion, text, context);
    if (completion->duration_ns > longest || completion->rtt_last_ns > (int64_t)longest ||
        completion->rtt_last_ns < -1) {
        strange_times++;
    }
}

static void run_short(void *context, rr_worker worker)
{
    rr_call call;
    (void)context;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        sleep_ms(1);
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            return;
        }
    }
}

static void sweep_by_a_wild_clock(bool echoes)
{
    uint16_t port = refused_port();
    rr_pool_options options = pool_options();
    rr_probe_options echo = echo_options();
    rr_probe_options tcp = connect_options(&port, 1);
    int64_t begin;
    rr_pool pool = 0;
    tally sum;
    memset(&sum, 0, sizeof sum);
    options.run = run_short;
    options.job_limit_ms = 20000;
    options.run_limit_ms = 30000;
    echo.flags = RR_PROBE_STATISTICS;
    echo.count = 3;
    echo.interval_ms = 20;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 100, NULL));
    REQUIRE(now_ms() - begin >= 99);
    submit_calls(pool, 0, 50);
    submit_one(pool, &tcp, "127.0.0.1-50", 1);
    submit_one(pool, &tcp, "localhost", 2);
    if (echoes) {
        submit_one(pool, &echo, "127.0.0.0/24", 3);
    }
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    collect_to_the_end(pool, see_times, &sum);
    close_pool(pool);
    REQUIRE_EQUAL(50, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(51, sum.outcomes[RR_OUTCOME_REFUSED]);
    REQUIRE_EQUAL(echoes ? 254 : 0, sum.outcomes[RR_OUTCOME_SUCCESS]);
    REQUIRE_EQUAL(0, strange_times);
}

/* The run limit passes when its time has come, neither at once nor never. */
static void limit_by_a_wild_clock(void)
{
    rr_pool_options options = pool_options();
    rr_pool pool = 0;
    int64_t begin = now_ms();
    options.run_limit_ms = 200;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 10000, NULL));
    REQUIRE(now_ms() - begin >= 199);
    REQUIRE(now_ms() - begin < 5000);
    close_pool(pool);
}

static void a_wall_clock_that_is_set_moves_no_deadline(void)
{
    bool echoes = may_echo();
    if (!echoes) {
        test_skipped("");
    }
    strange_times = 0;
    wild_readings = 0;
    __atomic_store_n(&clock_is_wild, 1, __ATOMIC_SEQ_CST);
    sweep_by_a_wild_clock(echoes);
    limit_by_a_wild_clock();
    __atomic_store_n(&clock_is_wild, 0, __ATOMIC_SEQ_CST);
    REQUIRE_NO_FAILURE();
    if (wild_readings == 0) {
        test_skipped("the library asks for the time past this program");
    }
}
#endif

void run_clock_tests(void) { RUN(a_wall_clock_that_is_set_moves_no_deadline); }
