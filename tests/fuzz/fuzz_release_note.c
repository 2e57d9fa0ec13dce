/* The text of a release note: there is one spelling for each note, so what was read is written as the same bytes. */
#include "trust/release_note.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
        OWN(release_note) struct release_note *note = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, 2 * LIMIT_NOTE_BYTES);
        if (release_note_parse((const char *)bytes, length, &note, NULL) != OK)
                return 0;
        if (release_note_write(note, &text, NULL) != OK || text.length != length || memcmp(buf_text(&text), bytes, length) != 0)
                abort();
        for (size_t i = 0; i < note->file_count; i++)
                if (note->files[i].path[0] == '/' || strstr(note->files[i].path, "../") == note->files[i].path || strstr(note->files[i].path, "/../"))
                        abort();
        return 0;
}
