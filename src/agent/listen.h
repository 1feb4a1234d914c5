// agent/listen.h - opening the socket the endpoint listens on.
// Room: addresses and their sockets. Nothing is accepted here. Door: listen_open.
#pragma once

#include "base/base.h"

enum {
    ADDRESS_CAP = 160, // "unix:" and the 107 bytes of a socket path, with room for a pid
};

struct listener {
    int fd;                    // -1: not listening
    char address[ADDRESS_CAP]; // as a client names it: "127.0.0.1:6060", "unix:/run/x.sock"
    char path[ADDRESS_CAP];    // the socket's file, to be removed at the end; "" for TCP
};

struct listen_opts {
    bool is_elsewhere; // the address belongs to somebody else: port 0, or PID.sock in its folder
};

// Opens "host:port", ":port", "port" or "unix:/path". A missing host means 127.0.0.1: nobody
// outside this machine gets in unless an address says so. Hosts are numbers or "localhost":
// resolving names would load code into the program. Port 0 lets the kernel choose. Fails: ERR_USAGE
// (no address), ERR_BUSY (somebody listens there), ERR_SYSTEM.
MUST_USE bool listen_open(str address, const struct listen_opts *opts, struct listener *ret,
                          struct err *err);
void listen_close(struct listener *l);
