/* past.h - what an engine used to use, and whether a release makes it use too much. Pure: samples in, verdict out.
 *
 * The past is made of windows, as long as the time for which too much has to last: the average of a longer one would hide what a scan takes, and a
 * release be blamed for the next scan. Of each of the last eight days that a device was up the window with the most counts: so what an engine does once
 * a day, or once a week, is in its past, and a fault that was mended is forgotten. A past of few windows is none, and nobody is judged by it.
 *
 * A release is at fault when the engine uses more than so many percent of its past, and more than a least, in every window for so long: at its
 * busiest, as while it loads, an engine may use what it likes. */
#pragma once

#include "agent/config.h"

enum { PAST_DAYS = 8, PAST_DAY_MS = 86400000, PAST_WINDOWS_MIN = 12, PAST_PARTS = 8, PAST_TEXT_BYTES = 128 };

/* CPU in thousandths of one processor; memory at the window's end. */
struct past_use { uint64_t cpu_permille, memory_kib; };
struct past_day { uint64_t windows; struct past_use most; };
struct past {
        uint64_t day_ms;                 /* of today that is over, of the time that the device was up */
        struct past_day days[PAST_DAYS]; /* today first */
};

/* `passed_ms`: since the window before it ended, if that is known, else since this one began. */
void past_add(struct past *past, const struct past_use *use, int64_t passed_ms);
bool past_is_enough(const struct past *past);
struct past_use past_most(const struct past *past);
/* Is `now` worth another write of what was `kept`? Every window until there are enough, later a new day, or an eighth more. */
bool past_is_news(const struct past *now, const struct past *kept);

/* On disk (streams/NAME/past), and therefore frozen. Lost or damaged costs no more than to begin anew. */
struct past_record {
        char magic[4];                   /* "FBPS" */
        uint32_t crc;                    /* of everything after it */
        uint32_t version, unused;
        struct past past;
};
_Static_assert(sizeof(struct past_record) == 16 + 8 + PAST_DAYS * 24, "on-disk format");
struct past_record past_pack(const struct past *past);
bool past_unpack(const void *bytes, size_t length, struct past *ret_past);

/* What the windows of one trial said until now; zeros at its start. */
struct past_watch {
        int64_t windows;
        int64_t cpu_ms, memory_ms;       /* how long in a row it is too much; 0: it is not */
};
struct past_window { struct past_use use; int64_t length_ms; };
/* True when it has lasted: text says what, as "cpu 98 % for 60 s, 4 % before". */
bool past_judge(struct past_watch *watch, const struct agent_resources *limits, const struct past_use *most, const struct past_window *window,
                char text[PAST_TEXT_BYTES]);
/* In the last window, and not for long enough to be judged. */
bool past_is_over(const struct past_watch *watch);
