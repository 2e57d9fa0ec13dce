/* The program itself against a toy server whose publisher changes the keys. */
#include "agent/toy_device.h"
#include "platform/file.h"
#include "support/test.h"
#include "trust/keys.h"

#include <string.h>

static const struct toy_keys second = { 11, 12, 15 }, third = { 21, 22, 25 };

struct said { struct device *device; const char *text; };

static bool is_said(struct toy *toy, void *user)
{
        (void)toy;
        const struct said *said = user;
        return device_has_said(said->device, said->text);
}

static void until_said(struct device *device, const char *text)
{
        toy_serve(&device->toy, is_said, &(struct said){ device, text });
}

/* Running release 4 under the keys that were pinned, and what it says from now on is kept. */
static void open_with_4(struct device *device)
{
        device_with_4(device, "");
        device_stop(device);
        device_keep_log(device);
}

static void check_installs(struct device *device, uint64_t counter, const struct toy_file *files)
{
        toy_publish(&device->toy, counter, files);
        const struct wire_report *report = device_report(device);
        CHECK(strcmp(report->outcome, "proven") == 0 && (uint64_t)report->running == counter);
}

TEST(run, follows_the_anchors_that_changed_while_it_was_off)
{
        OWN(device) struct device device;
        open_with_4(&device);
        toy_change_keys(&device.toy, second);
        toy_change_keys(&device.toy, third);
        device_start(&device, "run", NULL);
        check_installs(&device, 6, toy_good_too);
        CHECK(device_has_said(&device, "the release anchor, version 3") && device_has_said(&device, "the director anchor, version 3"));
        device_stop(&device);
        /* What it followed, it has. */
        toy_put(&device.toy, "/v1/tuf/release/2.anchor", NULL);
        toy_put(&device.toy, "/v1/tuf/director/2.anchor", NULL);
        device_start(&device, "run", NULL);
        check_installs(&device, 7, toy_good);
        device_stop(&device);
}

TEST(run, follows_the_anchors_that_change_while_it_runs)
{
        OWN(device) struct device device;
        open_with_4(&device);
        device_start(&device, "run", NULL);
        device_calls(&device, 3);
        toy_change_keys(&device.toy, second);
        check_installs(&device, 6, toy_good_too);
        toy_change_keys(&device.toy, third);
        check_installs(&device, 7, toy_good);
        CHECK(!device_has_said(&device, "failed, fetching -> idle"));    /* it knew the keys before the release came */
        device_stop(&device);
}

TEST(run, refuses_a_release_signed_with_a_key_that_was_removed_and_takes_it_signed_anew)
{
        OWN(device) struct device device;
        open_with_4(&device);
        toy_change_keys(&device.toy, second);
        device.toy.note_key = 2;
        toy_publish(&device.toy, 6, toy_good_too);
        device_start(&device, "run", NULL);
        until_said(&device, "failed, fetching -> idle");
        device_calls(&device, 10);
        CHECK(device_current_is(&device, "a") && device.toy.report_count == 1);
        device.toy.note_key = 0;
        check_installs(&device, 6, toy_good_too);        /* it was not given up for good */
        device_stop(&device);
}

static bool is_asked(struct toy *toy, void *count)
{
        return toy->lease_asks >= *(unsigned *)count;
}

TEST(run, gives_a_candidate_up_whose_key_is_removed_before_its_lease_is_granted)
{
        OWN(device) struct device device;
        open_with_4(&device);
        device_start(&device, "run", NULL);
        device.toy.lease = TOY_WAIT;
        toy_publish(&device.toy, 6, toy_good_too);
        unsigned asks = device.toy.lease_asks + 1;
        toy_serve(&device.toy, is_asked, &asks);
        toy_change_keys(&device.toy, second);
        until_said(&device, "cancelled, waiting -> idle: to be judged by the newer anchor");
        device.toy.lease = TOY_EXPOSE;
        until_said(&device, "failed, fetching -> idle");
        device_calls(&device, 10);
        CHECK(device_current_is(&device, "a") && device.toy.report_count == 1);
        check_installs(&device, 7, toy_good);
        device_stop(&device);
}

/* The root is new, its anchor is none: the old one goes on, and the right one is followed when it comes. */
TEST(run, goes_on_with_the_anchor_that_it_has_when_the_next_is_none)
{
        static const char path[] = "/v1/tuf/release/2.anchor";
        OWN(device) struct device device;
        OWN(buf) struct buf bytes;
        buf_init(&bytes, LIMIT_METADATA_BYTES);
        open_with_4(&device);
        struct toy_keys keys = device.toy.keys;
        toy_change_keys(&device.toy, keys);
        device.toy.keys.root = 11;
        toy_write_anchor(&device.toy, 2, &bytes);
        device.toy.keys = keys;
        test_sign(&bytes, "root.acme", 11);                        /* by its own root only */
        toy_put(&device.toy, path, &bytes);
        device_start(&device, "run", NULL);
        check_installs(&device, 6, toy_good_too);
        CHECK(device_has_said(&device, "event=metadata_refused") && device_has_said(&device, "the release anchor after version 1"));
        CHECK(device_has_said(&device, "the director anchor, version 2") && !device_has_said(&device, "the release anchor, version 2"));
        buf_clear(&bytes);
        toy_write_anchor(&device.toy, 2, &bytes);
        test_sign(&bytes, "root.acme", 1);
        toy_put(&device.toy, path, &bytes);
        until_said(&device, "the release anchor, version 2");
        device_stop(&device);
}

TEST(run, starts_nothing_new_and_still_goes_back_while_the_next_anchor_is_out_of_reach)
{
        OWN(device) struct device device;
        open_with_4(&device);
        device_start(&device, "run", NULL);
        check_installs(&device, 6, toy_good_too);
        device.toy.away = "/v1/tuf/director/2.anchor";
        toy_change_keys(&device.toy, second);
        unsigned asks = device.toy.lease_asks;
        device.toy.says.withdrawn_count = 1;
        device.toy.says.withdrawn[0] = 6;
        toy_publish(&device.toy, 7, toy_good);
        const struct wire_report *report = device_report(&device);
        CHECK(strcmp(report->outcome, "declined") == 0 && report->counter == 6 && report->running == 4);
        device_calls(&device, 10);
        CHECK(device.toy.lease_asks == asks && device_current_is(&device, "a"));
        device.toy.away = NULL;
        CHECK(device_report(&device)->running == 7);
        device_stop(&device);
}

/* As when a cache between us and the server still says that there is none. */
static void check_asks(struct toy_keys keys, const char *path, void (*write)(const struct toy *toy, uint64_t version, struct buf *into), const char *failed)
{
        OWN(device) struct device device;
        OWN(buf) struct buf anchor;
        open_with_4(&device);
        toy_change_keys(&device.toy, keys);
        buf_init(&anchor, LIMIT_METADATA_BYTES);
        write(&device.toy, 2, &anchor);
        test_sign(&anchor, "root.acme", 1);
        toy_put(&device.toy, path, NULL);
        toy_publish(&device.toy, 6, toy_good_too);
        device_start(&device, "run", NULL);
        until_said(&device, failed);
        CHECK(device_current_is(&device, "a"));
        toy_put(&device.toy, path, &anchor);
        CHECK(device_report(&device)->running == 6);
        device_stop(&device);
}

TEST(run, asks_for_anchors_when_a_release_is_signed_by_unknown_keys)
{
        check_asks((struct toy_keys){ 1, 12, 5 }, "/v1/tuf/release/2.anchor", toy_write_anchor, "failed, fetching -> idle");
}

TEST(run, asks_for_anchors_when_a_lease_is_signed_by_an_unknown_key)
{
        check_asks((struct toy_keys){ 1, 2, 15 }, "/v1/tuf/director/2.anchor", toy_write_director_anchor, "failed, waiting -> idle");
}

TEST(run, follows_anew_what_it_kept_and_finds_damaged)
{
        OWN(device) struct device device;
        open_with_4(&device);
        toy_change_keys(&device.toy, second);
        device_start(&device, "run", NULL);
        check_installs(&device, 6, toy_good_too);
        device_stop(&device);
        char path[128];
        snprintf(path, sizeof(path), "%s/state/trust/release.anchor", device.folder);
        toy_write_text(path, "x");
        device_start(&device, "run", NULL);
        check_installs(&device, 7, toy_good);
        CHECK(device_has_said(&device, "trust/release.anchor does not count and is followed anew"));
        device_stop(&device);
}
