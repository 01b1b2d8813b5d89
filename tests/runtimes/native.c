/* Answers payloads and contexts from standard input through the header: each a length of 4 bytes, then the bytes. */
#include <stdio.h>
#include <stdlib.h>
#include "tributary.h"

_Static_assert(offsetof(TributaryBuffer, ptr) == 0, "ptr comes first");
_Static_assert(offsetof(TributaryBuffer, len) == sizeof(void *), "len comes next");

static uint32_t read_length(void) {
    uint8_t bytes[4];
    if (fread(bytes, 1, 4, stdin) != 4) exit(0);
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static TributaryBuffer *next(void) {
    TributaryBuffer *buffer = tributary_buffer_new(read_length());
    if (buffer == NULL || fread(buffer->ptr, 1, buffer->len, stdin) != buffer->len) exit(1);
    return buffer;
}

int main(void) {
    if (tributary_abi_version() != TRIBUTARY_ABI_VERSION) return 1;
    for (;;) {
        TributaryBuffer *payload = next();
        TributaryBuffer *context = next();
        TributaryBuffer *answer = tributary_plan(payload, context);
        uint32_t length = (uint32_t)answer->len;
        uint8_t bytes[4] = {length & 255, length >> 8 & 255, length >> 16 & 255, length >> 24};
        fwrite(bytes, 1, 4, stdout);
        fwrite(answer->ptr, 1, answer->len, stdout);
        fflush(stdout);
        tributary_buffer_free(payload);
        tributary_buffer_free(context);
        tributary_buffer_free(answer);
    }
}
