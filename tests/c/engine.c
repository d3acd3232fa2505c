/* See engine.h. Main thread only, but for the counters at the end. */
#include "engine.h"

#include <stdio.h>
#include <string.h>
#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

rr_pool_options pool_options(void)
{
    rr_pool_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

rr_probe_options echo_options(void)
{
    rr_probe_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.kind = RR_KIND_ECHO;
    options.count = 1;
    options.reply_timeout_ms = REPLY_TIMEOUT_MS;
    options.payload_size = 32;
    return options;
}

rr_probe_options connect_options(const uint16_t *ports, uint32_t count)
{
    rr_probe_options options = echo_options();
    options.kind = RR_KIND_CONNECT;
    options.payload_size = 0;
    options.port_count = count;
    options.ports = ports;
    return options;
}

static void require_ok(const char *call, rr_status status)
{
    if (status != RR_STATUS_OK) {
        test_failed(__FILE__, __LINE__, "%s: %d (%s)", call, (int)status,
                    rr_status_message(status));
    }
}

rr_pool open_pool(void)
{
    rr_pool_options options = pool_options();
    rr_pool pool = 0;
    require_ok("rr_pool_open", rr_pool_open(&options, &pool));
    return pool;
}

rr_target target_of(const char *text, uint64_t user_data)
{
    rr_target target;
    memset(&target, 0, sizeof target);
    target.user_data = user_data;
    target.text_length = (uint32_t)strlen(text);
    return target;
}

uint64_t submit_one(rr_pool pool, const rr_probe_options *options, const char *text,
                    uint64_t user_data)
{
    rr_target target = target_of(text, user_data);
    size_t taken = 0;
    require_ok("rr_pool_submit_probes",
               rr_pool_submit_probes(pool, options, &target, 1, sizeof target,
                                     (const uint8_t *)text, strlen(text), &taken));
    if (!test_has_failed()) {
        require_ok(text, target.status);
    }
    return target.jobs;
}

void submit_calls(rr_pool pool, uint64_t first, size_t count)
{
    while (count > 0) {
        uint64_t numbers[256];
        size_t some = count < 256 ? count : 256;
        size_t taken = 0;
        for (size_t i = 0; i < some; i++) {
            numbers[i] = first + i;
        }
        require_ok("rr_pool_submit_calls", rr_pool_submit_calls(pool, numbers, some, &taken));
        if (test_has_failed()) {
            return;
        }
        first += taken;
        count -= taken;
    }
}

size_t collect_ready(rr_pool pool, visitor visit, void *context)
{
    static rr_completion completions[512];
    static char text[64 * 1024];
    size_t total = 0;
    for (;;) {
        size_t count = 0;
        size_t used = 0;
        rr_status status =
            rr_pool_collect(pool, completions, sizeof completions / sizeof completions[0],
                            sizeof completions[0], (uint8_t *)text, sizeof text, &count, &used);
        if (status != RR_STATUS_OK) {
            test_failed(__FILE__, __LINE__, "rr_pool_collect: %d (%s)", (int)status,
                        rr_status_message(status));
            return total;
        }
        if (count == 0) {
            return total;
        }
        for (size_t i = 0; i < count; i++) {
            visit(&completions[i], text, context);
        }
        total += count;
    }
}

void collect_to_the_end(rr_pool pool, visitor visit, void *context)
{
    for (;;) {
        rr_status status = rr_pool_poll(pool, 30000, NULL);
        if (status == RR_STATUS_CLOSED) {
            return;
        }
        require_ok("rr_pool_poll", status);
        if (test_has_failed()) {
            return;
        }
        collect_ready(pool, visit, context);
    }
}

static void copy_text(char *out, size_t capacity, const char *text, uint32_t offset,
                      uint32_t length)
{
    size_t part = length < capacity ? length : capacity - 1;
    memcpy(out, text + offset, part);
    out[part] = '\0';
}

void count_completion(const rr_completion *completion, const char *text, void *context)
{
    tally *sum = context;
    sum->completions++;
    sum->jobs += completion->jobs;
    if (completion->outcome < OUTCOMES) {
        sum->outcomes[completion->outcome] += completion->jobs;
    }
    sum->last = *completion;
    copy_text(sum->host_name, sizeof sum->host_name, text, completion->host_name_offset,
              completion->host_name_length);
    copy_text(sum->addresses, sizeof sum->addresses, text, completion->addresses_offset,
              completion->addresses_length);
    copy_text(sum->detail, sizeof sum->detail, text, completion->detail_offset,
              completion->detail_length);
}

tally finish_pool(rr_pool pool)
{
    tally sum;
    memset(&sum, 0, sizeof sum);
    require_ok("rr_pool_close_input", rr_pool_close_input(pool));
    if (!test_has_failed()) {
        collect_to_the_end(pool, count_completion, &sum);
    }
    close_pool(pool);
    return sum;
}

void close_pool(rr_pool pool)
{
    require_ok("rr_pool_close", rr_pool_close(pool, NULL));
}

bool may_echo(void)
{
    rr_pool pool = open_pool();
    rr_probe_options options = echo_options();
    rr_target target = target_of("127.0.0.1", 0);
    size_t taken = 0;
    rr_status status = rr_pool_submit_probes(pool, &options, &target, 1, sizeof target,
                                             (const uint8_t *)"127.0.0.1", 9, &taken);
    close_pool(pool);
    if (status == RR_STATUS_ICMP_NOT_PERMITTED) {
        test_skipped("neither raw nor datagram ICMP sockets are permitted");
        return false;
    }
    return true;
}

void close_socket(int fd)
{
#ifdef _WIN32
    closesocket((SOCKET)fd);
#else
    close(fd);
#endif
}

/* A socket's number fits an int, also on Windows. */
static int open_socket(void)
{
#ifdef _WIN32
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
#endif
    return (int)socket(AF_INET, SOCK_STREAM, 0);
}

static int bind_loopback(uint16_t *out_port)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    int fd = open_socket();
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &length) != 0) {
        test_failed(__FILE__, __LINE__, "no TCP socket on 127.0.0.1");
        if (fd >= 0) {
            close_socket(fd);
        }
        return -1;
    }
    *out_port = ntohs(name.sin_port);
    return fd;
}

int listen_on_loopback(uint16_t *out_port)
{
    int fd = bind_loopback(out_port);
    if (fd >= 0 && listen(fd, 64) != 0) {
        test_failed(__FILE__, __LINE__, "listen");
        close_socket(fd);
        return -1;
    }
    return fd;
}

uint16_t refused_port(void)
{
    uint16_t port = 1;
    int fd = bind_loopback(&port);
    if (fd >= 0) {
        close_socket(fd);
    }
    return port;
}

void add_one(int *value)
{
    __atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST);
}

int read_value(const int *value)
{
    return __atomic_load_n(value, __ATOMIC_SEQ_CST);
}

bool wait_until(const int *value, int at_least)
{
    int64_t end = now_ms() + 5000;
    while (read_value(value) < at_least) {
        if (now_ms() >= end) {
            return false;
        }
        sleep_ms(1);
    }
    return true;
}
