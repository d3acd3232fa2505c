/* What passes between the caller's memory and the pool: polling, counts, strides, text buffers. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

/* An element of an array of a caller that knows a later, longer version of a struct. */
typedef struct {
    rr_target known;
    uint64_t later[2];
} long_target;

typedef struct {
    rr_completion known;
    uint64_t later;
} long_completion;

static void poll_times_out_where_nothing_happens(void)
{
    rr_pool pool = open_pool();
    rr_pool_counts counts;
    int64_t begin;
    memset(&counts, 0xee, sizeof counts);
    counts.struct_size = sizeof counts;
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 50, &counts));
    REQUIRE(now_ms() - begin >= 49);
    REQUIRE_EQUAL(sizeof counts, counts.struct_size);
    REQUIRE_EQUAL(0, counts.flags);
    REQUIRE_EQUAL(0, counts.submitted);
    REQUIRE_EQUAL(0, counts.ready);
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 0, NULL));
    close_pool(pool);
}

static void poll_of_an_empty_closed_pool_is_closed(void)
{
    rr_pool pool = open_pool();
    rr_pool_counts counts;
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    REQUIRE_EQUAL(RR_STATUS_CLOSED, rr_pool_poll(pool, UINT64_MAX, &counts));
    REQUIRE_EQUAL(RR_POOL_INPUT_CLOSED, counts.flags);
    close_pool(pool);
}

static void poll_counts_what_happened(void)
{
    rr_probe_options options = echo_options();
    rr_pool_counts counts;
    rr_pool pool;
    tally sum;
    if (!may_echo()) {
        return;
    }
    memset(&sum, 0, sizeof sum);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1-20", 0);
    do {
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, &counts));
    } while (counts.finished < 20);
    REQUIRE_EQUAL(20, counts.submitted);
    REQUIRE_EQUAL(20, counts.begun);
    REQUIRE_EQUAL(20, counts.ready);
    REQUIRE(counts.packets_sent >= 20);
    REQUIRE_EQUAL(0, counts.workers);
    REQUIRE_EQUAL(20, collect_ready(pool, count_completion, &sum));
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 0, &counts));
    REQUIRE_EQUAL(0, counts.ready);
    REQUIRE_EQUAL(20, counts.finished);
    close_pool(pool);
}

static void a_wake_up_before_the_poll_is_kept(void)
{
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_wake(pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, NULL));
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 0, NULL));
    close_pool(pool);
}

static void later_fields_of_targets_stay_untouched(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    long_target targets[2];
    size_t taken = 0;
    rr_pool pool = open_pool();
    for (size_t i = 0; i < 2; i++) {
        targets[i].known = target_of("127.0.0.1", i);
        memset(targets[i].later, 0x5a, sizeof targets[i].later);
    }
    REQUIRE_EQUAL(RR_STATUS_OK,
                  rr_pool_submit_probes(pool, &options, &targets[0].known, 2, sizeof targets[0],
                                        (const uint8_t *)"127.0.0.1", 9, &taken));
    REQUIRE_EQUAL(2, taken);
    for (size_t i = 0; i < 2; i++) {
        REQUIRE_EQUAL(1, targets[i].known.jobs);
        REQUIRE(targets[i].later[0] == 0x5a5a5a5a5a5a5a5au);
        REQUIRE(targets[i].later[1] == 0x5a5a5a5a5a5a5a5au);
    }
    REQUIRE_EQUAL(2, finish_pool(pool).jobs);
}

static void later_fields_of_completions_stay_untouched(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    long_completion completions[4];
    uint8_t text[4096];
    size_t seen = 0;
    rr_pool pool = open_pool();
    memset(completions, 0x5a, sizeof completions);
    submit_one(pool, &options, "127.0.0.1-3", 42);
    while (seen < 3) {
        size_t count = 0;
        size_t used = 0;
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, NULL));
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_collect(pool, &completions[seen].known, 4 - seen,
                                                    sizeof completions[0], text, sizeof text,
                                                    &count, &used));
        seen += count;
    }
    close_pool(pool);
    for (size_t i = 0; i < 3; i++) {
        REQUIRE_EQUAL(42, completions[i].known.user_data);
        REQUIRE_EQUAL(RR_OUTCOME_REFUSED, completions[i].known.outcome);
        REQUIRE(completions[i].later == 0x5a5a5a5a5a5a5a5au);
    }
    REQUIRE(completions[3].known.user_data == 0x5a5a5a5a5a5a5a5au);
}

static void a_small_text_buffer_says_what_it_needs(void)
{
    rr_probe_options options = echo_options();
    rr_completion completion;
    uint8_t text[4096];
    size_t count = 99;
    size_t needed = 0;
    size_t used = 0;
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    options.flags = RR_PROBE_RESOLVE;
    pool = open_pool();
    submit_one(pool, &options, "localhost", 9);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 10000, NULL));
    REQUIRE_EQUAL(RR_STATUS_BUFFER_TOO_SMALL,
                  rr_pool_collect(pool, &completion, 1, sizeof completion, NULL, 0, &count,
                                  &needed));
    REQUIRE_EQUAL(0, count);
    REQUIRE(needed > 0 && needed <= sizeof text);
    REQUIRE_EQUAL(RR_STATUS_BUFFER_TOO_SMALL,
                  rr_pool_collect(pool, &completion, 1, sizeof completion, text, needed - 1,
                                  &count, &used));
    REQUIRE_EQUAL(0, count);
    REQUIRE_EQUAL(needed, used);
    memset(text, 0x5a, sizeof text);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_collect(pool, &completion, 1, sizeof completion, text,
                                                needed, &count, &used));
    REQUIRE_EQUAL(1, count);
    REQUIRE_EQUAL(needed, used);
    REQUIRE_EQUAL(0x5a, text[needed]);
    REQUIRE_EQUAL(9, completion.user_data);
    REQUIRE(completion.host_name_length > 0);
    REQUIRE(completion.host_name_offset + completion.host_name_length <= used);
    REQUIRE(completion.addresses_offset + completion.addresses_length <= used);
    close_pool(pool);
}

static void a_text_buffer_for_one_takes_one_at_a_time(void)
{
    enum { HOSTS = 3 };
    rr_probe_options options = echo_options();
    rr_completion completions[HOSTS];
    uint8_t text[4096];
    uint64_t seen = 0;
    rr_pool pool;
    rr_pool_counts counts;
    if (!may_echo()) {
        return;
    }
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    options.flags = RR_PROBE_RESOLVE;
    pool = open_pool();
    for (uint64_t i = 0; i < HOSTS; i++) {
        submit_one(pool, &options, "localhost", i);
    }
    do {
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 10000, &counts));
    } while (counts.ready < HOSTS);
    while (seen < HOSTS) {
        size_t count = 0;
        size_t needed = 0;
        REQUIRE_EQUAL(RR_STATUS_BUFFER_TOO_SMALL,
                      rr_pool_collect(pool, completions, HOSTS, sizeof completions[0], NULL, 0,
                                      &count, &needed));
        REQUIRE_EQUAL(RR_STATUS_OK,
                      rr_pool_collect(pool, completions, HOSTS, sizeof completions[0], text,
                                      needed, &count, &needed));
        REQUIRE_EQUAL(1, count);
        seen++;
    }
    close_pool(pool);
}

static void completions_without_texts_need_no_text_buffer(void)
{
    rr_probe_options options = echo_options();
    rr_completion completion;
    size_t count = 0;
    size_t used = 99;
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1", 5);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, NULL));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_collect(pool, &completion, 1, sizeof completion, NULL, 0,
                                                &count, &used));
    REQUIRE_EQUAL(1, count);
    REQUIRE_EQUAL(0, used);
    REQUIRE_EQUAL(0, completion.host_name_length);
    REQUIRE_EQUAL(0, completion.detail_length);
    close_pool(pool);
}

static void collect_takes_no_more_than_its_capacity(void)
{
    enum { HOSTS = 25 };
    rr_probe_options options = echo_options();
    rr_pool_counts counts;
    rr_completion completion;
    size_t count = 99;
    size_t used = 99;
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1-25", 0);
    do {
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, &counts));
    } while (counts.ready < HOSTS);
    REQUIRE_EQUAL(RR_STATUS_OK,
                  rr_pool_collect(pool, NULL, 0, sizeof completion, NULL, 0, &count, &used));
    REQUIRE_EQUAL(0, count);
    for (size_t left = HOSTS; left > 0; left--) {
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_collect(pool, &completion, 1, sizeof completion, NULL,
                                                    0, &count, &used));
        REQUIRE_EQUAL(1, count);
        rr_pool_poll(pool, 0, &counts);
        REQUIRE_EQUAL(left - 1, counts.ready);
    }
    close_pool(pool);
}

static void a_full_pool_says_again_until_it_is_collected(void)
{
    enum { BLOCK = 131070, FULL = 65536 };
    rr_probe_options options = echo_options();
    rr_pool_counts counts;
    rr_target target = target_of("127.0.0.1", 1);
    size_t taken = 99;
    rr_pool pool;
    tally sum;
    if (getenv("TEST_SLOW_ECHO")) {
        test_skipped("131,070 echo requests take over a minute on this system");
        return;
    }
    if (!may_echo()) {
        return;
    }
    memset(&sum, 0, sizeof sum);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    pool = open_pool();
    REQUIRE_EQUAL(BLOCK, submit_one(pool, &options, "127.0.0.0/15", 0));
    while (counts.ready < FULL) {
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, &counts));
        sleep_ms(5);
    }
    REQUIRE_EQUAL(RR_STATUS_AGAIN,
                  rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                                        (const uint8_t *)"127.0.0.1", 9, &taken));
    REQUIRE_EQUAL(0, taken);
    REQUIRE(counts.begun < BLOCK);
    while (sum.completions < BLOCK) {
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, &counts));
        collect_ready(pool, count_completion, &sum);
        REQUIRE_NO_FAILURE();
    }
    REQUIRE_EQUAL(1, submit_one(pool, &options, "127.0.0.1", 1));
    REQUIRE_EQUAL(1, finish_pool(pool).jobs);
    REQUIRE_EQUAL(BLOCK, sum.outcomes[RR_OUTCOME_SUCCESS]);
}

void run_buffer_tests(void)
{
    RUN(poll_times_out_where_nothing_happens);
    RUN(poll_of_an_empty_closed_pool_is_closed);
    RUN(poll_counts_what_happened);
    RUN(a_wake_up_before_the_poll_is_kept);
    RUN(later_fields_of_targets_stay_untouched);
    RUN(later_fields_of_completions_stay_untouched);
    RUN(a_small_text_buffer_says_what_it_needs);
    RUN(a_text_buffer_for_one_takes_one_at_a_time);
    RUN(completions_without_texts_need_no_text_buffer);
    RUN(collect_takes_no_more_than_its_capacity);
    RUN(a_full_pool_says_again_until_it_is_collected);
}
