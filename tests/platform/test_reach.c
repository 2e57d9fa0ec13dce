#include "platform/reach.h"

#include "base/buf.h"
#include "platform/listen.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>

TEST(reach_tcp, comes_about_where_somebody_listens_and_not_where_nobody_does)
{
        char address[LISTEN_TEXT_MAX];
        struct why why;
        int socket = -1;
        CHECK(listen_open("127.0.0.1:0", &socket, address, NULL) == OK);
        const char *place = strrchr(address, '/') ? strrchr(address, '/') + 1 : address;
        CHECK(reach_tcp(place, 2000, NULL) == OK);
        CHECK(close(socket) == 0 && reach_tcp(place, 2000, &why) == ERR_UNAVAILABLE && strstr(why.text, "refused"));
}

TEST(reach_tcp, refuses_what_is_no_place)
{
        static const char *const places[] = { "", "host", ":1", "host:", "host:x", "host:1x", "::1:80", "[::1]", "host:123456" };
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                CHECK(reach_tcp(places[i], 10, NULL) == ERR_USAGE);
}
