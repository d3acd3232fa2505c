/*
 * The C client: uses the library as a C program would, and misuses it. The first argument comes
 * before the name of every test.
 */
#include "engine.h"

int main(int count, char **arguments)
{
    begin_tests(count > 1 ? arguments[1] : "");
    /* First: their processes are forks of this one, made before it has used the library. */
    run_fault_tests();
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
    run_load_tests();
    run_clock_tests();
    return end_tests();
}
