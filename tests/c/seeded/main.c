/*
 * Faults that a memory checker has to find: `read` lets the library read behind a block of the caller's,
 * `leak` loses one. Without a checker both end well.
 */
#include "rust_runspaces.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 };

static int read_behind_a_block(void)
{
    rr_pool_options pool_options;
    rr_probe_options options;
    rr_target target;
    rr_pool pool = 0;
    size_t taken = 0;
    uint16_t port = 1;
    uint8_t *text = malloc(BLOCK);
    if (!text) {
        return 2;
    }
    memset(text, '1', BLOCK);
    memset(&pool_options, 0, sizeof pool_options);
    memset(&options, 0, sizeof options);
    memset(&target, 0, sizeof target);
    pool_options.struct_size = sizeof pool_options;
    options.struct_size = sizeof options;
    options.kind = RR_KIND_CONNECT;
    options.ports = &port;
    options.port_count = 1;
    target.text_length = BLOCK + 1;
    if (rr_pool_open(&pool_options, &pool) != RR_STATUS_OK) {
        return 2;
    }
    rr_pool_submit_probes(pool, &options, &target, 1, sizeof target, text, BLOCK + 1, &taken);
    rr_pool_close(pool, NULL);
    free(text);
    return 0;
}

static int lose_a_block(void)
{
    char *volatile block = malloc(BLOCK);
    block = NULL;
    return block != NULL;
}

int main(int count, char **arguments)
{
    return count > 1 && strcmp(arguments[1], "leak") == 0 ? lose_a_block() : read_behind_a_block();
}
