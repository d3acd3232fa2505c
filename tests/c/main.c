/*
 * The C client: uses the library as a C program would, and misuses it. The first argument comes
 * before the name of every test.
 */
#include "engine.h"

int main(int count, char **arguments)
{
    begin_tests(count > 1 ? arguments[1] : "");
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
    return end_tests();
}
