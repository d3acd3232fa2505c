/*
 * What every test file needs of the library: pools and options with defaults that suit tests,
 * submitting one text, and collecting until the end. Fails the running test where the library
 * refuses.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "check.h"
#include "rust_runspaces.h"

/* Milliseconds for replies in tests. */
enum { REPLY_TIMEOUT_MS = 200 };

/* Number of outcomes there is room for in a tally. */
enum { OUTCOMES = 64 };

/* Completions seen so far. */
typedef struct {
    uint64_t completions;
    /* Sum of their jobs. */
    uint64_t jobs;
    /* Jobs by outcome. */
    uint64_t outcomes[OUTCOMES];
    /* The last one, and its texts, NUL-terminated. */
    rr_completion last;
    char host_name[256];
    char addresses[1024];
    char detail[512];
} tally;

/* Sees one completion with the text buffer it refers to. */
typedef void (*visitor)(const rr_completion *completion, const char *text, void *context);

rr_pool_options pool_options(void);
rr_probe_options echo_options(void);
rr_probe_options connect_options(const uint16_t *ports, uint32_t count);

/* A pool for probes; 0 where the test has failed. */
rr_pool open_pool(void);

/* A target that refers to `text` as the whole text buffer. */
rr_target target_of(const char *text, uint64_t user_data);

/* Submits one target; the number of jobs it became. */
uint64_t submit_one(rr_pool pool, const rr_probe_options *options, const char *text,
                    uint64_t user_data);

/* Submits calls numbered first, first + 1, ... */
void submit_calls(rr_pool pool, uint64_t first, size_t count);

/* Collects whatever is ready; the number of completions. */
size_t collect_ready(rr_pool pool, visitor visit, void *context);

/* Polls and collects until CLOSED; the input must be closed before or meanwhile. */
void collect_to_the_end(rr_pool pool, visitor visit, void *context);

/* A visitor; `context` is a tally. */
void count_completion(const rr_completion *completion, const char *text, void *context);

/* Closes the input, collects to the end and closes the pool. */
tally finish_pool(rr_pool pool);

void close_pool(rr_pool pool);

/* Whether this process may send echo requests; marks the test skipped where it may not. */
bool may_echo(void);

/* A listening TCP socket on 127.0.0.1 and its port; -1 where the test has failed. */
int listen_on_loopback(uint16_t *out_port);
void close_socket(int fd);

/* A port of 127.0.0.1 nobody listens on. */
uint16_t refused_port(void);

/* Sleeps until `*value` is at least `at_least`, for 5 seconds at most; whether it came to be. */
bool wait_until(const int *value, int at_least);

/* For numbers that callbacks count up. */
void add_one(int *value);
int read_value(const int *value);

void run_fault_tests(void);
void run_clock_tests(void);
void run_load_tests(void);
void run_sweep_tests(void);
void run_buffer_tests(void);
void run_cancel_tests(void);
void run_call_tests(void);
void run_limit_tests(void);
void run_misuse_tests(void);
void run_version_tests(void);
void run_handle_tests(void);
void run_thread_tests(void);
void run_layout_tests(void);

#endif
