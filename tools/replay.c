/* replay FILE...: gives each file to a fuzz target, for ./dev coverage: what the committed inputs run, without libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int main(int argc, char **argv)
{
    enum { INPUT_BYTES_MAX = 1 << 20 };
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        uint8_t *bytes = malloc(INPUT_BYTES_MAX); /* a heap block of its own, as libFuzzer gives */
        if (!file || !bytes)
            return perror(argv[i]), 1;
        size_t size = fread(bytes, 1, INPUT_BYTES_MAX, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    return 0;
}
