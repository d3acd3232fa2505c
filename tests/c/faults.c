/*
 * A machine and a process in trouble: no descriptors, address space or threads left, signals, a
 * process that ends in the middle. Each test is a fork of this one, made before the library has been
 * used, so that limits and leftovers are its own. What must happen stands in docs/reliability.md.
 */
#define _DEFAULT_SOURCE /* setgroups, setitimer */
#include "engine.h"

#ifdef _WIN32
static void the_process_s_limits(void) { test_skipped("limits and signals are of other systems"); }

void run_fault_tests(void) { RUN(the_process_s_limits); }
#else

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

/* AddressSanitizer needs an address space without limit, and much of it for each thread. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { ECHOES = 14, CONNECTS = 40, CALLS = 60, NAMES = 1, PARTS = 4 };

/* What one round submits, and what was taken of it, by user data. */
typedef struct {
    uint64_t jobs[PARTS];
    uint64_t outcomes[PARTS][OUTCOMES];
    rr_status refusals[PARTS];
} round_of;

enum { ECHO_PART, CONNECT_PART, NAME_PART, CALL_PART };

static uint16_t closed_port;

static void run_sleepy(void *context, rr_worker worker)
{
    rr_call call;
    (void)context;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        sleep_ms(2);
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            return;
        }
    }
}

static void see(const rr_completion *completion, const char *text, void *context)
{
    round_of *all = context;
    uint64_t part = completion->user_data / 1000;
    (void)text;
    if (part < PARTS && completion->outcome < OUTCOMES) {
        all->outcomes[part][completion->outcome] += completion->jobs;
    }
}

static void submit_part(rr_pool pool, round_of *all, int part, const rr_probe_options *options,
                        const char *text)
{
    rr_target target = target_of(text, (uint64_t)part * 1000);
    size_t taken = 0;
    all->refusals[part] =
        rr_pool_submit_probes(pool, options, &target, 1, sizeof target, (const uint8_t *)text,
                              strlen(text), &taken);
    all->jobs[part] = taken ? target.jobs : 0;
}

/* Submits some of everything, collects to the end and closes. Every job that was taken has one
 * completion, and what was not taken was refused for want of something. */
static round_of play_part(uint32_t max_workers, bool echoes, bool connects, bool names)
{
    round_of all;
    rr_pool_options options = pool_options();
    rr_probe_options echo = echo_options();
    rr_probe_options tcp = connect_options(&closed_port, 1);
    uint64_t numbers[CALLS];
    size_t taken = 0;
    rr_pool pool = 0;
    rr_status status;
    memset(&all, 0, sizeof all);
    options.max_workers = max_workers;
    options.run = run_sleepy;
    status = rr_pool_open(&options, &pool);
    if (status != RR_STATUS_OK) {
        test_failed(__FILE__, __LINE__, "rr_pool_open: %s", rr_status_message(status));
        return all;
    }
    for (int i = 0; i < CALLS; i++) {
        numbers[i] = 3000 + (uint64_t)i;
    }
    all.refusals[CALL_PART] = rr_pool_submit_calls(pool, numbers, CALLS, &taken);
    all.jobs[CALL_PART] = taken;
    if (echoes) {
        submit_part(pool, &all, ECHO_PART, &echo, "127.0.0.0/28");
    }
    if (connects) {
        submit_part(pool, &all, CONNECT_PART, &tcp, "127.0.0.1-40");
    }
    if (names) {
        submit_part(pool, &all, NAME_PART, &tcp, "localhost");
    }
    rr_pool_close_input(pool);
    collect_to_the_end(pool, see, &all);
    close_pool(pool);
    for (int part = 0; part < PARTS; part++) {
        uint64_t answers = 0;
        rr_status refusal = all.refusals[part];
        for (int outcome = 0; outcome < OUTCOMES; outcome++) {
            answers += all.outcomes[part][outcome];
        }
        if (answers != all.jobs[part]) {
            test_failed(__FILE__, __LINE__, "part %d: %llu completions of %llu jobs", part,
                        (unsigned long long)answers, (unsigned long long)all.jobs[part]);
        }
        if (refusal != RR_STATUS_OK && refusal != RR_STATUS_NO_RESOURCES &&
            refusal != RR_STATUS_NO_THREADS && refusal != RR_STATUS_ICMP_NOT_PERMITTED) {
            test_failed(__FILE__, __LINE__, "part %d: %s", part, rr_status_message(refusal));
        }
    }
    return all;
}

static round_of play_round(uint32_t max_workers, bool echoes, bool names)
{
    return play_part(max_workers, echoes, true, names);
}

/* Nobody is called down, or failed, for what this process lacks. */
static void require_true_answers(const round_of *all)
{
    const uint64_t *echo = all->outcomes[ECHO_PART];
    const uint64_t *tcp = all->outcomes[CONNECT_PART];
    REQUIRE_EQUAL(all->jobs[ECHO_PART],
                  echo[RR_OUTCOME_SUCCESS] + echo[RR_OUTCOME_NO_RESOURCES]);
    REQUIRE_EQUAL(all->jobs[CONNECT_PART],
                  tcp[RR_OUTCOME_REFUSED] + tcp[RR_OUTCOME_NO_RESOURCES]);
    REQUIRE_EQUAL(all->jobs[CALL_PART], all->outcomes[CALL_PART][RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(all->jobs[NAME_PART], all->outcomes[NAME_PART][RR_OUTCOME_REFUSED] +
                                            all->outcomes[NAME_PART][RR_OUTCOME_FAILED] +
                                            all->outcomes[NAME_PART][RR_OUTCOME_NO_RESOURCES]);
}

/* Nothing at all was missing. */
static void require_everything(const round_of *all, bool echoes, bool names)
{
    REQUIRE_EQUAL(echoes ? ECHOES : 0, all->outcomes[ECHO_PART][RR_OUTCOME_SUCCESS]);
    REQUIRE_EQUAL(CONNECTS, all->outcomes[CONNECT_PART][RR_OUTCOME_REFUSED]);
    REQUIRE_EQUAL(CALLS, all->outcomes[CALL_PART][RR_OUTCOME_COMPLETED]);
    if (names) {
        REQUIRE_EQUAL(NAMES, all->outcomes[NAME_PART][RR_OUTCOME_REFUSED]);
    }
}

static bool set_limit(int which, rlim_t soft, rlim_t hard)
{
    struct rlimit limit;
    limit.rlim_cur = soft;
    limit.rlim_max = hard;
    return setrlimit(which, &limit) == 0;
}

/* --- descriptors --------------------------------------------------------------------------- */

enum { DESCRIPTOR_LIMIT = 16 };

/* Opens descriptors until there is none left; how many. */
static int take_all(int *taken)
{
    int count = 0;
    int fd;
    while (count < DESCRIPTOR_LIMIT && (fd = open("/dev/null", O_RDONLY)) >= 0) {
        taken[count++] = fd;
    }
    return count;
}

static void close_some(const int *taken, int count)
{
    while (count > 0) {
        close(taken[--count]);
    }
}

/* With no descriptor left, with one, with two, up to all that a limit of sixteen leaves. */
static void descriptors_in_child(void)
{
    int taken[DESCRIPTOR_LIMIT];
    int most;
    bool echoes = may_echo();
    if (!echoes) {
        test_skipped("");
    }
    closed_port = refused_port();
    /* glibc before 2.34 never tries again to load what its resolver had no descriptor for. */
    play_part(1, false, false, true);
    REQUIRE_NO_FAILURE();
    REQUIRE(set_limit(RLIMIT_NOFILE, DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT));
    most = take_all(taken);
    close_some(taken, most);
    if (most >= DESCRIPTOR_LIMIT || most < 8) {
        test_skipped("the limit does not hold here");
        return;
    }
    for (int left = 0; left <= most; left++) {
        int again[DESCRIPTOR_LIMIT];
        round_of all;
        take_all(taken);
        close_some(taken, left);
        all = play_round(4, echoes, false);
        REQUIRE_NO_FAILURE();
        require_true_answers(&all);
        if (left == 0) {
            REQUIRE_EQUAL(RR_STATUS_NO_RESOURCES, all.refusals[CONNECT_PART]);
        }
        if (left >= 8) {
            require_everything(&all, echoes, false);
        }
        REQUIRE_NO_FAILURE();
        /* Names by themselves: connects take and give back what these need. */
        all = play_part(4, false, false, true);
        REQUIRE_NO_FAILURE();
        require_true_answers(&all);
        if (left >= 8) {
            REQUIRE_EQUAL(NAMES, all.outcomes[NAME_PART][RR_OUTCOME_REFUSED]);
        }
        if (test_has_failed()) {
            fprintf(stderr, "with %d descriptors left\n", left);
            return;
        }
        REQUIRE_EQUAL(left, take_all(again));
        close_some(again, left);
        close_some(taken + left, most - left);
    }
}

static void sixteen_descriptors_serve_and_fewer_are_told(void)
{
    run_in_child(descriptors_in_child);
}

/* --- address space ------------------------------------------------------------------------- */

static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) {
        return 0;
    }
    if (fscanf(file, "%lu", &pages) != 1) {
        pages = 0;
    }
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static size_t megabytes_left;

static void address_space_in_child(void)
{
    const size_t megabyte = 1024 * 1024;
    rlim_t now = address_space();
    struct rlimit before;
    round_of all;
    void *block;
    bool echoes = may_echo();
    if (!echoes) {
        test_skipped("");
    }
    closed_port = refused_port();
    /* What the first use needs once; so that all that follows is for the pool. */
    all = play_round(1, echoes, true);
    REQUIRE_NO_FAILURE();
    require_everything(&all, echoes, true);
    REQUIRE_NO_FAILURE();
    now = address_space();
    getrlimit(RLIMIT_AS, &before);
    if (now == 0 || !set_limit(RLIMIT_AS, now + megabytes_left * megabyte, before.rlim_max)) {
        test_skipped("there is no limit of the address space here");
        return;
    }
    block = mmap(NULL, (megabytes_left + 1) * megabyte, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block != MAP_FAILED) {
        test_skipped("the limit of the address space does not hold here");
        return;
    }
    /* 64 workers want 640 MB of stacks. */
    all = play_round(64, echoes, true);
    REQUIRE_NO_FAILURE();
    require_true_answers(&all);
    REQUIRE_NO_FAILURE();
    if (megabytes_left >= 64) {
        require_everything(&all, echoes, true);
        REQUIRE_NO_FAILURE();
    }
    REQUIRE(set_limit(RLIMIT_AS, before.rlim_cur, before.rlim_max));
    all = play_round(64, echoes, true);
    REQUIRE_NO_FAILURE();
    require_everything(&all, echoes, true);
}

static void an_address_space_too_small_for_the_workers_makes_them_fewer(void)
{
    static const size_t sizes[] = {4, 12, 24, 48, 96, 200, 400};
    if (SANITIZED) {
        test_skipped("AddressSanitizer needs an address space without limit");
        return;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && !test_has_failed(); i++) {
        megabytes_left = sizes[i];
        run_in_child(address_space_in_child);
    }
}

/* --- threads ------------------------------------------------------------------------------- */

/* A user of this test's alone, whose threads are counted from none; false where that cannot be. */
static bool become_nobody(unsigned number)
{
    uid_t user = 100000 + (uid_t)getpid() * 16 % 400000 + number;
    return geteuid() == 0 && setgroups(0, NULL) == 0 && setgid(user) == 0 && setuid(user) == 0;
}

static void *do_nothing(void *context) { return context; }

static unsigned threads_left;

static void threads_in_child(void)
{
    round_of all;
    pthread_t thread;
    int failed;
    closed_port = refused_port();
    if (!become_nobody(threads_left)) {
        test_skipped("becoming another user needs root");
        return;
    }
    REQUIRE(set_limit(RLIMIT_NPROC, 1, 64));
    failed = pthread_create(&thread, NULL, do_nothing, NULL);
    if (failed != EAGAIN) {
        test_skipped("the limit of threads does not hold here");
        return;
    }
    REQUIRE(set_limit(RLIMIT_NPROC, 1 + threads_left, 64));
    /* One worker, who keeps its time, the reactor, a resolver with who keeps its time; or 32. */
    all = play_round(threads_left >= 5 && threads_left % 2 == 1 ? 1 : 32, false, true);
    REQUIRE_NO_FAILURE();
    require_true_answers(&all);
    REQUIRE_NO_FAILURE();
    REQUIRE_EQUAL(threads_left < 2, all.refusals[CALL_PART] == RR_STATUS_NO_THREADS);
    if (threads_left == 0) {
        REQUIRE_EQUAL(RR_STATUS_NO_RESOURCES, all.refusals[CONNECT_PART]);
    }
    if (threads_left >= 5 && threads_left % 2 == 1) {
        require_everything(&all, false, true);
        REQUIRE_NO_FAILURE();
    }
    REQUIRE(set_limit(RLIMIT_NPROC, 64, 64));
    all = play_round(8, false, true);
    REQUIRE_NO_FAILURE();
    require_everything(&all, false, true);
}

static void threads_that_cannot_be_had_make_fewer_workers(void)
{
    for (threads_left = 0; threads_left <= 8 && !test_has_failed(); threads_left++) {
        run_in_child(threads_in_child);
    }
}

/* --- signals ------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupts;

static void count_interrupt(int number)
{
    (void)number;
    interrupts++;
}

static void signals_in_child(void)
{
    struct sigaction action;
    struct itimerval often;
    round_of all;
    int64_t begin;
    int interrupts_before;
    rr_pool pool;
    bool echoes = may_echo();
    if (!echoes) {
        test_skipped("");
    }
    closed_port = refused_port();
    memset(&action, 0, sizeof action);
    action.sa_handler = count_interrupt; /* and no SA_RESTART */
    REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
    memset(&often, 0, sizeof often);
    /* To an emulator a signal is work for much of the shorter time. */
    often.it_interval.tv_usec = getenv("TEST_EMULATED") ? 4000 : 500;
    often.it_value = often.it_interval;
    REQUIRE(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int i = 0; i < 5; i++) {
        all = play_round(16, echoes, true);
        REQUIRE_NO_FAILURE();
        require_everything(&all, echoes, true);
        REQUIRE_NO_FAILURE();
    }
    pool = open_pool();
    interrupts_before = interrupts;
    begin = now_ms();
    REQUIRE_EQUAL(RR_STATUS_TIMEOUT, rr_pool_poll(pool, 200, NULL));
    REQUIRE(now_ms() - begin >= 199);
    REQUIRE(interrupts - interrupts_before >= 20);
    close_pool(pool);
}

static void signals_end_no_wait(void) { run_in_child(signals_in_child); }

/* --- a process that ends ------------------------------------------------------------------- */

/* Every kind of job under way, and nobody who waits for it. */
static void leave_work_behind(void)
{
    static uint64_t numbers[CALLS];
    rr_pool_options options = pool_options();
    rr_probe_options echo = echo_options();
    rr_probe_options tcp = connect_options(&closed_port, 1);
    round_of all;
    rr_pool pool = 0;
    size_t taken = 0;
    options.run = run_sleepy;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_submit_calls(pool, numbers, CALLS, &taken));
    submit_part(pool, &all, ECHO_PART, &echo, "127.0.0.0/12");
    submit_part(pool, &all, CONNECT_PART, &tcp, "127.0.0.0/16");
    submit_part(pool, &all, NAME_PART, &tcp, "localhost");
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_poll(pool, 5000, NULL));
}

static void *leave_on_a_thread(void *context)
{
    leave_work_behind();
    return context;
}

static void end_in_child(void)
{
    pthread_t thread;
    closed_port = refused_port();
    /* Twice: one of them on a thread that is gone when the process ends. */
    leave_work_behind();
    REQUIRE_NO_FAILURE();
    REQUIRE(pthread_create(&thread, NULL, leave_on_a_thread, NULL) == 0);
    pthread_join(thread, NULL);
    REQUIRE_NO_FAILURE();
    if (!SANITIZED) { /* which calls what such an end leaves a leak */
        /* With the handlers and destructors that _exit leaves out. */
        exit(0);
    }
}

static void a_process_may_end_in_the_middle(void)
{
    int64_t begin = now_ms();
    for (int i = 0; i < 5 && !test_has_failed(); i++) {
        run_in_child(end_in_child);
    }
    REQUIRE(now_ms() - begin < 20000);
}

/* --- very many threads --------------------------------------------------------------------- */

enum { MOST_WORKERS = 1024 };

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside;
    bool go_on;
} meeting;

/* Each call waits until all are there. */
static void run_meeting(void *context, rr_worker worker)
{
    meeting *all = context;
    rr_call call;
    memset(&call, 0, sizeof call);
    call.struct_size = sizeof call;
    while (rr_worker_next(worker, &call) == RR_STATUS_OK) {
        pthread_mutex_lock(&all->lock);
        if (++all->inside == MOST_WORKERS) {
            all->go_on = true;
            pthread_cond_broadcast(&all->changed);
        }
        while (!all->go_on) {
            pthread_cond_wait(&all->changed, &all->lock);
        }
        pthread_mutex_unlock(&all->lock);
        if (rr_worker_finish(worker, RR_OUTCOME_COMPLETED) != RR_STATUS_OK) {
            return;
        }
    }
}

static void many_threads_in_child(void)
{
    static meeting all = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};
    rr_pool_options options = pool_options();
    rr_pool pool = 0;
    tally sum;
    options.max_workers = MOST_WORKERS;
    options.run = run_meeting;
    options.context = &all;
    REQUIRE_EQUAL(RR_STATUS_OK, rr_pool_open(&options, &pool));
    submit_calls(pool, 0, MOST_WORKERS + 500);
    sum = finish_pool(pool);
    REQUIRE_NO_FAILURE();
    REQUIRE_EQUAL(MOST_WORKERS + 500, sum.outcomes[RR_OUTCOME_COMPLETED]);
    REQUIRE_EQUAL(MOST_WORKERS + 500, sum.completions);
}

static void a_thousand_and_twenty_four_calls_run_at_a_time(void)
{
    if (SANITIZED || getenv("TEST_SLOW_ECHO")) {
        test_skipped("so many threads are too much for AddressSanitizer, and for an emulator");
        return;
    }
    run_in_child(many_threads_in_child);
}

void run_fault_tests(void)
{
    RUN(sixteen_descriptors_serve_and_fewer_are_told);
    RUN(an_address_space_too_small_for_the_workers_makes_them_fewer);
    RUN(threads_that_cannot_be_had_make_fewer_workers);
    RUN(signals_end_no_wait);
    RUN(a_process_may_end_in_the_middle);
    RUN(a_thousand_and_twenty_four_calls_run_at_a_time);
}
#endif
