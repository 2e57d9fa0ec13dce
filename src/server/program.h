/* program.h - firebreakd: the folder, the listener and the four processes, each with what it needs and nothing else.
 *
 *      signer   the online keys, no network, no files
 *      store    the database, no network
 *      deltas   the artifacts, nothing else (deltas/deltas.h)
 *      api      the network, no keys but the certificate's */
#pragma once

int program_run(int argc, char **argv);
