// agent/endpoint.h - the HTTP server on the agent thread.
// Room: connections and the requests that take time. What a request means is http.h's, what a
// profile holds is make.h's. All calls on the agent thread.
#pragma once

#include "base/base.h"

#include "agent/listen.h"

// Listens and answers; one address at a time.
// Fails: as listen_open; ERR_BUSY when it already listens.
MUST_USE bool endpoint_open(str address, const struct listen_opts *opts, struct err *err);
// Stops listening, closes all connections and ends their collections.
void endpoint_close(void);
// Where it listens, "" when it does not.
const char *endpoint_address(void);
// The socket's file, "" for TCP: whoever ends the process removes it.
const char *endpoint_socket_path(void);
// In a forked child: forgets the parent's endpoint, whose socket file stays the parent's. Before
// loop_after_fork_child.
void endpoint_after_fork_child(void);
