#include "server/store/schema.h"

/* Times end in _at (unix seconds) or _ms (unix milliseconds). Digests, ids and nonces are raw bytes. */
static const char step_1[] =
        /* Single numbers: the epoch, the newest versions of what the director signs. */
        "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

        /* Only the hash of a token is kept: who reads the database cannot enrol. */
        "CREATE TABLE tokens (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
        " device_group TEXT NOT NULL, uses INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0 CHECK (used <= uses),"
        " made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;"

        "CREATE TABLE devices (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
        " key BLOB NOT NULL CHECK (length(key) = 32), platform TEXT NOT NULL, ring TEXT NOT NULL, agent TEXT NOT NULL,"
        " device_group TEXT NOT NULL, attributes TEXT NOT NULL, token INTEGER NOT NULL REFERENCES tokens,"
        " enrolled_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, seq INTEGER NOT NULL DEFAULT 0, revoked_at INTEGER) STRICT;"

        /* What a device last said that it runs, stream by stream. */
        "CREATE TABLE versions (device INTEGER NOT NULL REFERENCES devices, stream TEXT NOT NULL, running INTEGER NOT NULL,"
        " proven INTEGER NOT NULL, said_ms INTEGER NOT NULL, PRIMARY KEY (device, stream)) STRICT, WITHOUT ROWID;"

        "CREATE TABLE releases (number INTEGER PRIMARY KEY, stream TEXT NOT NULL, counter INTEGER NOT NULL,"
        " target BLOB NOT NULL UNIQUE CHECK (length(target) = 32), note_length INTEGER NOT NULL, version TEXT NOT NULL,"
        " floor INTEGER NOT NULL, platforms TEXT NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, dossier TEXT NOT NULL, published_at INTEGER NOT NULL, UNIQUE (stream, counter)) STRICT;"

        /* What the publisher gave us at first start: both roots, both anchors. */
        "CREATE TABLE pins (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;"

        /* Every file that /v1/tuf/ serves, byte for byte. */
        "CREATE TABLE metadata (repository TEXT NOT NULL, file TEXT NOT NULL, role TEXT NOT NULL, version INTEGER NOT NULL,"
        " made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (repository, file)) STRICT;"

        /* The newest cohort document of each stream; `says` tells whether another is due. */
        "CREATE TABLE cohorts (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, digest BLOB NOT NULL CHECK (length(digest) = 32),"
        " says TEXT NOT NULL) STRICT, WITHOUT ROWID;"

        "CREATE TABLE evidence (number INTEGER PRIMARY KEY, release INTEGER NOT NULL REFERENCES releases,"
        " digest BLOB NOT NULL CHECK (length(digest) = 32), envelope BLOB NOT NULL, received_at INTEGER NOT NULL, UNIQUE (release, digest)) STRICT;"

        "CREATE TABLE rollouts (number INTEGER PRIMARY KEY, release INTEGER NOT NULL UNIQUE REFERENCES releases, policy TEXT NOT NULL,"
        " override TEXT, started_ms INTEGER NOT NULL, state TEXT NOT NULL,"
        " changed_ms INTEGER NOT NULL) STRICT;"

        /* The fleet as it was when the rollout began: the dense numbers, blocks and strata that its decisions speak of. */
        "CREATE TABLE rollout_strata (rollout INTEGER NOT NULL REFERENCES rollouts, stratum INTEGER NOT NULL, name TEXT NOT NULL,"
        " PRIMARY KEY (rollout, stratum), UNIQUE (rollout, name)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE rollout_blocks (rollout INTEGER NOT NULL REFERENCES rollouts, block INTEGER NOT NULL, name TEXT NOT NULL,"
        " PRIMARY KEY (rollout, block), UNIQUE (rollout, name)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE rollout_devices (rollout INTEGER NOT NULL REFERENCES rollouts, dense INTEGER NOT NULL,"
        " device INTEGER NOT NULL REFERENCES devices, ring TEXT NOT NULL, block INTEGER NOT NULL, strata BLOB NOT NULL,"
        " PRIMARY KEY (rollout, dense), UNIQUE (rollout, device)) STRICT, WITHOUT ROWID;"

        /* Everything that a rollout was ever told, in order. Decisions are not stored: replaying this makes them again. */
        "CREATE TABLE rollout_inputs (rollout INTEGER NOT NULL REFERENCES rollouts, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
        " what TEXT NOT NULL, number INTEGER NOT NULL, word TEXT, kind TEXT, who TEXT, second TEXT, because TEXT, list BLOB,"
        " PRIMARY KEY (rollout, seq)) STRICT, WITHOUT ROWID;"
        "CREATE TRIGGER rollout_inputs_stay BEFORE UPDATE ON rollout_inputs BEGIN SELECT RAISE(ABORT, 'inputs are append-only'); END;"
        "CREATE TRIGGER rollout_inputs_keep BEFORE DELETE ON rollout_inputs BEGIN SELECT RAISE(ABORT, 'inputs are append-only'); END;"

        /* What people read: one line each. */
        "CREATE TABLE rollout_events (number INTEGER PRIMARY KEY, rollout INTEGER NOT NULL REFERENCES rollouts,"
        " at_ms INTEGER NOT NULL, what TEXT NOT NULL) STRICT;"
        "CREATE INDEX rollout_events_of ON rollout_events (rollout);"

        /* A lease is reserved when the rollout picks the device; its note is signed, and the deadline runs, when the device
         * comes for it. `is_counted` leases speak to the rollout, the others follow a complete one. */
        "CREATE TABLE leases (number INTEGER PRIMARY KEY, nonce BLOB NOT NULL UNIQUE CHECK (length(nonce) = 16),"
        " device INTEGER NOT NULL REFERENCES devices, rollout INTEGER NOT NULL REFERENCES rollouts, handle INTEGER NOT NULL,"
        " kind TEXT NOT NULL CHECK (kind IN ('exposure', 'shadow')), is_counted INTEGER NOT NULL, counter INTEGER NOT NULL,"
        " target BLOB NOT NULL CHECK (length(target) = 32), granted_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, note TEXT, outcome TEXT,"
        " harm TEXT, outcome_ms INTEGER) STRICT;"
        "CREATE INDEX leases_device ON leases (device, rollout);"
        "CREATE INDEX leases_rollout ON leases (rollout, outcome);"
        "CREATE INDEX leases_followers ON leases (rollout, outcome) WHERE handle = -1;"

        "CREATE TABLE reports (device INTEGER NOT NULL REFERENCES devices, seq INTEGER NOT NULL, lease INTEGER REFERENCES leases,"
        " received_ms INTEGER NOT NULL, said_date TEXT NOT NULL, body TEXT NOT NULL, signature TEXT NOT NULL,"
        " PRIMARY KEY (device, seq)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX reports_lease ON reports (lease);"

        /* hash = SHA-256(previous hash, number, time, who, what, subject, detail); see audit.h. */
        "CREATE TABLE audit (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,"
        " subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;"
        "CREATE TRIGGER audit_stay BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;"
        "CREATE TRIGGER audit_keep BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;";

/* Groups that are kept on an older release of a stream; without a row a group gets the newest. */
static const char step_2[] =
        "CREATE TABLE group_rules (stream TEXT NOT NULL, device_group TEXT NOT NULL, pin INTEGER NOT NULL, behind INTEGER NOT NULL,"
        " PRIMARY KEY (stream, device_group), CHECK ((pin > 0) <> (behind > 0))) STRICT, WITHOUT ROWID;";

/* Since when devices go back from a release, over how long, and how many said then that they run it. */
static const char step_3[] =
        "CREATE TABLE roll_backs (rollout INTEGER PRIMARY KEY REFERENCES rollouts, since_ms INTEGER NOT NULL,"
        " over_s INTEGER NOT NULL CHECK (over_s >= 0), devices INTEGER NOT NULL) STRICT;";

/* The transparency log: what is in it, in its order (log/rows.h); the heads that were signed over it; who cosigned them; and of releases, the proofs. */
static const char step_4[] =
        "CREATE TABLE log_entries (entry INTEGER PRIMARY KEY CHECK (entry >= 0), at_ms INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
        " number INTEGER NOT NULL, digest BLOB NOT NULL CHECK (length(digest) = 32)) STRICT;"
        "CREATE UNIQUE INDEX log_entries_once ON log_entries (kind, name, number, digest) WHERE kind <> 'override';"
        "CREATE INDEX log_entries_releases ON log_entries (entry) WHERE kind = 'release';"
        "CREATE TRIGGER log_entries_stay BEFORE UPDATE ON log_entries BEGIN SELECT RAISE(ABORT, 'log entries are append-only'); END;"
        "CREATE TRIGGER log_entries_keep BEFORE DELETE ON log_entries BEGIN SELECT RAISE(ABORT, 'log entries are append-only'); END;"

        "CREATE TABLE log_heads (log TEXT NOT NULL, size INTEGER NOT NULL CHECK (size > 0), root BLOB NOT NULL CHECK (length(root) = 32),"
        " signature BLOB NOT NULL CHECK (length(signature) = 64), signed_at INTEGER NOT NULL, PRIMARY KEY (log, size)) STRICT, WITHOUT ROWID;"
        "CREATE TRIGGER log_heads_stay BEFORE UPDATE ON log_heads BEGIN SELECT RAISE(ABORT, 'what was signed was signed'); END;"
        "CREATE TRIGGER log_heads_keep BEFORE DELETE ON log_heads BEGIN SELECT RAISE(ABORT, 'what was signed was signed'); END;"

        "CREATE TABLE log_cosignatures (log TEXT NOT NULL, size INTEGER NOT NULL, witness TEXT NOT NULL, at INTEGER NOT NULL, signature BLOB NOT NULL,"
        " PRIMARY KEY (log, size, witness), FOREIGN KEY (log, size) REFERENCES log_heads) STRICT, WITHOUT ROWID;"

        /* `policy`: the log and the witnesses by which it is sufficient. `is_out`: it stands in a file. */
        "CREATE TABLE log_proofs (entry INTEGER PRIMARY KEY REFERENCES log_entries, policy BLOB NOT NULL CHECK (length(policy) = 32), proof BLOB NOT NULL,"
        " is_out INTEGER NOT NULL) STRICT;"
        "CREATE INDEX log_proofs_waiting ON log_proofs (entry) WHERE NOT is_out;";

/* What others said of releases, as it is given out (log/approvals.h): `by` is empty where emergency keys said it. `is_out`: it stands in a file. */
static const char step_5[] =
        "CREATE TABLE approvals (release INTEGER NOT NULL REFERENCES releases, file TEXT NOT NULL, by TEXT NOT NULL, note BLOB NOT NULL, given_at INTEGER NOT NULL,"
        " is_out INTEGER NOT NULL, PRIMARY KEY (release, file)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX approvals_waiting ON approvals (given_at) WHERE NOT is_out;";

/* What the owner of a device keeps from beginning on it, by the device's last word; without a row nothing. */
static const char step_6[] =
        "CREATE TABLE holds (device INTEGER NOT NULL REFERENCES devices, stream TEXT NOT NULL, counter INTEGER NOT NULL, reason TEXT NOT NULL,"
        " until_s INTEGER NOT NULL, said_ms INTEGER NOT NULL, PRIMARY KEY (device, stream)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX holds_release ON holds (stream, counter);";

/* The last goodbye of each device. `dated_s`: what the device called now, which is signed; the others are our time. */
static const char step_7[] =
        "CREATE TABLE goodbyes (device INTEGER PRIMARY KEY REFERENCES devices, kind TEXT NOT NULL, dated_s INTEGER NOT NULL, said_s INTEGER NOT NULL,"
        " back_s INTEGER) STRICT;";

static const char *const steps[] = { step_1, step_2, step_3, step_4, step_5, step_6, step_7 };

enum err schema_migrate(struct db *db, struct why *why)
{
        return db_migrate(db, steps, sizeof(steps) / sizeof(steps[0]), why);
}
