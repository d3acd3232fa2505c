/* Callers that were compiled against an earlier header: their structs are shorter at the end. */
#include "engine.h"

#include <stddef.h>
#include <string.h>

/* The first version of each struct that has grown since. */
enum {
    FIRST_OPTIONS = offsetof(rr_pool_options, paused),
    FIRST_COUNTS = offsetof(rr_pool_counts, packets_not_sent),
    FIRST_COMPLETION = offsetof(rr_completion, answered_from)
};

static void run_slowly(void *context, rr_worker worker)
{
    rr_call call;
    (void)context;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        sleep_ms(2);
        rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    }
}

static uint64_t count_question(void *context)
{
    add_one(context);
    return 0;
}

/* Jobs wait for workers, so a host that has `paused` would be asked every few milliseconds. */
static void options_without_their_later_fields_are_taken(void)
{
    rr_pool_options options = pool_options();
    int questions = 0;
    rr_pool pool = 0;
    options.struct_size = FIRST_OPTIONS;
    options.max_workers = 2;
    options.run = run_slowly;
    options.context = &questions;
    options.paused = count_question; /* behind the end of the caller's struct */
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    submit_calls(pool, 0, 40);
    REQUIRE_EQUAL(40, finish_pool(pool).outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(0, read_value(&questions));
}

static void nothing_is_written_behind_shorter_counts(void)
{
    rr_pool_counts counts;
    unsigned char expected[sizeof counts - FIRST_COUNTS];
    rr_pool pool = open_pool();
    memset(&counts, 0x5a, sizeof counts);
    memset(expected, 0x5a, sizeof expected);
    counts.struct_size = FIRST_COUNTS;
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 0, &counts));
    close_pool(pool);
    REQUIRE_EQUAL(FIRST_COUNTS, counts.struct_size);
    REQUIRE_EQUAL(0, counts.submitted);
    REQUIRE_EQUAL(0, counts.workers_abandoned);
    REQUIRE(memcmp((unsigned char *)&counts + FIRST_COUNTS, expected, sizeof expected) == 0);
}

static void shorter_completions_lie_side_by_side(void)
{
    enum { HOSTS = 3 };
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    uint64_t memory[(HOSTS + 1) * FIRST_COMPLETION / 8];
    unsigned char *completions = (unsigned char *)memory;
    uint8_t text[4096];
    size_t seen = 0;
    rr_pool pool = open_pool();
    memset(memory, 0x5a, sizeof memory);
    submit_one(pool, &options, "127.0.0.1-3", 42);
    while (seen < HOSTS) {
        size_t count = 0;
        size_t used = 0;
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, NULL));
        REQUIRE_EQUAL(RR_STATUS_OK,
                      rr_pool_collect(pool,
                                      (rr_completion *)(void *)(completions +
                                                                seen * FIRST_COMPLETION),
                                      HOSTS - seen, FIRST_COMPLETION, text, sizeof text, &count,
                                      &used));
        seen += count;
    }
    close_pool(pool);
    for (size_t i = 0; i < HOSTS; i++) {
        uint64_t user_data;
        uint32_t outcome;
        memcpy(&user_data, completions + i * FIRST_COMPLETION, sizeof user_data);
        memcpy(&outcome, completions + i * FIRST_COMPLETION + offsetof(rr_completion, outcome),
               sizeof outcome);
        REQUIRE_EQUAL(42, user_data);
        REQUIRE_EQUAL(RR_OUTCOME_REFUSED, outcome);
    }
    REQUIRE(memory[HOSTS * FIRST_COMPLETION / 8] == 0x5a5a5a5a5a5a5a5au);
}

void run_version_tests(void)
{
    RUN(options_without_their_later_fields_are_taken);
    RUN(nothing_is_written_behind_shorter_counts);
    RUN(shorter_completions_lie_side_by_side);
}
