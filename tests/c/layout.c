/* Sizes and offsets as promised; the same numbers stand in src/ffi/types.rs and in the C# side. */
#include "engine.h"

#include <stdio.h>
#include <string.h>

static void structs_have_their_sizes(void)
{
    REQUIRE_EQUAL(72, sizeof(rr_pool_options));
    REQUIRE_EQUAL(48, sizeof(rr_probe_options));
    REQUIRE_EQUAL(32, sizeof(rr_target));
    REQUIRE_EQUAL(104, sizeof(rr_pool_counts));
    REQUIRE_EQUAL(184, sizeof(rr_completion));
    REQUIRE_EQUAL(16, sizeof(rr_call));
    REQUIRE_EQUAL(4, sizeof(rr_status));
    REQUIRE_EQUAL(8, sizeof(rr_pool));
    REQUIRE_EQUAL(8, sizeof(rr_worker));
}

static void structs_have_no_gaps(void)
{
    REQUIRE_EQUAL(16, offsetof(rr_pool_options, run_limit_ms));
    REQUIRE_EQUAL(32, offsetof(rr_pool_options, run));
    REQUIRE_EQUAL(56, offsetof(rr_pool_options, context));
    REQUIRE_EQUAL(64, offsetof(rr_pool_options, paused));
    REQUIRE_EQUAL(40, offsetof(rr_probe_options, ports));
    REQUIRE_EQUAL(16, offsetof(rr_target, status));
    REQUIRE_EQUAL(24, offsetof(rr_target, jobs));
    REQUIRE_EQUAL(56, offsetof(rr_pool_counts, workers));
    REQUIRE_EQUAL(64, offsetof(rr_pool_counts, packets_not_sent));
    REQUIRE_EQUAL(88, offsetof(rr_pool_counts, late_turns));
    REQUIRE_EQUAL(100, offsetof(rr_pool_counts, reserved));
    REQUIRE_EQUAL(40, offsetof(rr_completion, rtt_last_ns));
    REQUIRE_EQUAL(80, offsetof(rr_completion, address));
    REQUIRE_EQUAL(96, offsetof(rr_completion, kind));
    REQUIRE_EQUAL(128, offsetof(rr_completion, host_name_offset));
    REQUIRE_EQUAL(152, offsetof(rr_completion, family));
    REQUIRE_EQUAL(158, offsetof(rr_completion, reserved));
    REQUIRE_EQUAL(160, offsetof(rr_completion, answered_from));
    REQUIRE_EQUAL(182, offsetof(rr_completion, reserved_too));
    REQUIRE_EQUAL(8, offsetof(rr_call, user_data));
}

static void the_library_has_the_abi_of_the_header(void)
{
    REQUIRE_EQUAL(RR_ABI_VERSION, rr_abi_version());
}

static void the_version_has_three_numbers(void)
{
    unsigned major, minor, patch;
    char again[64];
    REQUIRE_EQUAL(3, sscanf(rr_version(), "%u.%u.%u", &major, &minor, &patch));
    snprintf(again, sizeof again, "%u.%u.%u", major, minor, patch);
    REQUIRE(strcmp(again, rr_version()) == 0);
}

static void the_default_reply_timeouts_are_told(void)
{
    uint32_t connect = rr_default_reply_timeout(RR_KIND_CONNECT);
    REQUIRE_EQUAL(1000, rr_default_reply_timeout(RR_KIND_ECHO));
    REQUIRE(connect == 2000 || connect == 2500);
    REQUIRE_EQUAL(0, rr_default_reply_timeout(0));
    REQUIRE_EQUAL(0, rr_default_reply_timeout(3));
}

void run_layout_tests(void)
{
    RUN(structs_have_their_sizes);
    RUN(structs_have_no_gaps);
    RUN(the_library_has_the_abi_of_the_header);
    RUN(the_version_has_three_numbers);
    RUN(the_default_reply_timeouts_are_told);
}
