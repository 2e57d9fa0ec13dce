#include "tuf/show.h"

#include "base/utc.h"
#include "format/json.h"
#include "trust/tuf_time.h"

#include <inttypes.h>

static struct json *roles_json(const struct tuf *tuf)
{
        struct json *roles = json_new_object();
        for (enum tuf_role role = TUF_ROOT; role < TUF_ROLES; role++) {
                struct json *json = json_new_object();
                json_set_int(json, "version", (int64_t)tuf_version(tuf, role));
                json_set_int(json, "expires", tuf_expires(tuf, role));
                json_set(roles, tuf_role_name(role), json);
        }
        return roles;
}

static struct json *targets_json(const struct shown *shown)
{
        struct json *targets = json_new_array();
        for (size_t i = 0; i < shown->count; i++) {
                struct json *json = json_new_object();
                json_set_text(json, "name", shown->options->names[i]);
                json_set_text(json, "file", shown->downloaded[i].file);
                json_set_int(json, "length", (int64_t)shown->downloaded[i].length);
                json_set_bool(json, "was_there", shown->downloaded[i].was_there);
                json_add(targets, json);
        }
        return targets;
}

static void show_text(const struct shown *shown, struct buf *into)
{
        for (enum tuf_role role = TUF_ROOT; !shown->count && role < TUF_ROLES; role++) {
                char expires[TUF_TIME_BYTES];
                utc_text_s(tuf_expires(shown->tuf, role), expires);
                buf_addf(into, "%-9s version %" PRIu64 ", expires %s\n", tuf_role_name(role), tuf_version(shown->tuf, role), expires);
        }
        for (size_t i = 0; i < shown->count; i++)
                buf_addf(into, "%s/%s: %" PRIu64 " bytes%s\n", shown->options->target_dir, shown->downloaded[i].file, shown->downloaded[i].length,
                         shown->downloaded[i].was_there ? ", there already" : "");
}

enum err show(const struct shown *shown, struct buf *into, struct why *why)
{
        if (!shown->options->is_json) {
                show_text(shown, into);
                return buf_check(into, why);
        }
        OWN(json) struct json *json = json_new_object();
        json_set(json, "roles", roles_json(shown->tuf));
        json_set(json, "targets", targets_json(shown));
        enum err e = json_write(json, 0, into, why);
        buf_add_text(into, "\n");
        return e ? e : buf_check(into, why);
}
