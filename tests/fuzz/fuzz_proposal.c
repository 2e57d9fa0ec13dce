/* A proposal that came from another machine: what it says is read, and what is written again is the same. */
#include "ceremony/rotation.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The signatures of a seed fit; those of a mutant need not, so the texts are tried without them, too. */
static void read_texts(struct proposal *proposal)
{
        struct holders before, after;
        struct rotation_need needs[ROTATION_NEEDS_MAX];
        if (holders_read(proposal, &before, NULL) != OK || holders_draft(proposal, &before, &after, NULL) != OK)
                return;
        for (enum paper paper = 0; paper < PAPERS; paper++)
                if (rotation_needs(proposal, &before, &after, paper, needs) > ROTATION_NEEDS_MAX)
                        abort();
        (void)rotation_is_complete(proposal, &before, &after);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(proposal) struct proposal proposal, again;
        OWN(buf) struct buf file, twice;
        proposal_init(&proposal);
        proposal_init(&again);
        buf_init(&file, 2 * LIMIT_PROPOSAL_BYTES);
        buf_init(&twice, 2 * LIMIT_PROPOSAL_BYTES);
        if (proposal_read((const char *)bytes, length, &proposal, NULL) != OK)
                return 0;
        read_texts(&proposal);
        if (proposal_write(&proposal, &file, NULL) != OK || proposal_read(buf_text(&file), file.length, &again, NULL) != OK || proposal_write(&again, &twice, NULL) != OK ||
            !buf_equal(&file, &twice))
                abort();
        return 0;
}
