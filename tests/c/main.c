/*
 * The C client: uses the library as a C program would, and misuses it. The first argument comes
 * before the name of every test. TEST_LIGHT leaves out what limits or loads the process: under a
 * checker that runs its threads one at a time it takes minutes and tells nothing.
 */
#include "engine.h"

#include <stdlib.h>

int main(int count, char **arguments)
{
    begin_tests(count > 1 ? arguments[1] : "");
    int is_light = getenv("TEST_LIGHT") != NULL;
    /* First: their processes are forks of this one, made before it has used the library. */
    if (!is_light) {
        run_fault_tests();
    }
    run_layout_tests();
    run_handle_tests();
    run_misuse_tests();
    run_version_tests();
    run_sweep_tests();
    run_buffer_tests();
    run_cancel_tests();
    run_call_tests();
    run_limit_tests();
    run_thread_tests();
    if (!is_light) {
        run_load_tests();
    }
    run_clock_tests();
    return end_tests();
}
