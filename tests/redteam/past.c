#include "redteam/past.h"

#include "base/mem.h"

#include <string.h>

/* One conversation, as it was with the first device that had it. */
struct script {
        const struct past *past;
        const struct scene *scene;
        struct buf facts;                /* a bundle without files, of a device with no name */
        struct buf files, cohort;
        int64_t now_s;                   /* its time, and how it ended */
        struct refreshed end;
        struct past *after;
        struct refresh_count count;      /* of the whole of it */
        bool is_indifferent;
        struct script *next;
};

struct pasts {
        const struct red *red;
        struct past *first;
        struct script *scripts;
};

static void *new_or_die(size_t size)
{
        void *new = mem_new(1, size);
        sure(new ? OK : ERR_NOMEM, NULL);
        return new;
}

struct pasts *pasts_new(const struct red *red)
{
        struct pasts *pasts = new_or_die(sizeof(*pasts));
        pasts->red = red;
        return pasts;
}

void pasts_free(struct pasts *pasts)
{
        if (!pasts)
                return;
        for (struct past *past = pasts->first, *next; past; past = next) {
                next = past->next;
                buf_done(&past->files);
                mem_free(past);
        }
        for (struct script *script = pasts->scripts, *next; script; script = next) {
                next = script->next;
                buf_done(&script->facts);
                buf_done(&script->files);
                buf_done(&script->cohort);
                mem_free(script);
        }
        mem_free(pasts);
}

static bool find_kept(const struct buf *files, unsigned repository, unsigned role, struct buf *ret_bytes)
{
        uint8_t kind;
        for (size_t i = 0; i < question_walk(files, 0, NULL, NULL); i++) {
                (void)question_walk(files, i, &kind, ret_bytes);
                if (kind == bundle_file(BUNDLE_KEPT, (enum bundle_repository)repository, (enum tuf_role)role))
                        return true;
        }
        return false;
}

static bool is_same(const struct buf *a, const struct buf *b)
{
        return a->length == b->length && memcmp(buf_text(a), buf_text(b), a->length) == 0;
}

static struct past *share(struct pasts *pasts, const struct buf *files)
{
        for (struct past *past = pasts->first; past; past = past->next)
                if (is_same(&past->files, files))
                        return past;
        struct past *past = new_or_die(sizeof(*past));
        struct buf targets = { 0 };
        buf_init(&past->files, BUNDLE_BYTES_MAX);
        scene_set(&past->files, files);
        if (find_kept(files, BUNDLE_RELEASE, TUF_TARGETS, &targets))
                past->edition = publisher_edition(pasts->red->publisher, &targets);
        past->next = pasts->first;
        pasts->first = past;
        return past;
}

struct past *past_first(struct pasts *pasts)
{
        const struct publisher *publisher = pasts->red->publisher;
        OWN(buf) struct buf files;
        buf_init(&files, BUNDLE_BYTES_MAX);
        bundle_add(&files, bundle_file(BUNDLE_KEPT, BUNDLE_RELEASE, TUF_ROOT), publisher->root.bytes, publisher->root.length);
        bundle_add(&files, bundle_file(BUNDLE_KEPT, BUNDLE_DIRECTOR, TUF_ROOT), publisher->director_root.bytes, publisher->director_root.length);
        return share(pasts, &files);
}

static struct past *past_after(struct pasts *pasts, const struct buf *files, const struct verdict *verdict)
{
        OWN(buf) struct buf kept;
        buf_init(&kept, BUNDLE_BYTES_MAX);
        for (unsigned repository = 0; repository < BUNDLE_REPOSITORIES; repository++)
                for (unsigned role = 0; role < TUF_ROLES; role++) {
                        struct buf bytes = { 0 };
                        if (question_is_news(files, verdict, repository, role, &bytes) || find_kept(files, repository, role, &bytes))
                                bundle_add(&kept, bundle_file(BUNDLE_KEPT, (enum bundle_repository)repository, (enum tuf_role)role), bytes.bytes, bytes.length);
                }
        return share(pasts, &kept);
}

/* One of the same time, or of another. */
static const struct script *find_script(const struct pasts *pasts, const struct script *like)
{
        const struct script *found = NULL;
        for (const struct script *script = pasts->scripts; script; script = script->next) {
                if (script->past != like->past || script->scene != like->scene || !is_same(&script->facts, &like->facts))
                        continue;
                if (script->now_s == like->now_s)
                        return script;
                found = script;
        }
        return found;
}

static void add_script(struct pasts *pasts, const struct script *like)
{
        struct script *script = new_or_die(sizeof(*script));
        *script = *like;
        buf_init(&script->facts, BUNDLE_BYTES_MAX);
        buf_init(&script->files, BUNDLE_BYTES_MAX);
        buf_init(&script->cohort, BUNDLE_BYTES_MAX);
        scene_set(&script->facts, &like->facts);
        scene_set(&script->files, &like->files);
        scene_set(&script->cohort, &like->cohort);
        script->next = pasts->scripts;
        pasts->scripts = script;
}

/* What refresh.c does with an answer. False: give up. */
static bool bring(const struct scene *scene, struct script *script, struct refreshed *refreshed, struct refresh_count *count)
{
        const struct verdict *want = &refreshed->verdict;
        const bool is_cohort = want->want_role == VERDICT_COHORT_ROLE, is_root = want->want_role == TUF_ROOT;
        const enum bundle_repository repository = (enum bundle_repository)want->want_repository;
        const enum tuf_role role = (enum tuf_role)want->want_role;
        const struct buf *file = is_cohort ? &scene->cohort : &scene->files[repository][want->want_role];
        bool is_there = file->length && !(is_root && want->want_version > 2);
        count->requests++;
        count->bytes += !is_there ? 0 : file->length < want->want_bytes_max ? file->length : want->want_bytes_max;
        if ((!is_there && !is_root) || (is_there && file->length > want->want_bytes_max)) {
                refreshed->is_refused = is_cohort;
                return false;
        }
        if (is_cohort)
                scene_set(&script->cohort, file);
        else
                bundle_add(&script->files, bundle_file(is_there ? BUNDLE_FRESH : BUNDLE_ABSENT, repository, role), file->bytes, is_there ? file->length : 0);
        return true;
}

static void decide(const struct script *script, struct question question, struct refreshed *refreshed, struct refresh_count *count)
{
        OWN(buf) struct buf bundle;
        struct why why = { .text = "" };
        buf_init(&bundle, BUNDLE_BYTES_MAX);
        question.files = &script->files;
        question.cohort = &script->cohort;
        question_write(&question, &bundle);
        sure(buf_check(&bundle, &why), &why);
        count->runs++;
        verdict_decide(bundle.bytes, bundle.length, &refreshed->verdict);
        sure(verdict_check(&refreshed->verdict, question_walk(&bundle, 0, NULL, NULL), &why), &why);
}

static void begin_script(struct script *script, const struct question *question, const struct past *past, const struct scene *scene)
{
        static const struct buf none;
        struct question nameless = *question;
        *script = (struct script){ .past = past, .scene = scene };
        buf_init(&script->facts, BUNDLE_BYTES_MAX);
        buf_init(&script->files, BUNDLE_BYTES_MAX);
        buf_init(&script->cohort, BUNDLE_BYTES_MAX);
        nameless.device = "";
        script->now_s = question->now_s;
        nameless.now_s = 0;
        nameless.files = nameless.cohort = &none;
        question_write(&nameless, &script->facts);
}

static bool is_same_end(const struct refreshed *a, const struct refreshed *b)
{
        const struct verdict *x = &a->verdict, *y = &b->verdict;
        return a->is_decided == b->is_decided && a->is_refused == b->is_refused && x->status == y->status && x->err == y->err && x->is_admitted == y->is_admitted &&
               x->counter == y->counter && x->state == y->state;
}

/* Nobody's id makes a difference to this document. */
static bool is_indifferent(const struct buf *document)
{
        struct cohort cohort;
        if (!document->length || cohort_parse(document->bytes, document->length, &cohort, NULL))
                return true;
        bool is_all = true;
        for (size_t i = 0; i < cohort.rule_count; i++)
                is_all &= cohort.rules[i].is_all;
        return is_all;
}

static bool is_guessable(const struct script *script, int64_t now_s)
{
        const struct verdict *verdict = &script->end.verdict;
        return script->is_indifferent && script->now_s == now_s && script->end.is_decided && (verdict->status == VERDICT_REFUSE || verdict->is_admitted);
}

static void converse(const struct visit *visit, struct script *script, struct refreshed *refreshed, struct refresh_count *count)
{
        bool goes_on = true;
        for (unsigned runs = 0; goes_on && runs < VERDICT_RUNS_MAX; runs++) {
                decide(script, *visit->question, refreshed, count);
                goes_on = refreshed->verdict.status == VERDICT_WANT && bring(visit->scene, script, refreshed, count);
        }
        refreshed->is_decided = refreshed->verdict.status != VERDICT_WANT;
}

static void end_script(struct script *script)
{
        buf_done(&script->facts);
        buf_done(&script->files);
        buf_done(&script->cohort);
}

void past_refresh(struct pasts *pasts, const struct visit *visit, struct past **past, struct refreshed *ret_refreshed, struct refresh_count *count)
{
        struct script script;
        begin_script(&script, visit->question, *past, visit->scene);
        *ret_refreshed = (struct refreshed){ .is_decided = false };
        const struct script *before = find_script(pasts, &script);
        bool can_guess = before && is_guessable(before, visit->question->now_s);
        if (before)
                *count = before->count;
        count->runs = 0;
        if (can_guess && visit->may_guess) {
                *ret_refreshed = before->end;
                ret_refreshed->is_guessed = true;
                *past = before->after;
                end_script(&script);
                return;
        }
        scene_set(&script.files, before ? &before->files : &(*past)->files);
        if (before)
                scene_set(&script.cohort, &before->cohort);
        size_t length = script.files.length + script.cohort.length;
        converse(visit, &script, ret_refreshed, count);
        if (can_guess && !is_same_end(&before->end, ret_refreshed))
                sure(FAIL(&(struct why){ .text = "" }, ERR_REFUSED, "a guess"), &(struct why){ .text = "what a device was spared would have ended otherwise" });
        if (ret_refreshed->is_decided)
                *past = past_after(pasts, &script.files, &ret_refreshed->verdict);
        script.end = *ret_refreshed;
        script.after = *past;
        script.count = *count;
        script.is_indifferent = is_indifferent(&script.cohort);
        if (!before || before->now_s != script.now_s || script.files.length + script.cohort.length != length)
                add_script(pasts, &script);
        end_script(&script);
}
