/* options.h - what is said to firebreak-nft. */
#pragma once

#include "nft/answer.h"
#include "nft/rules.h"

#include <stdbool.h>

struct nft_options {
        const char *command, *rules, *state, *status;
        struct rules_owned owned;
        struct answer_places places;
        int64_t within_ms;
        bool has_channel, is_quiet, wants_help, wants_version;
};
extern const char nft_usage[];
MUST_CHECK enum err nft_options_read(int argc, char **argv, struct nft_options *ret_options, struct why *why);
