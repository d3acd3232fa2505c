/* Wrong arguments to every function: NULL in every position, sizes, numbers out of range, states. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t *const text = (const uint8_t *)"127.0.0.1";
enum { TEXT_LENGTH = 9 };

static void run_nothing(void *context, rr_worker worker)
{
    rr_call call;
    (void)context;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        rr_worker_finish(worker, RR_OUTCOME_COMPLETED);
    }
}

static void open_refuses_null(void)
{
    rr_pool_options options = pool_options();
    rr_pool pool = 77;
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_open(NULL, &pool));
    REQUIRE_EQUAL(77, pool);
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_open(&options, NULL));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_open(NULL, NULL));
}

static void open_refuses_wrong_sizes(void)
{
    rr_pool_options options = pool_options();
    rr_pool pool = 77;
    for (uint32_t size = 0; size < sizeof options; size++) {
        if (size != offsetof(rr_pool_options, paused)) { /* the first version's */
            options.struct_size = size;
            REQUIRE_EQUAL(RR_STATUS_BAD_SIZE, rr_pool_open(&options, &pool));
        }
    }
    REQUIRE_EQUAL(77, pool);
}

/* A caller that was compiled against a later header. */
static void open_takes_longer_structs(void)
{
    struct {
        rr_pool_options known;
        uint64_t later[4];
    } options;
    rr_pool pool = 0;
    memset(&options, 0, sizeof options);
    options.known.struct_size = sizeof options;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options.known, &pool));
    close_pool(pool);
}

static void open_refuses_numbers_out_of_range(void)
{
    rr_pool_options options = pool_options();
    rr_pool pool = 77;
    options.max_workers = 1025;
    REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT, rr_pool_open(&options, &pool));
    options = pool_options();
    options.apartment = 3;
    REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT, rr_pool_open(&options, &pool));
    REQUIRE_EQUAL(77, pool);
}

static void apartments_are_supported_on_windows_alone(void)
{
    static const uint32_t apartments[] = {RR_APARTMENT_STA, RR_APARTMENT_MTA};
    for (size_t i = 0; i < sizeof apartments / sizeof apartments[0]; i++) {
        rr_pool_options options = pool_options();
        rr_pool pool = 77;
        options.run = run_nothing;
        options.apartment = apartments[i];
#ifdef _WIN32
        REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
        close_pool(pool);
#else
        REQUIRE_EQUAL(RR_STATUS_NOT_SUPPORTED, rr_pool_open(&options, &pool));
        REQUIRE_EQUAL(77, pool);
#endif
    }
}

static void submit_probes_refuses_null(void)
{
    uint16_t port = 1;
    rr_probe_options options = connect_options(&port, 1);
    rr_probe_options no_ports = connect_options(NULL, 1);
    rr_target target = target_of("127.0.0.1", 0);
    size_t taken = 77;
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_probes(pool, NULL, &target, 1,
                  sizeof target, text, TEXT_LENGTH, &taken));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_probes(pool, &options, NULL, 1,
                  sizeof target, text, TEXT_LENGTH, &taken));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_probes(pool, &options, &target, 1,
                  sizeof target, NULL, TEXT_LENGTH, &taken));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_probes(pool, &options, &target, 1,
                  sizeof target, text, TEXT_LENGTH, NULL));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_probes(pool, &no_ports, &target, 1,
                  sizeof target, text, TEXT_LENGTH, &taken));
    REQUIRE_EQUAL(77, taken);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_submit_probes(pool, &options, NULL, 0, sizeof target,
                  NULL, 0, &taken));
    REQUIRE_EQUAL(0, taken);
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

static void submit_probes_refuses_wrong_sizes(void)
{
    static const size_t wrong[] = {0, 1, sizeof(rr_target) - 8, sizeof(rr_target) - 1,
                                   sizeof(rr_target) + 1, sizeof(rr_target) + 4};
    uint16_t port = 1;
    rr_probe_options options = connect_options(&port, 1);
    rr_target target = target_of("127.0.0.1", 0);
    size_t taken = 77;
    rr_pool pool = open_pool();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        REQUIRE_EQUAL(RR_STATUS_BAD_SIZE, rr_pool_submit_probes(pool, &options, &target, 1,
                      wrong[i], text, TEXT_LENGTH, &taken));
    }
    for (uint32_t size = 0; size < sizeof options; size++) {
        options.struct_size = size;
        REQUIRE_EQUAL(RR_STATUS_BAD_SIZE, rr_pool_submit_probes(pool, &options, &target, 1,
                      sizeof target, text, TEXT_LENGTH, &taken));
    }
    REQUIRE_EQUAL(77, taken);
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

/* One wrong field in options that are right otherwise. */
static void submit_probes_refuses_numbers_out_of_range(void)
{
    static const uint16_t good_port = 1;
    static const uint16_t bad_port = 0;
    enum { COUNT = 11 };
    rr_probe_options wrong[COUNT];
    rr_target target = target_of("127.0.0.1", 0);
    size_t taken = 77;
    rr_pool pool = open_pool();
    for (size_t i = 0; i < COUNT; i++) {
        wrong[i] = echo_options();
    }
    wrong[0].kind = 0;
    wrong[1].kind = RR_KIND_CALL;
    wrong[2].flags = 0x80000000u;
    wrong[3].count = 1001;
    wrong[4].payload_size = 65501;
    wrong[5].hops = 256;
    wrong[6].family = 5;
    wrong[7] = connect_options(&good_port, 0);
    wrong[8] = connect_options(&bad_port, 1);
    wrong[9].port_count = 1;
    wrong[9].ports = &good_port;
    wrong[10] = connect_options(&good_port, 65536);
    for (size_t i = 0; i < COUNT; i++) {
        rr_status status = rr_pool_submit_probes(pool, &wrong[i], &target, 1, sizeof target, text,
                                                 TEXT_LENGTH, &taken);
        if (status != RR_STATUS_INVALID_ARGUMENT) {
            test_failed(__FILE__, __LINE__, "options %u: %d", (unsigned)i, (int)status);
        }
    }
    REQUIRE_EQUAL(77, taken);
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

static void texts_outside_the_buffer_end_the_submission_there(void)
{
    static const uint32_t wrong[][2] = {{0, TEXT_LENGTH + 1}, {TEXT_LENGTH, 1},
                                        {TEXT_LENGTH + 1, 0}, {UINT32_MAX, 1},
                                        {1, UINT32_MAX},      {UINT32_MAX, UINT32_MAX}};
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    uint64_t accepted = 0;
    rr_pool pool = open_pool();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rr_target targets[3];
        size_t taken = 77;
        for (size_t t = 0; t < 3; t++) {
            targets[t] = target_of("127.0.0.1", t);
        }
        targets[1].text_offset = wrong[i][0];
        targets[1].text_length = wrong[i][1];
        REQUIRE_EQUAL(RR_STATUS_INVALID_ARGUMENT,
                      rr_pool_submit_probes(pool, &options, targets, 3, sizeof targets[0], text,
                                            TEXT_LENGTH, &taken));
        REQUIRE_EQUAL(1, taken);
        REQUIRE_EQUAL(1, targets[0].jobs);
        REQUIRE_EQUAL(0, targets[2].jobs);
        accepted++;
    }
    REQUIRE_EQUAL(accepted, finish_pool(pool).jobs);
}

static void very_long_texts_are_no_targets(void)
{
    enum { LONG = 1 << 20 };
    uint16_t port = 1;
    rr_probe_options options = connect_options(&port, 1);
    rr_target target = target_of("", 0);
    size_t taken = 0;
    rr_pool pool = open_pool();
    uint8_t *name = malloc(LONG);
    REQUIRE(name != NULL);
    memset(name, 'a', LONG);
    target.text_length = LONG;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                  name, LONG, &taken));
    REQUIRE_EQUAL(RR_STATUS_INVALID_TARGET, target.status);
    free(name);
    close_pool(pool);
}

static void submit_calls_refuses_null(void)
{
    rr_pool_options options = pool_options();
    uint64_t call = 0;
    size_t taken = 77;
    rr_pool pool = 0;
    options.run = run_nothing;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_calls(pool, NULL, 1, &taken));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_submit_calls(pool, &call, 1, NULL));
    REQUIRE_EQUAL(77, taken);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_submit_calls(pool, NULL, 0, &taken));
    REQUIRE_EQUAL(0, taken);
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

static void a_pool_for_probes_takes_no_calls(void)
{
    uint64_t call = 0;
    size_t taken = 77;
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_BAD_STATE, rr_pool_submit_calls(pool, &call, 1, &taken));
    REQUIRE_EQUAL(77, taken);
    close_pool(pool);
}

static void a_closed_input_takes_nothing(void)
{
    uint16_t port = 1;
    rr_probe_options probes = connect_options(&port, 1);
    rr_target target = target_of("127.0.0.1", 0);
    rr_pool_options options = pool_options();
    uint64_t call = 0;
    size_t taken = 77;
    rr_pool pool = 0;
    options.run = run_nothing;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    REQUIRE_EQUAL(RR_STATUS_BAD_STATE, rr_pool_submit_probes(pool, &probes, &target, 1,
                  sizeof target, text, TEXT_LENGTH, &taken));
    REQUIRE_EQUAL(RR_STATUS_BAD_STATE, rr_pool_submit_calls(pool, &call, 1, &taken));
    REQUIRE_EQUAL(77, taken);
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

static void poll_refuses_wrong_sizes(void)
{
    rr_pool_counts counts;
    rr_pool pool = open_pool();
    memset(&counts, 0x5a, sizeof counts);
    for (uint32_t size = 0; size < sizeof counts; size++) {
        if (size >= offsetof(rr_pool_counts, packets_not_sent) && size % 8 == 0) {
            continue; /* the first version's, or a later one's */
        }
        counts.struct_size = size;
        REQUIRE_EQUAL(RR_STATUS_BAD_SIZE, rr_pool_poll(pool, 0, &counts));
        REQUIRE_EQUAL(size, counts.struct_size);
        REQUIRE(counts.submitted == 0x5a5a5a5a5a5a5a5au);
    }
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 0, NULL));
    close_pool(pool);
}

static void collect_refuses_null(void)
{
    rr_completion completion;
    uint8_t bytes[64];
    size_t count = 77;
    size_t used = 77;
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_collect(pool, NULL, 1, sizeof completion, bytes,
                  sizeof bytes, &count, &used));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_collect(pool, &completion, 1, sizeof completion,
                  NULL, 1, &count, &used));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_collect(pool, &completion, 1, sizeof completion,
                  bytes, sizeof bytes, NULL, &used));
    REQUIRE_EQUAL(RR_STATUS_NULL_POINTER, rr_pool_collect(pool, &completion, 1, sizeof completion,
                  bytes, sizeof bytes, &count, NULL));
    REQUIRE_EQUAL(77, count);
    REQUIRE_EQUAL(77, used);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_collect(pool, NULL, 0, sizeof completion, NULL, 0, &count,
                  &used));
    REQUIRE_EQUAL(0, count);
    REQUIRE_EQUAL(0, used);
    close_pool(pool);
}

static void collect_refuses_wrong_sizes(void)
{
    static const size_t wrong[] = {0,
                                   1,
                                   offsetof(rr_completion, answered_from) - 8,
                                   offsetof(rr_completion, answered_from) - 1,
                                   sizeof(rr_completion) + 1,
                                   sizeof(rr_completion) + 4};
    rr_completion completion;
    uint8_t bytes[64];
    size_t count = 77;
    size_t used = 77;
    rr_pool pool = open_pool();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        REQUIRE_EQUAL(RR_STATUS_BAD_SIZE, rr_pool_collect(pool, &completion, 1, wrong[i], bytes,
                      sizeof bytes, &count, &used));
    }
    REQUIRE_EQUAL(77, count);
    REQUIRE_EQUAL(77, used);
    close_pool(pool);
}

static void every_status_has_one_line(void)
{
    static const rr_status known[] = {
        RR_STATUS_OK, RR_STATUS_TIMEOUT, RR_STATUS_AGAIN, RR_STATUS_CLOSED,
        RR_STATUS_INVALID_ARGUMENT, RR_STATUS_NULL_POINTER, RR_STATUS_BAD_HANDLE,
        RR_STATUS_BAD_SIZE, RR_STATUS_BUSY, RR_STATUS_WOULD_DEADLOCK, RR_STATUS_INVALID_TARGET,
        RR_STATUS_TOO_MANY_ADDRESSES, RR_STATUS_BUFFER_TOO_SMALL, RR_STATUS_BAD_STATE,
        RR_STATUS_NO_RESOURCES, RR_STATUS_NO_THREADS, RR_STATUS_ICMP_NOT_PERMITTED,
        RR_STATUS_NOT_SUPPORTED, RR_STATUS_PANIC};
    enum { COUNT = sizeof known / sizeof known[0] };
    for (size_t i = 0; i < COUNT; i++) {
        const char *message = rr_status_message(known[i]);
        REQUIRE(strlen(message) > 0);
        REQUIRE(strchr(message, '\n') == NULL);
        REQUIRE(message[strlen(message) - 1] != '.');
        for (size_t other = 0; other < i; other++) {
            REQUIRE(strcmp(message, rr_status_message(known[other])) != 0);
        }
    }
    REQUIRE(strlen(rr_status_message(INT32_MIN)) > 0);
    REQUIRE(strlen(rr_status_message(INT32_MAX)) > 0);
}

void run_misuse_tests(void)
{
    RUN(open_refuses_null);
    RUN(open_refuses_wrong_sizes);
    RUN(open_takes_longer_structs);
    RUN(open_refuses_numbers_out_of_range);
    RUN(apartments_are_supported_on_windows_alone);
    RUN(submit_probes_refuses_null);
    RUN(submit_probes_refuses_wrong_sizes);
    RUN(submit_probes_refuses_numbers_out_of_range);
    RUN(texts_outside_the_buffer_end_the_submission_there);
    RUN(very_long_texts_are_no_targets);
    RUN(submit_calls_refuses_null);
    RUN(a_pool_for_probes_takes_no_calls);
    RUN(a_closed_input_takes_nothing);
    RUN(poll_refuses_wrong_sizes);
    RUN(collect_refuses_null);
    RUN(collect_refuses_wrong_sizes);
    RUN(every_status_has_one_line);
}
