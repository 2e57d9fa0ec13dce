/* tuf_key_known.h - keys and signatures that are known to fit, by which it is known that OpenSSL can tell. For tuf_key.c and its test alone.
 *
 * Made once with openssl(1) over the text below; the secret halves were thrown away. */
#pragma once

static const char known_text[] = "signed by each of these keys";

static const char known_ecdsa[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE87QcXOIfaf/AykISo2hMoaoZKkwz\n"
        "OjTvvg9hoD5y2E/1+N1RcIfEdZjdLD4K1jpFMm2TJA674Wd6a/PomC9sAA==\n"
        "-----END PUBLIC KEY-----\n";
static const char known_ecdsa_signature[] =
        "3045022100ce5f948c770770b9141d7df4d689ee725ab5a81a3014126e9de9bbe78034f75902202ac548634f79013fbe2fbae3978f483c00b7e66b9ca5786fcb"
        "545baae457c68d";

static const char known_rsa[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5VaYQ32iw2/1QlUk+tmM\n"
        "tzQIqHriQzadQwF7aaas/b4QluCWSL7RiXVuyWxRpYybDQ130OoJY0vTylvAzzWd\n"
        "ZjEvPuys24sWaudu9nOIz7ZopoWU/yQGzBFFzamOttuJ7GgmkNm2pGi4f9NJ9MoC\n"
        "PIkN1n+J75vHvF7PCFT4Ld1hroqWuKnrLkDMvBx+kskYfrA7lZ29HGV5egWtTpiw\n"
        "vaMcDBkRdw3pnW9i0/DMnmEe3ZuYxPdY5792ci37oZGrC+CS7zvvERVufDBgET9f\n"
        "nrW/c73iBm1Nz1lCTBXxtuQJCcYU7w/veFaBnFw5dzW4O5nuC/VVP18e38TLjArO\n"
        "IwIDAQAB\n"
        "-----END PUBLIC KEY-----\n";
static const char known_rsa_signature[] =
        "6f058533e0b3d7e337fbe78238ffb8c71095877b69597e5393ac113e45b531c4510bb28c2ee906565c99fa31b7d6948c05ce1143c9b4414d7761fa81eb860951"
        "7d039f5b09db62c4a498144c4da7383302418ad47affec54789ddbb6a7c3c4df0a1fb8680892bf1fa40c846febdbc687eb64713db4619a356f42ba1b851a99ac"
        "e10678bd218ccb84fc0cc5355a30229cde2b381175e844b33ef6c0561af5a2975f24e82bac3cd0e2aaa671c03cdb6cd3be2c46dc6a35bafa9636fc7761dbff14"
        "0598d905633cf64aa731d91da8d09fe97972d473fc067f0beebe87e68f2d6e33754f83baad2c6c6c0a7f41ed1b4df843fd47a66390dda20d5598643de501d2bb";
