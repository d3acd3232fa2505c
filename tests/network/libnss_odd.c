/*
 * A module of glibc's name service (nsswitch.conf: "hosts: odd") that never answers for names that
 * begin with "hang" and knows no other. It appends the name of each thread that calls it to the file
 * that NSS_ODD_LOG names.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <nss.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum nss_status _nss_odd_gethostbyname4_r(const char *name, struct gaih_addrtuple **found, char *buffer,
                                          size_t size, int *error, int *host_error, int32_t *ttl);

enum nss_status _nss_odd_gethostbyname4_r(const char *name, struct gaih_addrtuple **found, char *buffer,
                                          size_t size, int *error, int *host_error, int32_t *ttl)
{
    char line[17] = "";
    int log = open(getenv("NSS_ODD_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    (void)found, (void)buffer, (void)size, (void)error, (void)ttl;
    prctl(PR_GET_NAME, line);
    strcat(line, "\n");
    if (log < 0 || write(log, line, strlen(line)) < 0) {
        abort();
    }
    close(log);
    while (strncmp(name, "hang", 4) == 0) {
        pause();
    }
    *host_error = HOST_NOT_FOUND;
    return NSS_STATUS_NOTFOUND;
}
