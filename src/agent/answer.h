// agent/answer.h - from a plan to a reply: at once, or step by step while a profile is collected.
// Room: what is collected when, and what is said when it fails. No sockets. On the agent thread
// only. Lifetimes: an answer lives in the arena it was started in.
#pragma once

#include "base/base.h"

#include "agent/http.h"

struct answer;
struct evbuffer;

// Plans the request and begins. NULL: *ret is the reply. Else answer_step must be called every 50
// ms until it gives one, or answer_cancel once.
struct answer *answer_start(struct arena *arena, const struct http_request *request,
                            struct reply *ret);
// True: *ret is the reply and the answer is over. is_gone: the client hung up; the collection ends
// now.
MUST_USE bool answer_step(struct answer *answer, bool is_gone, struct reply *ret);
void answer_cancel(struct answer *answer);
// Where an answer that is sent as it is made puts its bytes, for the caller to take at any time;
// *ret gets the reply they belong to. NULL: this answer comes whole.
struct evbuffer *answer_stream(struct answer *answer, struct reply *ret);
