#include "agent/policy_facts.h"

#include "platform/file.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static void put(const char *name, const char *text)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/%s", root, name);
        CHECK(file_write(path, text, strlen(text), NULL) == OK);
}

static void supply(const char *name, const char *type)
{
        char path[256], file[128];
        snprintf(path, sizeof(path), "%s/%s", root, name);
        CHECK(mkdir(path, 0700) == 0);
        snprintf(file, sizeof(file), "%s/type", name);
        put(file, type);
}

static struct policy_machine look(void)
{
        const struct agent_policy policy = { .battery.folder = root, .rules.battery_least = 30 };
        struct policy_machine machine;
        policy_look(&policy, 1784432200, &machine);
        return machine;
}

TEST(policy_look, tells_mains_from_battery)
{
        CHECK(file_temporary(root, NULL) == OK);
        struct policy_machine machine = look();
        CHECK(machine.on_mains == POLICY_YES && machine.charge == POLICY_NO_CHARGE);     /* a server has neither */
        supply("BAT0", "Battery\n");
        put("BAT0/capacity", "40\n");
        machine = look();
        CHECK(machine.on_mains == POLICY_UNKNOWN && machine.charge == 40);
        put("BAT0/status", "Discharging\n");
        CHECK(look().on_mains == POLICY_NO);
        put("BAT0/status", "Not charging\n");
        CHECK(look().on_mains == POLICY_YES);
        supply("AC", "Mains\n");
        put("AC/online", "0\n");
        CHECK(look().on_mains == POLICY_NO);
        put("AC/online", "1\n");
        CHECK(look().on_mains == POLICY_YES);
        file_remove_tree(root);
}

TEST(policy_look, takes_the_emptiest_battery_and_none_of_a_mouse)
{
        CHECK(file_temporary(root, NULL) == OK);
        supply("hid-mouse", "Battery\n");
        put("hid-mouse/scope", "Device\n");
        put("hid-mouse/capacity", "3\n");
        CHECK(look().charge == POLICY_NO_CHARGE && look().on_mains == POLICY_YES);
        supply("BAT0", "Battery\n");
        put("BAT0/capacity", "80\n");
        supply("BAT1", "Battery\n");
        put("BAT1/capacity", "20\n");
        CHECK(look().charge == 20);
        put("BAT1/capacity", "full\n");
        CHECK(look().charge == 80);
        file_remove_tree(root);
        CHECK(look().on_mains == POLICY_UNKNOWN && look().charge == POLICY_NO_CHARGE);
}

TEST(policy_look, believes_yes_and_no_of_the_metered_file_and_nothing_else)
{
        static const struct { const char *text; enum policy_known is; } cases[] = {
                { "yes\n", POLICY_YES }, { "no", POLICY_NO }, { "", POLICY_UNKNOWN }, { "perhaps\n", POLICY_UNKNOWN }, { "yes-guessed\n", POLICY_UNKNOWN },
        };
        char path[80];
        struct policy_machine machine;
        CHECK(file_temporary(root, NULL) == OK);
        snprintf(path, sizeof(path), "%s/metered", root);
        const struct agent_policy policy = { .metered_file = path, .rules.holds_metered = true };
        policy_look(&policy, 0, &machine);
        CHECK(machine.is_metered == POLICY_UNKNOWN);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                put("metered", cases[i].text);
                policy_look(&policy, 0, &machine);
                CHECK(machine.is_metered == cases[i].is);
        }
        file_remove_tree(root);
}

TEST(policy_look, knows_this_machines_own_zone)
{
        struct agent_policy policy = { 0 };
        struct policy_machine machine;
        CHECK(calendar_add(&policy.rules.windows, "sun 02:00 - sun 03:00 device", NULL) == OK && setenv("TZ", "AAA-5", 1) == 0);
        policy_look(&policy, 1784432200, &machine);
        CHECK(machine.zones[0].count == 1 && machine.zones[0].shifts[0].offset_s == 5 * 3600 && policy_facts(&machine, 7).zones == machine.zones);
        unsetenv("TZ");
}
