/* Any inputs in any order: no assertion of the library may fail, and the window is never passed. */
#include "rollout/rollout.h"
#include "rollout/view.h"

#include <assert.h>

enum { FLEET = 12, INPUT_BYTES = 3 };

static void feed(struct rollout *rollout, const uint8_t *byte, int64_t now_ms)
{
        struct rollout_device devices[FLEET];
        struct rollout_pick picks[FLEET];
        struct rollout_line line = { now_ms, devices, byte[1] % (FLEET + 2), picks, 0 };
        int64_t deadline_ms;
        for (uint32_t i = 0; i < FLEET; i++)
                devices[i] = (struct rollout_device){ .device = (i + byte[2]) % FLEET, .bucket = i * 77, .block = i % 2, .strata = { (uint16_t)(i % 3) }, .strata_count = 1 };
        switch (byte[0] % 7) {
        case 0: (void)!rollout_tick(rollout, now_ms); break;
        case 1: (void)!rollout_pick(rollout, &line, NULL); break;
        case 2: (void)!rollout_granted(rollout, byte[1], now_ms, &deadline_ms, NULL); break;
        case 3: (void)!rollout_report(rollout, &(struct rollout_report){ now_ms, byte[1], byte[2] & 7, byte[2] >> 3 & 15 }, NULL); break;
        case 4: (void)!rollout_command(rollout, &(struct rollout_command){ byte[1] % ROLLOUT_EVENTS, now_ms, byte[2] % ROLLOUT_REASONS, "a", "b", "c" }, NULL); break;
        case 5: rollout_freeze(rollout, now_ms, byte[1] & 1, byte[2]); break;
        default: rollout_seen(rollout, now_ms, byte[1]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct rollout_policy policy = { .budget = 3, .bake_s = 1, .gap_s = 1, .alpha_ppm = 100000, .controls = 1, .cap_per_bake = 9, .watch_s = 9, .complete_ppm = 900000 };
        const struct rollout_config config = { .policy = policy, .fleet = FLEET, .blocks = 2, .strata = 3, .leases_max = 100 };
        OWN(rollout) struct rollout *rollout = NULL;
        static const struct rollout_step ramp[] = { { 50, 4 }, { 3000, FLEET } };
        if (rollout_new(&config, &rollout, NULL) || rollout_ceiling(rollout, ramp, size % 3, NULL) || rollout_start(rollout, 0, NULL))
                return 0;
        int64_t now_ms = 0;
        for (size_t i = 0; i + INPUT_BYTES <= size; i += INPUT_BYTES) {
                struct rollout_view view;
                now_ms += data[i] >> 3 << 4;
                feed(rollout, &data[i], now_ms);
                rollout_view(rollout, &view);
                assert(view.fleet.hurt + view.fleet.unanswered <= view.fleet.exposed && view.fleet.exposed <= 100);
                assert(!view.is_frozen || !rollout_wants_line(rollout));
        }
        return 0;
}
