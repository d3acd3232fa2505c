/* Sweeps as a program would do them: blocks, literals, names, ports; what a completion says. */
#include "engine.h"

#include <string.h>
#include <unistd.h>

/* 127.0.0.0/24 without network and broadcast address. */
enum { BLOCK = 254 };

typedef struct {
    unsigned char seen[BLOCK];
    bool wrong;
} block;

static void see_block(const rr_completion *completion, const char *text, void *context)
{
    block *all = context;
    (void)text;
    if (completion->index >= BLOCK || completion->jobs != 1 || completion->family != 4 ||
        completion->outcome != RR_OUTCOME_SUCCESS || completion->kind != RR_KIND_ECHO ||
        completion->user_data != 7 || completion->address[0] != 127 ||
        completion->address[3] != completion->index + 1 || completion->sent < 1 ||
        completion->received < 1 || completion->rtt_last_ns < 0 || completion->port != 0 ||
        completion->reserved != 0 || completion->finished_unix_ns <= 0 || completion->ttl < 1) {
        all->wrong = true;
        return;
    }
    all->seen[completion->index]++;
}

static void sweeps_a_block(void)
{
    rr_probe_options options = echo_options();
    block all;
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    memset(&all, 0, sizeof all);
    pool = open_pool();
    REQUIRE_EQUAL(BLOCK, submit_one(pool, &options, "127.0.0.0/24", 7));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    collect_to_the_end(pool, see_block, &all);
    close_pool(pool);
    REQUIRE(!all.wrong);
    for (size_t i = 0; i < BLOCK; i++) {
        REQUIRE_EQUAL(1, all.seen[i]);
    }
}

static void sweeps_ipv6_loopback(void)
{
    static const uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    rr_probe_options options = echo_options();
    rr_pool pool;
    tally sum;
#ifndef _WIN32
    if (access("/proc/net/if_inet6", F_OK) != 0) {
        test_skipped("no IPv6 on this machine");
        return;
    }
#endif
    if (!may_echo()) {
        return;
    }
    pool = open_pool();
    REQUIRE_EQUAL(1, submit_one(pool, &options, "::1", 1));
    sum = finish_pool(pool);
    /* ERROR_CALL_NOT_IMPLEMENTED: what Wine says of Icmp6CreateFile. */
    if (sum.outcomes[RR_OUTCOME_FAILED] == 1 && sum.last.os_error == 120) {
        test_skipped("the system has no ICMPv6 requests");
        return;
    }
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_SUCCESS]);
    REQUIRE_EQUAL(6, sum.last.family);
    REQUIRE_EQUAL(0, sum.last.scope_id);
    REQUIRE(memcmp(sum.last.address, loopback, sizeof loopback) == 0);
}

static void sweeps_a_range_of_addresses(void)
{
    rr_probe_options options = echo_options();
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    pool = open_pool();
    REQUIRE_EQUAL(8, submit_one(pool, &options, "127.0.0.3-127.0.0.10", 0));
    REQUIRE_EQUAL(5, submit_one(pool, &options, "127.0.0.1-5", 1));
    REQUIRE_EQUAL(13, finish_pool(pool).outcomes[RR_OUTCOME_SUCCESS]);
}

static void looks_up_a_name_and_tells_its_addresses(void)
{
    rr_probe_options options = echo_options();
    rr_target target = target_of("localhost", 3);
    size_t taken = 0;
    rr_pool pool;
    tally sum;
    if (!may_echo()) {
        return;
    }
    options.flags = RR_PROBE_RESOLVE;
    pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_OK,
                  rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                                        (const uint8_t *)"localhost", 9, &taken));
    REQUIRE_EQUAL(1, taken);
    REQUIRE_EQUAL(RR_TARGET_NAME, target.flags);
    sum = finish_pool(pool);
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_SUCCESS]);
    REQUIRE(strlen(sum.host_name) > 0);
    REQUIRE(strstr(sum.addresses, "127.0.0.1") || strstr(sum.addresses, "::1"));
}

static void looks_up_a_name_in_the_family_asked_for(void)
{
    rr_probe_options options = echo_options();
    rr_pool pool;
    tally sum;
    if (!may_echo()) {
        return;
    }
    options.family = 4;
    pool = open_pool();
    submit_one(pool, &options, "localhost", 0);
    sum = finish_pool(pool);
    REQUIRE_EQUAL(4, sum.last.family);
    REQUIRE_EQUAL(127, sum.last.address[0]);
}

static void look_up_what_does_not_exist(const char *name)
{
    rr_probe_options options = echo_options();
    rr_pool pool;
    tally sum;
    if (!may_echo()) {
        return;
    }
    pool = open_pool();
    REQUIRE_EQUAL(1, submit_one(pool, &options, name, 0));
    sum = finish_pool(pool);
    /* Without a working resolver there is no answer at all. */
    REQUIRE_EQUAL(1, sum.outcomes[RR_OUTCOME_NAME_NOT_FOUND] +
                         sum.outcomes[RR_OUTCOME_NAME_LOOKUP_TIMED_OUT]);
    REQUIRE_EQUAL(0, sum.last.family);
    REQUIRE_EQUAL(0, sum.last.sent);
    REQUIRE_EQUAL(-1, sum.last.rtt_last_ns);
}

static void says_that_a_name_does_not_exist(void)
{
    look_up_what_does_not_exist("no-such-host.invalid");
}

/* Where the C library converts such names, and where it refuses to be asked for that, as musl. */
static void says_that_a_name_beyond_ascii_does_not_exist(void)
{
    look_up_what_does_not_exist("b\xc3\xbc" "cher.invalid");
}

static void tells_open_from_refused_ports(void)
{
    uint16_t ports[2];
    rr_pool pool;
    int listener = listen_on_loopback(&ports[0]);
    rr_probe_options options = connect_options(ports, 2);
    tally first, second;
    REQUIRE_NO_FAILURE();
    ports[1] = refused_port();

    options.port_count = 1;
    pool = open_pool();
    REQUIRE_EQUAL(1, submit_one(pool, &options, "127.0.0.1", 0));
    first = finish_pool(pool);

    options.ports = &ports[1];
    pool = open_pool();
    REQUIRE_EQUAL(1, submit_one(pool, &options, "127.0.0.1", 0));
    second = finish_pool(pool);
    close_socket(listener);

    REQUIRE_EQUAL(1, first.outcomes[RR_OUTCOME_SUCCESS]);
    REQUIRE_EQUAL(ports[0], first.last.port);
    REQUIRE_EQUAL(RR_KIND_CONNECT, first.last.kind);
    REQUIRE(first.last.rtt_last_ns >= 0);
    REQUIRE_EQUAL(1, second.outcomes[RR_OUTCOME_REFUSED]);
    REQUIRE_EQUAL(ports[1], second.last.port);
}

typedef struct {
    uint16_t ports[2];
    unsigned char seen[8];
    bool wrong;
} grid;

static void see_grid(const rr_completion *completion, const char *text, void *context)
{
    grid *all = context;
    uint64_t index = completion->index;
    (void)text;
    if (index >= sizeof all->seen || completion->address[3] != index / 2 + 1 ||
        completion->port != all->ports[index % 2]) {
        all->wrong = true;
        return;
    }
    all->seen[index]++;
}

static void index_is_address_times_ports_plus_port(void)
{
    grid all;
    rr_probe_options options;
    rr_pool pool = open_pool();
    memset(&all, 0, sizeof all);
    all.ports[0] = refused_port();
    do {
        all.ports[1] = refused_port();
    } while (all.ports[1] == all.ports[0]);
    options = connect_options(all.ports, 2);
    REQUIRE_EQUAL(8, submit_one(pool, &options, "127.0.0.1-4", 0));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    collect_to_the_end(pool, see_grid, &all);
    close_pool(pool);
    REQUIRE(!all.wrong);
    for (size_t i = 0; i < sizeof all.seen; i++) {
        REQUIRE_EQUAL(1, all.seen[i]);
    }
}

static void statistics_send_every_attempt(void)
{
    rr_probe_options options = echo_options();
    rr_pool pool;
    tally sum;
    if (!may_echo()) {
        return;
    }
    options.flags = RR_PROBE_STATISTICS;
    options.count = 3;
    options.interval_ms = 10;
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1", 0);
    sum = finish_pool(pool);
    REQUIRE_EQUAL(3, sum.last.sent);
    REQUIRE_EQUAL(3, sum.last.received);
#ifdef _WIN32
    /* The system hides them. */
    REQUIRE_EQUAL(-1, sum.last.duplicates);
#else
    REQUIRE_EQUAL(0, sum.last.duplicates);
#endif
    REQUIRE(sum.last.rtt_min_ns >= 0);
    REQUIRE(sum.last.rtt_min_ns <= sum.last.rtt_mean_ns);
    REQUIRE(sum.last.rtt_mean_ns <= sum.last.rtt_max_ns);
    REQUIRE(sum.last.rtt_deviation_ns >= 0);
    REQUIRE(sum.last.duration_ns >= 2 * 10000000u);
}

static void without_statistics_the_first_reply_ends_it(void)
{
    rr_probe_options options = echo_options();
    rr_pool pool;
    tally sum;
    if (!may_echo()) {
        return;
    }
    options.count = 1000;
    pool = open_pool();
    submit_one(pool, &options, "127.0.0.1", 0);
    sum = finish_pool(pool);
    REQUIRE_EQUAL(1, sum.last.sent);
    REQUIRE_EQUAL(1, sum.last.received);
}

static void invalid_targets_do_not_stop_the_others(void)
{
    static const char *texts[] = {"127.0.0.1", "not a host!", "10.0.0.0/4", "", "127.0.0.2"};
    static const rr_status expected[] = {RR_STATUS_OK, RR_STATUS_INVALID_TARGET,
                                         RR_STATUS_TOO_MANY_ADDRESSES, RR_STATUS_INVALID_TARGET,
                                         RR_STATUS_OK};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    rr_probe_options options = echo_options();
    rr_target targets[COUNT];
    char text[256] = "";
    size_t taken = 0;
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    for (size_t i = 0; i < COUNT; i++) {
        targets[i] = target_of(texts[i], i);
        targets[i].text_offset = (uint32_t)strlen(text);
        targets[i].jobs = 99;
        strcat(text, texts[i]);
    }
    pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_OK,
                  rr_pool_submit_probes(pool, &options, targets, COUNT, sizeof targets[0],
                                        (const uint8_t *)text, strlen(text), &taken));
    REQUIRE_EQUAL(COUNT, taken);
    for (size_t i = 0; i < COUNT; i++) {
        REQUIRE_EQUAL(expected[i], targets[i].status);
        REQUIRE_EQUAL(expected[i] == RR_STATUS_OK ? 1 : 0, targets[i].jobs);
    }
    REQUIRE_EQUAL(2, finish_pool(pool).jobs);
}

static void bytes_that_are_no_text_are_no_target(void)
{
    static const char *texts[] = {"\xff\xfe", "127.0.0.1\x01", "host\tname", "fe80::1", "0.0.0.0",
                                  "255.255.255.255", "224.0.0.1", "127.0.0.1/33"};
    rr_probe_options options = echo_options();
    rr_pool pool;
    if (!may_echo()) {
        return;
    }
    pool = open_pool();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rr_target target = target_of(texts[i], 0);
        size_t taken = 0;
        REQUIRE_EQUAL(RR_STATUS_OK,
                      rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                                            (const uint8_t *)texts[i], strlen(texts[i]), &taken));
        if (target.status != RR_STATUS_INVALID_TARGET) {
            test_failed(__FILE__, __LINE__, "target %u has status %d", (unsigned)i,
                        (int)target.status);
        }
    }
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

static void blocks_are_flagged_as_expanded(void)
{
    uint16_t port = refused_port();
    rr_probe_options options = connect_options(&port, 1);
    rr_target target = target_of("127.0.0.0/30", 0);
    size_t taken = 0;
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_OK,
                  rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                                        (const uint8_t *)"127.0.0.0/30", 12, &taken));
    REQUIRE_EQUAL(RR_TARGET_EXPANDED, target.flags);
    REQUIRE_EQUAL(2, target.jobs);
    REQUIRE_EQUAL(2, finish_pool(pool).outcomes[RR_OUTCOME_REFUSED]);
}

static void two_pools_keep_their_completions_apart(void)
{
    rr_probe_options options = echo_options();
    rr_pool first, second;
    tally of_first, of_second;
    if (!may_echo()) {
        return;
    }
    first = open_pool();
    second = open_pool();
    REQUIRE(first != second);
    submit_one(first, &options, "127.0.0.1-20", 1);
    submit_one(second, &options, "127.0.0.1-30", UINT64_MAX);
    of_second = finish_pool(second);
    of_first = finish_pool(first);
    REQUIRE_EQUAL(20, of_first.outcomes[RR_OUTCOME_SUCCESS]);
    REQUIRE_EQUAL(30, of_second.outcomes[RR_OUTCOME_SUCCESS]);
    REQUIRE(of_first.last.user_data == 1);
    REQUIRE(of_second.last.user_data == UINT64_MAX);
}

void run_sweep_tests(void)
{
    RUN(sweeps_a_block);
    RUN(sweeps_ipv6_loopback);
    RUN(sweeps_a_range_of_addresses);
    RUN(looks_up_a_name_and_tells_its_addresses);
    RUN(looks_up_a_name_in_the_family_asked_for);
    RUN(says_that_a_name_does_not_exist);
    RUN(says_that_a_name_beyond_ascii_does_not_exist);
    RUN(tells_open_from_refused_ports);
    RUN(index_is_address_times_ports_plus_port);
    RUN(statistics_send_every_attempt);
    RUN(without_statistics_the_first_reply_ends_it);
    RUN(invalid_targets_do_not_stop_the_others);
    RUN(bytes_that_are_no_text_are_no_target);
    RUN(blocks_are_flagged_as_expanded);
    RUN(two_pools_keep_their_completions_apart);
}
