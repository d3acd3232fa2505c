/* Every accepted job has exactly one completion, whenever the pool is cancelled, also at random. */
#include "engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Which jobs of each target have been answered, and what was wrong with an answer. */
typedef struct {
    size_t targets;
    uint64_t *jobs;
    unsigned char **answered;
    uint64_t answers;
    const char *wrong;
} ledger;

static void ledger_add(ledger *book, uint64_t jobs)
{
    size_t target = book->targets++;
    book->jobs = realloc(book->jobs, book->targets * sizeof *book->jobs);
    book->answered = realloc(book->answered, book->targets * sizeof *book->answered);
    book->jobs[target] = jobs;
    book->answered[target] = calloc(jobs ? jobs : 1, 1);
}

static void ledger_free(ledger *book)
{
    for (size_t i = 0; i < book->targets; i++) {
        free(book->answered[i]);
    }
    free(book->answered);
    free(book->jobs);
}

static void ledger_see(const rr_completion *completion, const char *text, void *context)
{
    ledger *book = context;
    uint64_t target = completion->user_data;
    (void)text;
    if (target >= book->targets) {
        book->wrong = "a completion of no target";
        return;
    }
    if (completion->jobs == 0 || completion->jobs > book->jobs[target] ||
        completion->index > book->jobs[target] - completion->jobs) {
        book->wrong = "a completion of jobs that the target does not have";
        return;
    }
    if (completion->jobs > 1 && completion->outcome != RR_OUTCOME_NOT_STARTED) {
        book->wrong = "one answer to several jobs that were begun";
        return;
    }
    for (uint64_t i = 0; i < completion->jobs; i++) {
        if (book->answered[target][completion->index + i]++) {
            book->wrong = "a second completion of a job";
        }
    }
    book->answers += completion->jobs;
}

static void ledger_check(const ledger *book)
{
    uint64_t expected = 0;
    for (size_t i = 0; i < book->targets; i++) {
        expected += book->jobs[i];
    }
    if (book->wrong) {
        test_failed(__FILE__, __LINE__, "%s", book->wrong);
    } else if (book->answers != expected) {
        test_failed(__FILE__, __LINE__, "%llu of %llu jobs have their completion",
                    (unsigned long long)book->answers, (unsigned long long)expected);
    }
}

static void a_cancelled_sweep_answers_every_job(void)
{
    rr_pool_options options = pool_options();
    rr_probe_options probes = echo_options();
    rr_pool_counts counts;
    rr_pool pool = 0;
    ledger book;
    if (!may_echo()) {
        return;
    }
    memset(&book, 0, sizeof book);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    options.packets_per_second = 1000;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    ledger_add(&book, submit_one(pool, &probes, "127.0.0.0/16", 0));
    ledger_add(&book, submit_one(pool, &probes, "127.0.0.0/8", 1));
    REQUIRE_NO_FAILURE();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, NULL));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_cancel(pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_cancel(pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    collect_to_the_end(pool, ledger_see, &book);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, rr_pool_poll(pool, 0, &counts));
    REQUIRE_EQUAL(RR_POOL_CANCELLED | RR_POOL_INPUT_CLOSED, counts.flags);
    REQUIRE(counts.begun < counts.submitted);
    close_pool(pool);
    ledger_check(&book);
    ledger_free(&book);
}

static void submitting_to_a_cancelled_pool_is_closed(void)
{
    uint16_t port = 1;
    rr_probe_options options = connect_options(&port, 1);
    rr_target target = target_of("127.0.0.1", 0);
    size_t taken = 99;
    rr_pool pool = open_pool();
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_cancel(pool));
    REQUIRE_EQUAL(RR_STATUS_CLOSED,
                  rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                                        (const uint8_t *)"127.0.0.1", 9, &taken));
    REQUIRE_EQUAL(0, taken);
    REQUIRE_EQUAL(0, finish_pool(pool).completions);
}

static void the_run_limit_cancels_by_itself(void)
{
    rr_pool_options options = pool_options();
    rr_probe_options probes = echo_options();
    rr_pool_counts counts;
    rr_pool pool = 0;
    ledger book;
    int64_t begin = now_ms();
    if (!may_echo()) {
        return;
    }
    memset(&book, 0, sizeof book);
    memset(&counts, 0, sizeof counts);
    counts.struct_size = sizeof counts;
    options.packets_per_second = 100;
    options.run_limit_ms = 100;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    ledger_add(&book, submit_one(pool, &probes, "127.0.0.0/16", 0));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_close_input(pool));
    collect_to_the_end(pool, ledger_see, &book);
    /* A sweep of this size at this rate takes eleven minutes. */
    REQUIRE(now_ms() - begin < 5000);
    REQUIRE_EQUAL(RR_STATUS_CLOSED, rr_pool_poll(pool, 0, &counts));
    REQUIRE_EQUAL(RR_POOL_RUN_LIMIT_REACHED | RR_POOL_CANCELLED | RR_POOL_INPUT_CLOSED,
                  counts.flags);
    close_pool(pool);
    ledger_check(&book);
    ledger_free(&book);
}

typedef struct {
    rr_pool pool;
    int64_t after_ms;
    rr_status status;
} later;

static void *cancel_later(void *context)
{
    later *what = context;
    sleep_ms(what->after_ms);
    what->status = rr_pool_cancel(what->pool);
    return NULL;
}

static void cancel_wakes_the_poller(void)
{
    later what = {0, 50, RR_STATUS_PANIC};
    pthread_t thread;
    what.pool = open_pool();
    pthread_create(&thread, NULL, cancel_later, &what);
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(what.pool, UINT64_MAX, NULL));
    pthread_join(thread, NULL);
    REQUIRE_EQUAL(RR_STATUS_OK, what.status);
    close_pool(what.pool);
}

/* Takes calls until told to return; every third call takes a millisecond. */
static void run_short_calls(void *context, rr_worker worker)
{
    rr_call call;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        add_one(context);
        if (call.user_data % 3 == 0) {
            sleep_ms(1);
        }
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            return;
        }
    }
}

/* A round: what kind of targets, how many, and when it is cancelled, all at random. */
static void random_round(ledger *book)
{
    static const char *texts[] = {"127.0.0.1",  "127.0.0.0/24", "127.0.0.1-9", "localhost",
                                  "127.1.0.0/16", "127.0.0.1",  "::1"};
    uint16_t ports[2] = {1, 2};
    int calls_begun = 0;
    rr_pool_options options = pool_options();
    rr_probe_options echo = echo_options();
    rr_probe_options tcp = connect_options(ports, 2);
    later what;
    pthread_t thread;
    size_t targets = 1 + random_below(8);
    options.packets_per_second = random_below(2) ? 0 : 500;
    options.run = run_short_calls;
    options.context = &calls_begun;
    memset(&what, 0, sizeof what);
    what.after_ms = random_below(15);
    if (rr_pool_open(&options, &what.pool) != RR_STATUS_OK) {
        test_failed(__FILE__, __LINE__, "rr_pool_open");
        return;
    }
    pthread_create(&thread, NULL, cancel_later, &what);
    for (size_t i = 0; i < targets; i++) {
        rr_target target = target_of(texts[random_below(7)], book->targets);
        uint64_t call = book->targets;
        size_t taken = 0;
        if (random_below(4) == 0) {
            rr_pool_submit_calls(what.pool, &call, 1, &taken);
            target.jobs = 1;
        } else {
            const char *text = texts[random_below(7)];
            target = target_of(text, book->targets);
            rr_pool_submit_probes(what.pool, random_below(3) ? &echo : &tcp, &target, 1,
                                  sizeof target, (const uint8_t *)text, strlen(text), &taken);
        }
        /* Cancelled meanwhile: not taken, so there will be no completion. */
        ledger_add(book, taken ? target.jobs : 0);
        if (random_below(2)) {
            collect_ready(what.pool, ledger_see, book);
        }
    }
    rr_pool_close_input(what.pool);
    collect_to_the_end(what.pool, ledger_see, book);
    pthread_join(thread, NULL);
    close_pool(what.pool);
}

static void one_completion_per_job_under_random_cancels(void)
{
    for (int round = 0; round < 60; round++) {
        ledger book;
        memset(&book, 0, sizeof book);
        random_round(&book);
        ledger_check(&book);
        ledger_free(&book);
        REQUIRE_NO_FAILURE();
    }
}

static void pools_close_at_any_moment(void)
{
    rr_probe_options echo = echo_options();
    if (!may_echo()) {
        return;
    }
    for (int round = 0; round < 30; round++) {
        int64_t begin;
        rr_pool pool = open_pool();
        submit_one(pool, &echo, random_below(2) ? "127.0.0.0/16" : "localhost", 0);
        sleep_ms(random_below(10));
        begin = now_ms();
        close_pool(pool);
        REQUIRE(now_ms() - begin < 1500);
        REQUIRE_EQUAL(RR_STATUS_BAD_HANDLE, rr_pool_poll(pool, 0, NULL));
        REQUIRE_NO_FAILURE();
    }
}

void run_cancel_tests(void)
{
    RUN(a_cancelled_sweep_answers_every_job);
    RUN(submitting_to_a_cancelled_pool_is_closed);
    RUN(the_run_limit_cancels_by_itself);
    RUN(cancel_wakes_the_poller);
    RUN(one_completion_per_job_under_random_cancels);
    RUN(pools_close_at_any_moment);
}
