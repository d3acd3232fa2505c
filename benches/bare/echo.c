/*
 * The bare loop that the engine's echo is measured against: one thread, sendmmsg and recvmmsg of
 * 128 packets, 16 bytes of payload, no time stamps, no timers, no matching beyond the identifier.
 * Answers are read after each batch, so the receive buffer never holds much more than one.
 *
 * usage: echo HOSTS        echoes 127.0.0.1 upward; needs a raw socket
 * output: hosts=N received=N seconds=S hosts_per_second=N
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 128, PAYLOAD = 16, PACKET = 8 + PAYLOAD, IDENTIFIER = 0x5252 };

static unsigned char requests[BATCH][PACKET];
static struct sockaddr_in names[BATCH];
static struct iovec request_parts[BATCH];
static struct mmsghdr request_messages[BATCH];
static unsigned char replies[BATCH][128];
static struct iovec reply_parts[BATCH];
static struct mmsghdr reply_messages[BATCH];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint16_t checksum(const unsigned char *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    }
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~(sum + (sum >> 16));
}

static void write_request(int slot, uint32_t host)
{
    unsigned char *packet = requests[slot];
    uint16_t sum;
    memset(packet, 0, PACKET);
    packet[0] = ICMP_ECHO;
    packet[4] = IDENTIFIER >> 8;
    packet[5] = IDENTIFIER & 0xff;
    packet[6] = (unsigned char)(host >> 8);
    packet[7] = (unsigned char)host;
    sum = checksum(packet, PACKET);
    packet[2] = (unsigned char)(sum >> 8);
    packet[3] = (unsigned char)sum;
    names[slot].sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
}

/* Reads whatever has come; the number of answers to us. */
static uint32_t read_replies(int fd)
{
    uint32_t received = 0;
    for (;;) {
        int count = recvmmsg(fd, reply_messages, BATCH, MSG_DONTWAIT, NULL);
        if (count <= 0) {
            return received;
        }
        for (int i = 0; i < count; i++) {
            const unsigned char *icmp = replies[i] + (replies[i][0] & 15) * 4;
            received += icmp[0] == ICMP_ECHOREPLY && icmp[4] == IDENTIFIER >> 8 &&
                        icmp[5] == (IDENTIFIER & 0xff);
        }
        if (count < BATCH) {
            return received;
        }
    }
}

int main(int count, char **arguments)
{
    uint32_t hosts = count == 2 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 0;
    uint32_t received = 0;
    uint32_t sent = 0;
    int buffer = 8 << 20;
    struct icmp_filter only_replies = {~(1u << ICMP_ECHOREPLY)};
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    double begin, seconds;
    if (hosts == 0) {
        fprintf(stderr, "usage: echo HOSTS\n");
        return 2;
    }
    if (fd < 0) {
        perror("raw socket");
        return 1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    setsockopt(fd, SOL_RAW, ICMP_FILTER, &only_replies, sizeof only_replies);
    for (int i = 0; i < BATCH; i++) {
        names[i].sin_family = AF_INET;
        request_parts[i].iov_base = requests[i];
        request_parts[i].iov_len = PACKET;
        request_messages[i].msg_hdr.msg_name = &names[i];
        request_messages[i].msg_hdr.msg_namelen = sizeof names[i];
        request_messages[i].msg_hdr.msg_iov = &request_parts[i];
        request_messages[i].msg_hdr.msg_iovlen = 1;
        reply_parts[i].iov_base = replies[i];
        reply_parts[i].iov_len = sizeof replies[i];
        reply_messages[i].msg_hdr.msg_iov = &reply_parts[i];
        reply_messages[i].msg_hdr.msg_iovlen = 1;
    }
    begin = now();
    while (sent < hosts) {
        uint32_t batch = hosts - sent < BATCH ? hosts - sent : BATCH;
        uint32_t done = 0;
        for (uint32_t i = 0; i < batch; i++) {
            write_request((int)i, sent + i);
        }
        while (done < batch) {
            int some = sendmmsg(fd, request_messages + done, batch - done, 0);
            if (some < 0 && errno != EAGAIN && errno != ENOBUFS) {
                perror("sendmmsg");
                return 1;
            }
            done += some > 0 ? (uint32_t)some : 0;
            received += read_replies(fd);
        }
        sent += batch;
    }
    while (received < hosts) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, 1000) <= 0) {
            break;
        }
        received += read_replies(fd);
    }
    seconds = now() - begin;
    printf("hosts=%u received=%u seconds=%.6f hosts_per_second=%.0f\n", hosts, received, seconds,
           hosts / seconds);
    close(fd);
    return received == hosts ? 0 : 1;
}
