// cmd/pprof.c - main() of pprof.
// Room: nothing but the entry; what pprof does is driver/driver.c.
#include "driver/driver.h"

int main(int argc, char **argv) {
    return driver_main(argc, argv, NULL);
}
