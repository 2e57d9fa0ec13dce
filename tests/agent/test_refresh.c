/* A whole refresh and what it leads to, with the real refresh, judge, stream and slots over a disk that loses power or refuses at every
 * step: what was found good stays found good, and the device goes on. The network, the clock and the verifier's process are stand-ins. */
#include "agent/refresh.h"

#include "agent/content.h"
#include "agent/toy.h"
#include "agent/verify.h"
#include "format/hex.h"
#include "platform/file.h"
#include "support/sim_disk.h"
#include "support/sweep.h"
#include "support/test.h"
#include "trust/keys.h"
#include "trust/lease.h"
#include "trust/note.h"
#include "trust/sha.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* What the server has at one time. */
struct site { struct { char path[96]; struct buf bytes; } files[TOY_FILES]; size_t count; };

static struct device {
        struct agent agent;
        struct stream stream;
        struct agent_config config;
        struct agent_stream_config stream_config;
        struct sim_disk sim;
        struct sim_random random;
        struct toy toy;
        struct site first, second;
        const struct site *site;
        int64_t now_ms, now_s;
        bool is_frozen;                  /* no lease from it */
        int64_t leap_s;                  /* of our clock, while we wait for an anchor */
        char folder[64], pid_file[80];
} device;

/* What agent.c, caller.c and verify.c are for the refresh and the stream. */
int64_t agent_steady_ms(const struct agent *agent) { (void)agent; return device.now_ms; }
int64_t agent_time_s(const struct agent *agent) { (void)agent; return device.now_s; }
bool agent_is_busy(const struct agent *agent) { return life_is_busy(agent->streams[0].life); }
bool agent_may_ask(const struct agent *agent) { return !agent_is_busy(agent); }
int64_t agent_jitter_ms(const struct agent *agent, int64_t span_ms) { (void)agent; return span_ms; }
int64_t agent_again_ms(const struct agent *agent) { (void)agent; return device.now_ms + 1000; }
bool agent_ends(struct agent *agent, int64_t wait_ms) { (void)agent, (void)wait_ms; return false; }
void agent_note_worker(struct agent *agent, enum worker worker, const struct worker_state *state) { (void)agent, (void)worker, (void)state; }
void agent_note_sources(struct agent *agent) { (void)agent; }
void agent_note(const struct agent *agent, enum log_event event, const struct stream *stream, const char *text) { (void)agent, (void)event, (void)stream, (void)text; }
int64_t caller_ready_ms(struct caller *caller, uint64_t bytes) { (void)caller, (void)bytes; return 0; }
bool caller_is_free(const struct caller *caller, int64_t now_ms) { (void)caller, (void)now_ms; return true; }
void caller_forget(struct caller *caller, const void *user) { (void)caller, (void)user; }
bool caller_state(const struct caller *caller, struct worker_state *ret_state) { (void)caller, (void)ret_state; return false; }

enum err verify_run(const struct verify_setup *setup, struct verdict *ret_verdict, struct why *why)
{
        verdict_decide(setup->bundle->bytes, setup->bundle->length, ret_verdict);
        return verdict_check(ret_verdict, setup->records, why);
}

static const struct buf *find(const struct site *site, const char *path)
{
        for (size_t i = 0; i < site->count; i++)
                if (strcmp(site->files[i].path, path) == 0)
                        return &site->files[i].bytes;
        return NULL;
}

/* As the real fetcher finds one that somebody gave another name. */
static const char linked[] = "linked";
static bool is_linked(const char *path)
{
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        return device.sim.disk.ops->read(&device.sim.disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), linked) == 0;
}

void caller_get(struct caller *caller, const struct caller_get *get, caller_done *done, void *user)
{
        (void)caller;
        char path[128];
        struct disk *disk = &device.sim.disk;
        const struct buf *file = find(device.site, get->path);
        snprintf(path, sizeof(path), "spool/%s", get->spool);
        enum err e = is_linked(path) ? ERR_REFUSED : file ? disk->ops->replace(disk, path, file->bytes, file->length, NULL) : OK;
        const struct fetch_answer answer = { .status = file ? 200 : 404 };
        const int64_t leap_s = strstr(get->path, ".anchor") ? device.leap_s : 0;
        device.now_s += leap_s;
        done(user, e, &answer);
        device.now_s -= leap_s;
}

void caller_look(struct caller *caller, const char *path, enum fetch_reads reads, caller_done *done, void *user)
{
        (void)caller, (void)path, (void)reads;
        done(user, OK, &(struct fetch_answer){ .status = 404 });
}
enum err verify_ask(const struct verify_talk *talk, struct worker_state *ret_state, struct why *why) { (void)talk, (void)ret_state; return FAIL(why, ERR_UNAVAILABLE, "no delta is expanded here"); }

void caller_post(struct caller *caller, const struct caller_post *post, caller_done *done, void *user)
{
        (void)caller;
        static struct fetch_answer answer;
        struct wire_lease_request request;
        const struct secret_key key = test_key(5);
        struct lease lease = { .stream = "rules", .granted = device.now_s, .deadline = device.now_s + 600, .bake_s = 1 };
        OWN(buf) struct buf text;
        buf_init(&text, sizeof(answer.text) - 1);
        CHECK(wire_lease_request_read(post->body, strlen(post->body), &request, NULL) == OK);
        lease.counter = (uint64_t)request.counter;
        snprintf(lease.device, sizeof(lease.device), "%s", device.agent.device);
        CHECK(hex_decode(request.target, lease.target, 32, NULL) == OK && hex_decode(request.nonce, lease.nonce, 16, NULL) == OK);
        lease_write(&lease, &text);
        CHECK(note_sign(&text, "director.acme", &key, NULL) == OK);
        answer = (struct fetch_answer){ .status = device.is_frozen ? 503 : 200 };
        snprintf(answer.text, sizeof(answer.text), "%s", buf_text(&text));
        done(user, OK, &answer);
}

static void take_picture(struct site *site)
{
        site->count = device.toy.file_count;
        for (size_t i = 0; i < site->count; i++) {
                memcpy(site->files[i].path, device.toy.files[i].path, sizeof(site->files[i].path));
                buf_init(&site->files[i].bytes, LIMIT_METADATA_BYTES);
                buf_add(&site->files[i].bytes, device.toy.files[i].bytes.bytes, device.toy.files[i].bytes.length);
        }
}

static void site_done(struct site *site)
{
        for (size_t i = 0; i < site->count; i++)
                buf_done(&site->files[i].bytes);
}

static const struct toy_file four[] = { { "VERSION", "4\n" }, { NULL, NULL } }, six[] = { { "VERSION", "6\n" }, { "more/rules", "six" }, { NULL, NULL } };

/* Each repository has a new root each time, too. */
static void publish(struct site *site, uint64_t counter, const struct toy_file *files)
{
        toy_renew_root(&device.toy, &device.toy.release);
        toy_renew_root(&device.toy, &device.toy.director);
        device.toy.floor = counter;
        toy_publish(&device.toy, counter, files);
        take_picture(site);
}

static void device_open(void)
{
        char text[16];
        device = (struct device){ .now_ms = 1000 };
        signal(SIGHUP, SIG_IGN);
        toy_open(&device.toy);
        CHECK(file_temporary(device.folder, NULL) == OK);
        toy_write_public(&device.toy, device.folder);
        snprintf(device.pid_file, sizeof(device.pid_file), "%s/pid", device.folder);
        int length = snprintf(text, sizeof(text), "%d\n", getpid());
        CHECK(file_write(device.pid_file, text, (size_t)length, NULL) == OK);
        publish(&device.first, 4, four);
        publish(&device.second, 6, six);
        device.now_s = device.toy.says.expires - 3000;
        device.stream_config = (struct agent_stream_config){
                .name = "rules", .engine = { .pid_file = device.pid_file, .reload_signal = "HUP", .stop_ms = 100 }, .bake_s = 1, .crashes_max = 1,
                .boots_max = 1, .probe_every_ms = 1000,
        };
        device.config = (struct agent_config){ .state_dir = "/nowhere", .platform = "linux-amd64", .ring = "default", .streams = { 1, &device.stream_config },
                                               .trust = device.folder };
}

static void device_close(void)
{
        anchors_close(device.agent.anchors);
        toy_close(&device.toy);
        site_done(&device.first);
        site_done(&device.second);
        file_remove_tree(device.folder);
        sim_disk_done(&device.sim);
}

static const char *const names[] = { "rules" };

static enum err device_start(void)
{
        static const char *const folders[] = { "trust", "spool", "streams" };
        struct agent *agent = &device.agent;
        struct disk *disk = &device.sim.disk;
        sim_random_init(&device.random, 1);
        anchors_close(agent->anchors);
        *agent = (struct agent){ .config = &device.config, .disk = disk, .random = &device.random.source, .streams = &device.stream, .stream_count = 1 };
        snprintf(agent->device, sizeof(agent->device), "00112233445566778899aabbccddeeff");
        enum err e = OK;
        for (size_t i = 0; !e && i < 3; i++)
                e = disk->ops->make_folder(disk, folders[i], NULL);
        if (!e)
                e = disk->ops->sync_folder(disk, "", NULL);
        if (!e)
                e = slots_open(disk, names, 1, &agent->slots, NULL);
        if (!e)
                slots_boot(agent->slots, SLOT_START_SUPERVISOR, device.now_s);
        if (!e)
                e = anchors_open(device.folder, disk, &agent->anchors, NULL);
        if (!e)
                e = refresh_open(agent, &agent->refresh, NULL);
        return e ? e : stream_open(agent, 0, &device.stream, NULL);
}

static void device_end(void)
{
        if (device.stream.agent)
                stream_done(&device.stream);
        device.stream = (struct stream){ 0 };
        refresh_close(device.agent.refresh);
        slots_close(device.agent.slots);
        device.agent.refresh = NULL;
        device.agent.slots = NULL;
}

static uint64_t running(void)
{
        return slots_in(device.agent.slots, 0, (enum slot_id)slots_stream(device.agent.slots, 0)->current)->counter;
}

/* Until nothing is to be done any more. */
static void hear(const struct site *site)
{
        device.site = site;
        refresh_want(device.agent.refresh);
        for (int turn = 0; turn < 120 && !device.sim.is_dark; turn++) {
                bool is_busy = refresh_call(device.agent.refresh);
                stream_tick(&device.stream);
                is_busy |= stream_call(&device.stream);
                device.now_ms += is_busy ? 1 : 200;
        }
}

static void whole_life(void)
{
        if (device_start() == OK) {
                hear(&device.first);
                if (!device.sim.is_dark)
                        hear(&device.second);
        }
        device_end();
}

/* The version of what is kept, counted by site: 0: nothing, 1 or 2: byte for byte what that one has. */
static unsigned kept(const char *repository, enum tuf_role role)
{
        char path[64], name[96];
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        snprintf(path, sizeof(path), "trust/%s.%s", repository, tuf_role_name(role));
        enum err e = device.sim.disk.ops->read(&device.sim.disk, path, &bytes, NULL);
        CHECK(e == OK || e == ERR_NOT_FOUND);
        const struct site *const sites[] = { &device.first, &device.second };
        snprintf(path, sizeof(path), "/v1/tuf/%s/", repository);
        for (unsigned i = 0; !e && i < 2; i++)
                for (size_t k = 0; k < sites[i]->count; k++) {
                        const struct buf *file = &sites[i]->files[k].bytes;
                        snprintf(name, sizeof(name), "%s.json", tuf_role_name(role));
                        if (strncmp(sites[i]->files[k].path, path, strlen(path)) == 0 && strstr(sites[i]->files[k].path, name) && file->length == bytes.length
                            && memcmp(file->bytes, bytes.bytes, bytes.length) == 0)
                                return i + 1;
                }
        CHECK(e == ERR_NOT_FOUND);       /* else it is what nobody published: torn, or mixed */
        return 0;
}

struct trust { unsigned of[2][TUF_ROLES]; };
static struct trust trust_now(void)
{
        static const char *const repositories[] = { "release", "director" };
        struct trust trust;
        for (unsigned repository = 0; repository < 2; repository++)
                for (unsigned role = 0; role < TUF_ROLES; role++)
                        trust.of[repository][role] = kept(repositories[repository], (enum tuf_role)role);
        return trust;
}

static bool is_at_least(const struct trust *trust, const struct trust *before)
{
        bool is = true;
        for (unsigned repository = 0; repository < 2; repository++)
                for (unsigned role = 0; role < TUF_ROLES; role++)
                        is &= trust->of[repository][role] >= before->of[repository][role];
        return is;
}

static bool is_all(const struct trust *trust, unsigned of)
{
        bool is = true;
        for (unsigned repository = 0; repository < 2; repository++)
                for (unsigned role = 0; role < TUF_ROLES; role++)
                        is &= trust->of[repository][role] == of;
        return is;
}

static void check_content(void)
{
        uint64_t counter = running();
        const struct slot_stream *now = slots_stream(device.agent.slots, 0);
        const struct toy_file *files = counter == 4 ? four : six;
        CHECK(counter == 0 || counter == 4 || counter == 6);
        for (; counter && files->path; files++) {
                char path[CONTENT_PATH_BYTES + 32];
                OWN(buf) struct buf bytes;
                buf_init(&bytes, 100);
                snprintf(path, sizeof(path), "%s/%.20s", content_slot("rules", (enum slot_id)now->current).text, files->path);
                CHECK(device.sim.disk.ops->read(&device.sim.disk, path, &bytes, NULL) == OK && strcmp(buf_text(&bytes), files->text) == 0);
        }
        /* Nothing is proven without its floor; and what is below it never runs. */
        CHECK(slots_on_trial(device.agent.slots, 0) || now->floor == counter);
        CHECK(now->counters.proven < 2 || counter == 6);
}

/* After anything: what is kept is whole; a server that replays the old takes nothing of it back; and the new is reached. */
static void check_goes_on(void)
{
        const struct trust before = trust_now();
        CHECK(device_start() == OK);
        check_content();
        device.is_frozen = true;
        hear(&device.first);
        struct trust trust = trust_now();
        CHECK(is_at_least(&trust, &before));
        device.is_frozen = false;
        /* A pause may have grown, and 6 was perhaps given up as it was cut short on trial. */
        device.now_ms += 600000;
        hear(&device.second);
        trust = trust_now();
        CHECK(is_all(&trust, 2) && (running() == 6 || slots_is_denied(device.agent.slots, 0, 6)));
        check_content();
        device_end();
}

TEST(refresh, keeps_what_it_found_good_and_takes_nothing_older_after_it)
{
        device_open();
        sim_disk_init(&device.sim);
        CHECK(device_start() == OK);
        hear(&device.first);
        struct trust trust = trust_now();
        CHECK(is_all(&trust, 1) && running() == 4 && slots_stream(device.agent.slots, 0)->floor == 4);
        hear(&device.second);
        trust = trust_now();
        CHECK(is_all(&trust, 2) && running() == 6 && slots_stream(device.agent.slots, 0)->floor == 6);
        hear(&device.first);
        trust = trust_now();
        CHECK(is_all(&trust, 2) && running() == 6);
        device_end();
        check_goes_on();
        device_close();
}

TEST(refresh, remembers_the_time_by_which_it_judged)
{
        device_open();
        sim_disk_init(&device.sim);
        CHECK(device_start() == OK);
        device.leap_s = 400 * 86400;
        hear(&device.first);
        CHECK(device.agent.time.verified_s > 0 && device.agent.time.verified_s <= device.now_s);
        device.leap_s = 0;
        device_end();
        device_close();
}

TEST(refresh, reads_the_time_that_was_kept_before_it_judges_where_the_disk_did_not_give_it)
{
        device_open();
        sim_disk_init(&device.sim);
        CHECK(device_start() == OK);
        struct trusted_time late = { .verified_s = device.now_s + 90 * 86400 };
        CHECK(trusted_time_keep(&late, &device.sim.disk, NULL) == OK);
        device.agent.time.is_unread = true;
        hear(&device.first);
        CHECK(!device.agent.time.is_unread && device.agent.time.verified_s == late.verified_s && running() == 4);
        device_end();
        device_close();
}

TEST(refresh, and_release_come_though_each_file_of_the_spool_is_one_that_the_fetcher_refuses)
{
        uint8_t digest[32];
        device_open();
        sim_disk_init(&device.sim);
        CHECK(device_start() == OK);
        struct disk *disk = &device.sim.disk;
        sha256(four[0].text, strlen(four[0].text), digest);
        CHECK(disk->ops->replace(disk, "spool/wanted", linked, strlen(linked), NULL) == OK);
        CHECK(disk->ops->replace(disk, "spool/anchor", linked, strlen(linked), NULL) == OK);
        CHECK(disk->ops->replace(disk, spool_artifact(device.toy.target_before).text, linked, strlen(linked), NULL) == OK);
        CHECK(disk->ops->replace(disk, spool_artifact(digest).text, linked, strlen(linked), NULL) == OK);
        hear(&device.first);
        struct trust trust = trust_now();
        CHECK(is_all(&trust, 1) && running() == 4);
        device_end();
        device_close();
}

TEST(refresh, loses_nothing_that_it_found_good_whenever_the_power_goes)
{
        unsigned cuts = 0;
        device_open();
        SWEEP_POWER(&device.sim) {
                whole_life();
                cuts += device.sim.was_cut;
                sim_disk_power_on(&device.sim);
                check_goes_on();
        }
        CHECK(cuts > 100);
        device_close();
}

TEST(refresh, goes_on_after_whatever_the_disk_refused_once)
{
        static const enum err failures[] = { ERR_FULL, ERR_IO };
        device_open();
        for (size_t i = 0; i < 2; i++)
                SWEEP_DISK_FAULT(&device.sim, NULL, failures[i]) {
                        whole_life();
                        sim_disk_power_on(&device.sim);
                        check_goes_on();
                }
        device_close();
}
