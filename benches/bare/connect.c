/*
 * The bare loop that the engine's TCP connects are measured against: one thread, nonblocking
 * connects, at most 1,024 in flight, one epoll, closed with a reset as the engine does.
 *
 * usage: connect CONNECTS PORT     to 127.0.0.1 upward, 254 addresses in turn
 * output: connects=N open=N refused=N seconds=S connects_per_second=N
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_FLIGHT = 1024, ADDRESSES = 254, EVENTS = 256 };

static uint32_t opened, refused;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void end(int fd, int error)
{
    opened += error == 0;
    refused += error == ECONNREFUSED;
    close(fd);
}

/* Begins a connect; 1 where it is in flight, 0 where it has ended already, -1 on failure. */
static int begin_connect(int epoll, uint32_t number, uint16_t port)
{
    struct linger reset = {1, 0};
    struct sockaddr_in name;
    struct epoll_event event;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % ADDRESSES);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0) {
        end(fd, 0);
        return 0;
    }
    if (errno != EINPROGRESS) {
        end(fd, errno);
        return 0;
    }
    memset(&event, 0, sizeof event);
    event.events = EPOLLOUT;
    event.data.fd = fd;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 1 : -1;
}

int main(int count, char **arguments)
{
    uint32_t connects = count == 3 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 0;
    uint16_t port = count == 3 ? (uint16_t)strtoul(arguments[2], NULL, 10) : 0;
    uint32_t begun = 0;
    uint32_t in_flight = 0;
    struct rlimit descriptors;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    double begin, seconds;
    if (connects == 0 || port == 0) {
        fprintf(stderr, "usage: connect CONNECTS PORT\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    begin = now();
    while (begun < connects || in_flight > 0) {
        struct epoll_event events[EVENTS];
        int ready;
        while (begun < connects && in_flight < IN_FLIGHT) {
            int result = begin_connect(epoll, begun, port);
            if (result < 0) {
                perror("connect");
                return 1;
            }
            begun++;
            in_flight += (uint32_t)result;
        }
        ready = epoll_wait(epoll, events, EVENTS, in_flight > 0 ? 5000 : 0);
        if (ready <= 0 && in_flight > 0) {
            fprintf(stderr, "%u connects did not end within 5 seconds\n", in_flight);
            return 1;
        }
        for (int i = 0; i < ready; i++) {
            int error = 0;
            socklen_t length = sizeof error;
            getsockopt(events[i].data.fd, SOL_SOCKET, SO_ERROR, &error, &length);
            end(events[i].data.fd, error);
            in_flight--;
        }
    }
    seconds = now() - begin;
    printf("connects=%u open=%u refused=%u seconds=%.6f connects_per_second=%.0f\n", connects,
           opened, refused, seconds, connects / seconds);
    close(epoll);
    return opened + refused == connects ? 0 : 1;
}
