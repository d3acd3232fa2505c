/*
 * What both sides of the TCP measurement connect to: accepts on every address of the loopback
 * interface and closes at once, until its standard input ends.
 *
 * usage: listener [PORT]      0 or none: any free port
 * output: port=N
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_port = htons((uint16_t)(count > 1 ? strtoul(arguments[1], NULL, 10) : 0));
    /* Every address of 127.0.0.0/8, and nothing from outside. */
    name.sin_addr.s_addr = htonl(INADDR_ANY);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0 ||
        bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &length) != 0) {
        perror("listener");
        return 1;
    }
    printf("port=%u\n", (unsigned)ntohs(name.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd ready[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        int client;
        if (poll(ready, 2, -1) < 0) {
            return 1;
        }
        while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
            close(client);
        }
        if (ready[1].revents) {
            return 0;
        }
    }
}
