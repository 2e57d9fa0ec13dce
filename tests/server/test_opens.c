/* What is only opened in the api process: none of it keeps anything when memory runs out. */
#include "server/api/cache.h"
#include "server/api/front.h"
#include "server/api/store_link.h"
#include "server/api/tls.h"
#include "server/certificate.h"
#include "server/signer/remote.h"

#include "platform/file.h"
#include "platform/link.h"
#include "platform/listen.h"
#include "support/sweep.h"
#include "support/test.h"

struct place { char folder[64], certificate[80], key[80]; };

static void make_place(struct place *place)
{
        OWN(buf) struct buf certificate, key;
        buf_init(&certificate, 16384);
        buf_init(&key, 16384);
        CHECK(file_temporary(place->folder, NULL) == OK);
        snprintf(place->certificate, sizeof(place->certificate), "%s/cert.pem", place->folder);
        snprintf(place->key, sizeof(place->key), "%s/key.pem", place->folder);
        CHECK(certificate_make("localhost", 1784432200, &certificate, &key, NULL) == OK);
        CHECK(file_write(place->certificate, certificate.bytes, certificate.length, NULL) == OK && file_write(place->key, key.bytes, key.length, NULL) == OK);
}

TEST(tls_open, survives_a_lack_of_memory)
{
        struct place place;
        make_place(&place);
        SWEEP_MEMORY {
                OWN(tls) struct tls *tls = NULL;
                enum err e = tls_open(place.certificate, place.key, &tls, NULL);
                CHECK(e == OK ? tls != NULL : !tls);
        }
        file_remove_tree(place.folder);
}

TEST(cache_open, survives_a_lack_of_memory)
{
        SWEEP_MEMORY {
                OWN(cache) struct cache *cache = NULL;
                enum err e = cache_open(&cache, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !cache));
        }
}

TEST(signer_remote_open, survives_a_lack_of_memory)
{
        SWEEP_MEMORY {
                OWN(signer_remote) struct signer *signer = NULL;
                enum err e = signer_remote_open(-1, &signer, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !signer));
        }
}

TEST(store_link_open, survives_a_lack_of_memory)
{
        static const struct store_link_events events = { NULL, NULL, NULL };
        SWEEP_MEMORY {
                uv_loop_t loop;
                int ends[2];
                struct store_link *link = NULL;
                CHECK(uv_loop_init(&loop) == 0 && link_open(ends, NULL) == OK);
                enum err e = store_link_open(&loop, ends[0], &events, NULL, &link, NULL);
                CHECK(e == OK || (e == ERR_NOMEM && !link));
                if (link)
                        store_link_close(link);
                CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0 && uv_loop_close(&loop) == 0);
                if (link)
                        store_link_done(link);
                link_close(ends[0]);
                link_close(ends[1]);
        }
}
