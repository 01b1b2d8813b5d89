/* A C program that decides with the native library:
 *   cc -I web/include web/examples/c/plan.c libtributary_web.a -lpthread -ldl -lm -o plan && ./plan payload.json context.json
 */
#include <stdio.h>
#include "tributary.h"

static TributaryBuffer *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) return NULL;
    TributaryBuffer *buffer = tributary_buffer_new((uint32_t)ftell(file));
    rewind(file);
    if (buffer != NULL && fread(buffer->ptr, 1, buffer->len, file) != buffer->len) {
        tributary_buffer_free(buffer);
        buffer = NULL;
    }
    fclose(file);
    return buffer;
}

int main(int argc, char **argv) {
    TributaryBuffer *payload = argc == 3 ? read_file(argv[1]) : NULL;
    TributaryBuffer *context = argc == 3 ? read_file(argv[2]) : NULL;
    if (payload == NULL || context == NULL) {
        fprintf(stderr, "name a payload and a context that can be read\n");
        return 2;
    }
    TributaryBuffer *answer = tributary_plan(payload, context);
    fwrite(answer->ptr, 1, answer->len, stdout);
    putchar('\n');
    tributary_buffer_free(payload);
    tributary_buffer_free(context);
    tributary_buffer_free(answer);
    return 0;
}
