// cmd/pprof.c - main() of pprof.
// Room: nothing but the entry; what pprof does is driver/driver.c, its pages are web/web.h.
#include "driver/driver.h"
#include "web/web.h"

int main(int argc, char **argv) {
    static const struct driver_pages pages = {.profile = web_profile, .trace = web_trace};
    return driver_main(argc, argv, &pages);
}
