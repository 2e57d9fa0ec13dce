#include "cli/signing.h"

#include "ceremony/addition.h"
#include "cli/ceremony_sign.h"
#include "cli/journal.h"
#include "cli/publisher.h"
#include "cli/root_folder.h"
#include "cli/signing_check.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/disk.h"

#include <string.h>

/* ---- what is to be signed ---- */

static enum err open_packed(const struct signing *signing, struct release_folder *folder, struct why *why)
{
        enum err e = release_folder_open(signing->disk, &signing->release, folder, why);
        if (!e && folder->is_signed)
                e = FAIL(why, ERR_REFUSED, "it is signed already; publish it, or pack a new release");
        return e ? e : release_folder_check(folder, why);
}

static enum err read_proposed(struct ceremony_file *file, struct why *why)
{
        enum err e = holders_read(&file->proposal, &file->before, why);
        return e ? e : holders_draft(&file->proposal, &file->before, &file->after, why);
}

static enum err propose(const struct signing *signing, struct ceremony_file *file, struct why *why)
{
        OWN(release_folder) struct release_folder folder = { 0 };
        enum err e = open_packed(signing, &folder, why);
        if (!e)
                e = root_folder_read(signing->disk, &file->proposal, why);
        if (!e)
                e = addition_propose(&file->proposal, &folder.note, signing->now + PUBLISHER_METADATA_S, why);
        return e ? e : read_proposed(file, why);
}

static enum err with_name(const struct signing *signing, enum err e, struct why *why)
{
        return e ? DURING(why, e, "signing %s/%lld", signing->release.stream, (long long)signing->release.counter) : OK;
}

enum err signing_propose(const struct signing *signing, struct ceremony_file *file, struct why *why)
{
        return with_name(signing, propose(signing, file, why), why);
}

enum err signing_propose_renewal(const struct signing *signing, struct ceremony_file *file, struct why *why)
{
        const struct rotation renewal = { .now = signing->now, .listing_s = PUBLISHER_METADATA_S, .is_listing_only = true };
        enum err e = root_folder_read(signing->disk, &file->proposal, why);
        if (!e)
                e = rotation_propose(&file->proposal, &renewal, why);
        return e ? e : read_proposed(file, why);
}

/* ---- the keys that are here ---- */

/* Of the release's note and the listing together: whose word each paper takes. They share no key. */
struct sayers { struct rotation_need of[2]; size_t count; };

static struct sayers sayers_of(const struct ceremony_file *file)
{
        static const enum paper papers[] = { PAPER_TARGETS, PAPER_NOTE };
        struct sayers sayers = { 0 };
        for (size_t i = 0; i < sizeof(papers) / sizeof(papers[0]); i++) {
                struct rotation_need needs[ROTATION_NEEDS_MAX];
                size_t count = rotation_needs(&file->proposal, &file->before, &file->after, papers[i], needs);
                if (count && !(sayers.count && anchor_role_equal(&sayers.of[0].role, &needs[0].role)))
                        sayers.of[sayers.count++] = needs[0];
        }
        return sayers;
}

static const struct vkey *sayers_find(const struct sayers *sayers, const struct public_key *key)
{
        const struct vkey *found = NULL;
        for (size_t i = 0; !found && i < sayers->count; i++)
                found = anchor_role_find(&sayers->of[i].role, key);
        return found;
}

static enum err sign_with(const struct signing_keys_opener *opener, const char *reference, struct ceremony_file *file, struct why *why)
{
        OWN(signing_key) struct signing_key *key = NULL;
        const struct sayers sayers = sayers_of(file);
        enum err e = signing_key_open(opener, reference, &key, why);
        if (e)
                return e;
        const struct vkey *vkey = sayers_find(&sayers, signing_key_public(key));
        if (!vkey)
                return FAIL(why, ERR_UNTRUSTED, "%.200s is no %s key of public/release.anchor; this key is of another folder, or has another role", reference,
                            sayers.count > 1 ? "content or agent" : "content");
        if (proposal_has(&file->proposal, PAPER_TARGETS, &vkey->key) || proposal_has(&file->proposal, PAPER_NOTE, &vkey->key))
                return FAIL(why, ERR_USAGE, "%.200s is the key of %s, which was given before", reference, vkey->name);
        return ceremony_sign(file, reference, key, why);
}

static enum err check_count(const struct sayers *sayers, size_t count, struct why *why)
{
        const size_t content = sayers->of[0].role.threshold, agent = sayers->count > 1 ? sayers->of[1].role.threshold : 0;
        char also[96] = "";
        if (agent)
                snprintf(also, sizeof(also), ", and %zu agent keys as its stream carries the agent,", agent);
        if (count < content + agent)
                return FAIL(why, ERR_USAGE, "it takes %zu content keys%s to sign, and this is %zu: give each with --key, or write a proposal for where they are: `firebreak release propose`, `firebreak release renew FILE`",
                            content, also, count);
        return OK;
}

/* Those of --key, wherever they are; without, the one of the folder. */
static enum err sign_with_all(const struct signing *signing, struct ceremony_file *file, struct why *why)
{
        static const char *const own[] = { "offline/targets.pem" };
        const struct arg *given = &signing->args->of[OPTION_SIGNING_KEY];
        const char *const *references = given->count ? given->texts : own;
        const size_t count = given->count ? given->count : 1;
        const struct sayers sayers = sayers_of(file);
        OWN(signing_secrets) struct signing_secrets secrets = { 0 };
        const struct signing_keys_opener opener = { .args = signing->args, .secrets = &secrets, .disk = given->count ? NULL : signing->disk,
                                                    .folder = given->count ? NULL : signing->folder };
        enum err e = check_count(&sayers, count, why);
        for (size_t i = 0; !e && i < count; i++)
                e = sign_with(&opener, references[i], file, why);
        return e;
}

/* ---- in force ---- */

static enum err judge(const struct signing *signing, const struct ceremony_file *file, const struct buf files[static PAPERS], struct why *why)
{
        const struct proposed *papers = file->proposal.papers;
        return signing_check(&(struct signing_outcome){ .release = &signing->release, .anchor = &papers[PAPER_RELEASE_ANCHOR].before, .root = &papers[PAPER_RELEASE_ROOT].before,
                                     .old_snapshot = &papers[PAPER_SNAPSHOT].before, .note = &files[PAPER_NOTE], .targets = &files[PAPER_TARGETS],
                                     .snapshot = &files[PAPER_SNAPSHOT], .random = signing->random, .now = signing->now }, why);
}

static enum err commit(const struct signing *signing, const struct buf files[static PAPERS], struct why *why)
{
        char note[PUBLISHER_PATH_MAX];
        publisher_release_path(&signing->release, "/note", note);
        const struct journal_file all[] = { { note, &files[PAPER_NOTE] }, { "metadata/targets.json", &files[PAPER_TARGETS] }, { "metadata/snapshot.json", &files[PAPER_SNAPSHOT] } };
        return journal_commit(signing->disk, all, sizeof(all) / sizeof(all[0]), why);
}

static enum err finish(const struct signing *signing, const struct ceremony_file *file, struct why *why)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        enum err e = rotation_finish(&file->proposal, signing->now, files.of, why);
        if (!e)
                e = judge(signing, file, files.of, why);
        return e ? e : commit(signing, files.of, why);
}

static bool is_text_of(const struct release_folder *folder, const struct ceremony_file *file)
{
        const struct buf *text = &file->proposal.papers[PAPER_NOTE].text;
        return folder->manifest->text_length == text->length && memcmp(buf_text(&folder->note), buf_text(text), text->length) == 0;
}

/* What is signed here was listed with it. ERR_REFUSED: somebody changed the folder since. */
static enum err check_listed(const struct signing *signing, const struct ceremony_file *file, struct why *why)
{
        char path[RELEASE_PATH_MAX], hex[65];
        OWN(buf) struct buf text;
        OWN(json) struct json *targets = NULL;
        OWN(release_note) struct release_note *note = NULL;
        buf_init(&text, LIMIT_METADATA_BYTES);
        enum err e = signing->disk->ops->read(signing->disk, "metadata/targets.json", &text, why);
        if (!e)
                e = json_parse(buf_text(&text), text.length, LIMIT_METADATA_BYTES, &targets, why);
        if (!e)
                e = addition_note(&file->proposal, &note, why);
        if (e)
                return e;
        release_note_path(note, path);
        hex_encode(note->target, sizeof(note->target), hex);
        const char *listed = json_text(json_get(json_get(json_get(json_get(json_get(targets, "signed"), "targets"), path), "hashes"), "sha256"));
        if (listed && strcmp(listed, hex) == 0)
                return OK;
        return FAIL(why, ERR_REFUSED, "its note has signatures already, and metadata/targets.json does not list it: the folder was changed by hand; pack the content again, with a higher counter");
}

static enum err take(const struct signing *signing, const struct ceremony_file *file, struct why *why)
{
        OWN(release_folder) struct release_folder folder = { 0 };
        enum err e = release_folder_open(signing->disk, &signing->release, &folder, why);
        if (!e && !is_text_of(&folder, file))
                e = FAIL(why, ERR_REFUSED, "the proposal is of another content than the one that is packed here");
        if (!e && folder.is_signed)                      /* with the listing, in one step: it is done */
                return check_listed(signing, file, why);
        if (e)
                return e;
        e = release_folder_check(&folder, why);
        if (!e)
                e = root_folder_check(signing->disk, &file->proposal, why);
        return e ? e : finish(signing, file, why);
}

enum err signing_take(const struct signing *signing, const struct ceremony_file *file, struct why *why)
{
        return with_name(signing, take(signing, file, why), why);
}

static struct signed_release made_of(const struct ceremony_file *file)
{
        return (struct signed_release){ .version = file->after.targets.version, .expires = file->after.targets.expires };
}

enum err signing_do(const struct signing *signing, struct signed_release *ret_signed, struct why *why)
{
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        OWN(release_note) struct release_note *note = NULL;
        enum err e = ceremony_file_make(&file, why);
        if (!e)
                e = propose(signing, file, why);
        if (!e)
                e = addition_note(&file->proposal, &note, why);
        if (!e)
                e = sign_with_all(signing, file, why);
        if (!e)
                e = finish(signing, file, why);
        if (e)
                return with_name(signing, e, why);
        *ret_signed = made_of(file);
        memcpy(ret_signed->target, note->target, sizeof(ret_signed->target));
        return OK;
}

static enum err renew(const struct signing *signing, const struct ceremony_file *file, struct why *why)
{
        OWN(rotation_files) struct rotation_files files;
        rotation_files_init(&files);
        enum err e = rotation_finish(&file->proposal, signing->now, files.of, why);
        return e ? e : root_folder_take(signing->disk, &(struct root_taking){ &file->before, &file->after, files.of, false }, why);
}

enum err signing_renew(const struct signing *signing, struct signed_release *ret_signed, struct why *why)
{
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        enum err e = ceremony_file_make(&file, why);
        if (!e)
                e = signing_propose_renewal(signing, file, why);
        if (!e)
                e = sign_with_all(signing, file, why);
        if (!e)
                e = renew(signing, file, why);
        if (e)
                return DURING(why, e, "signing the listing anew");
        *ret_signed = made_of(file);
        return OK;
}
