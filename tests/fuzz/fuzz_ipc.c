/* Frames of another process: read or refused, and every text of a request that was read ends where it says. */
#include "server/ipc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(arena) struct arena *arena = arena_new(1 << 20);
        struct ipc_frame frame;
        size_t used = 0, count = 0;
        struct store_request request;
        struct store_public state;
        const struct store_seen *seen = NULL;
        struct ipc_signed signature;
        enum signer_form form;
        struct store_text wish;
        struct ipc_answer answer;
        if (!arena || ipc_cut((const char *)bytes, length, &frame, &used, NULL) || !used)
                return 0;
        if (ipc_read_request(&frame, &request, NULL) == OK && request.body.bytes && request.body.bytes[request.body.length])
                __builtin_trap();
        if (ipc_read_answer(&frame, &answer, NULL) == OK && answer.body.length > frame.length)
                __builtin_trap();
        (void)!ipc_read_public(&frame, arena, &state, NULL);
        (void)!ipc_read_seen(&frame, arena, &seen, &count, NULL);
        (void)!ipc_read_signed(&frame, &signature, NULL);
        (void)!ipc_read_sign(&frame, &form, &wish, NULL);
        return 0;
}
