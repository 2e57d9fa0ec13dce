/* limits.h - every ceiling of the product, each with its reason.
 *
 * A size, count or rate that a caller can drive is checked against one of these, and passing it
 * is a clear ERR_LIMIT, never memory. Sizes in bytes unless the name says otherwise. */
#pragma once

enum {
        LIMIT_REQUEST_BYTES = 1 << 20,        /* a JSON request: publishing is the largest, tens of KB */
        LIMIT_DEVICE_REQUEST_BYTES = 4096,    /* a check-in, lease or report: under 1 KB in practice */
        LIMIT_JSON_DEPTH = 32,                /* TUF nests 7 deep, our API 6 */
        LIMIT_JSON_VALUES = 200000,           /* in one document: 1,000 releases are 25,000; keeps 1 MB of [0,0,... under 15 MB */
        LIMIT_METADATA_BYTES = 1 << 20,       /* one TUF file; a targets file of 1,000 releases is 600 KB */
        LIMIT_NOTE_BYTES = 1 << 20,           /* a release note: 100 bytes a file, 8,192 files */
        LIMIT_RELEASE_FILES = 8192,
        LIMIT_PUBLISH_BYTES = 4 << 20,        /* targets, snapshot and a note of its largest size, quoted */
        LIMIT_PROPOSAL_BYTES = 16 << 20,      /* a ceremony's file: twice six documents, most of them small */
        LIMIT_ARTIFACT_BYTES = 1 << 30,       /* one file of a release */
        LIMIT_PATH_BYTES = 255,               /* a path inside a release; ext4's name limit */
        LIMIT_NAME_BYTES = 64,                /* stream, group, attribute value, person */
        LIMIT_ATTRIBUTES = 8,                 /* strata that one device may belong to */
        LIMIT_STRATA = 1000,                  /* rollout.md: fixed memory */
        LIMIT_KEYS = 32,                      /* keys of one role */
        LIMIT_SIGNATURES = 64,                /* on one document */
        LIMIT_DELEGATIONS = 1024,             /* of one TUF role; a large index has 256 bins */
        LIMIT_ROLE_NAME_BYTES = 80,           /* three bytes each when escaped, and a file's name has 255 */
        LIMIT_ROLES_ASKED = 64,               /* in the search for one target; others ask 32 */
        LIMIT_ROOTS = 1024,                   /* new ones in a row: a thousand years of yearly ones; others take 256 */
        LIMIT_SIGNER_MS = 5000,               /* for one signature, which takes under a millisecond */
        LIMIT_STRAY_REPORTS = 100,            /* of one device, about no lease of its own, that are kept; the rest is acknowledged */
        LIMIT_STREAMS = 16,                   /* on one device */
        LIMIT_ROLL_BACK_S = 86400,            /* over which devices go back: nobody should run for days what was taken back */
        LIMIT_YAML_BYTES = 1 << 20,
        LIMIT_RULE_FILE_BYTES = 16 << 20,     /* one file of rules; the largest public sets are 8 MB in one file */
        LIMIT_WATCHED_FILES = 1 << 20,        /* below a watched folder; 56 bytes each are remembered */
        LIMIT_BREAKER_ACTIONS = 256,          /* that may be allowed within one window: each is remembered; who needs more within a minute has a storm */
        LIMIT_BREAKER_WINDOW_S = 86400,       /* over which actions are counted */
        LIMIT_BREAKER_FILE_BYTES = 256 << 20, /* of a file that an engine asks about: half a second to read; what is larger counts as unchanged */
        LIMIT_ASK_CONNECTIONS = 32,           /* to one stream's breaker: an engine needs one a thread */
        LIMIT_ASKED_PER_S = 200,              /* questions that are answered; 5 ms each leave the supervisor free. More wait in the socket */
        LIMIT_OWNED_FILES = 4 << 20,          /* paths of all packages, some under two names; a full desktop has 600,000. 128 MiB while the list is made */
        LIMIT_PACKAGES = 65536,               /* all of Debian */
        LIMIT_PACKAGE_BYTES = 16 << 20,       /* the list of one package; the largest, kernel headers and such, have 2 MB */
        LIMIT_DIVERSIONS = 4096,              /* files that dpkg-divert moved; a machine has some ten */
        LIMIT_CORPUS_FILES = 8192,            /* boot-critical files of one machine; Debian 12 has about 1,500 */
        LIMIT_CONNECTIONS = 20000,            /* of one server; below Debian's hard file limit */
        LIMIT_HEADER_BYTES = 16 << 10,        /* all request headers together */
        LIMIT_ANSWER_BYTES = 16 << 20,        /* one page of a list, one release with its dossier and evidence */
        LIMIT_PUBLIC_BYTES = 64 << 20,        /* all metadata files, and 37 bytes for each of a million revoked devices */
        LIMIT_STORE_QUEUE = 4096,             /* requests that wait for the store: half a second of its work */
        LIMIT_STORE_BATCH = 256,              /* requests of one transaction: beyond it, commits do not get cheaper */
        LIMIT_ENROL_BURST = 600,              /* enrolments from one address at once: a site's devices on one morning */
        LIMIT_ENROL_PER_S = 20,               /* and from then on */
        LIMIT_HEADERS = 64,                   /* of one request; browsers send 20 */
        LIMIT_PROFILES = 8000,                /* of one fleet, told to whoever plans a rollout; 18 values each stay below LIMIT_JSON_VALUES */
        LIMIT_PROFILES_COUNTED = 200000,      /* and counted, to know which are the most common: 20 MB */
        LIMIT_PAST_LEASES = 200000,           /* that a baseline is counted from: a share of 1 in 10,000 is 20 of them; a tenth of a second */
        LIMIT_REPLAY_DEVICES = 50000000,      /* the rollout library's own */
        LIMIT_REPLAY_DEVICES_LEAST = 3,       /* one in each ring */
        LIMIT_SITES = 10000,                  /* of a replayed fleet: three blocks each */
        LIMIT_ZONES = 32,                     /* time zones; the world has 38, half of them hardly lived in */
        LIMIT_FAULTS = 16,                    /* of one replayed release: each device tries them all */
        LIMIT_FLAKY = 16,                     /* kinds of device that crash more often than others, in one replay */
        LIMIT_OUTAGES = 64,                   /* of telemetry, in one replay */
        LIMIT_TARGET_BYTES = 2048,            /* path and query; the longest of ours is under 300 */
        LIMIT_REPLAY_RUNS = 100000,           /* of one command; a night's work at the smallest fleets */
        LIMIT_REPLAY_SEEDS = 1000,            /* of one row: the median of more says no more */
        LIMIT_ENTRY_BYTES = 65535,            /* of the transparency log: C2SP tlog-tiles has two bytes for the length */
        LIMIT_TREE_BITS = 48,                 /* its entries are fewer than 2^48: a thousand a second for 8,900 years, and no sum overflows */
        LIMIT_REASON_BYTES = 2000,            /* why a person did something: a paragraph, for the audit log */
        LIMIT_APPROVALS = 65536,              /* customers that approve one release */
        LIMIT_APPROVAL_BYTES = 8192,          /* a short text with as many signatures as an emergency takes */
        LIMIT_PROOF_HASHES = 63,              /* of one Merkle proof, C2SP tlog-witness; a tree of 2^48 needs 49 */
        LIMIT_PROOF_EXTRA_BYTES = 4096,       /* what a maker may put into a proof beside it: a signature, a name */
        LIMIT_PROOF_BYTES = 192 << 10,        /* a checkpoint, 63 lines of hashes and what is beside it */
        LIMIT_ORIGIN_BYTES = 255,             /* a log's or witness's name: C2SP tlog-cosignature has one byte for the length */
        LIMIT_CHECKPOINT_BYTES = 128 << 10,   /* 16 signatures, which C2SP signed-note asks for, of the largest kind; ours is under 1 KB */
        LIMIT_CHECKPOINT_SIGNATURE_BYTES = 5120, /* post-quantum ones, which we pass over, have nearly 5,000 */
        LIMIT_WITNESSES = 32,                 /* that one policy knows */
        LIMIT_WITNESS_AHEAD_S = 300,          /* a witness's clock before ours: what it says then does not count yet */
        LIMIT_WITNESS_LOGS = 256,             /* that one witness looks after: as many as fit a command line, and are found one by one */
        LIMIT_WITNESS_CONNECTIONS = 256,      /* of one witness: logs ask a few times a minute; below the usual 1,024 open files */
        LIMIT_WITNESS_ANSWER_BYTES = 16 << 10, /* cosignature lines of one witness: three of the largest kind; ours has under 200 */
        LIMIT_LOG_BATCH = 1024,               /* entries that one new head of the server's log takes in: eight tiles, written in some 50 ms */
        LIMIT_LOG_PROOFS = 32,                /* of releases, made or given out in one go, while requests wait: three syncs of the disk each */
        LIMIT_LOG_HEADS = 256,                /* cosigned ones that are looked at for one that is sufficient: months of them */
        LIMIT_PROBE_BODY_BYTES = 256 << 10,   /* of an engine's answer to a probe over HTTP; health pages have some hundred bytes */
        LIMIT_PAGE_BYTES = 64 << 20,          /* a replay's report: twenty scenarios under six policies are 3 MB */
};
