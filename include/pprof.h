// include/pprof.h - profiles of a running C, C++ or Rust program, as Go's runtime/pprof and
// net/http/pprof give them.
//
// Linking libpprof is enough to sample the heap; one call serves everything:
//
//     #include <pprof.h>
//     char why[PPROF_ERROR_SIZE];
//     if (!pprof_serve("localhost:6060", why)) fprintf(stderr, "%s\n", why);
//
// and then, from anywhere:
//
//     pprof -top http://localhost:6060/debug/pprof/profile?seconds=10
//     pprof http://localhost:6060/debug/pprof/heap
//
// All functions may be called from any thread at any time after main has begun, not from signal
// handlers. They never end the program. Functions that can fail give false and write one sentence
// into why, which may be NULL. Environment variables that libpprof reads (PPROF_HTTP, PPROF_SIGNAL,
// PPROF_CPU_PROFILE, PPROF_HEAP_AT_EXIT and others) are described in libpprof's
// documentation; what a call says goes over them.
#ifndef PPROF_H
#define PPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#include <cstdint>
extern "C" {
#endif

// The longest sentence a function writes, with its NUL.
#define PPROF_ERROR_SIZE 1024

// Serves /debug/pprof/ on "host:port", ":port", "port" or "unix:/path"; a missing host is
// 127.0.0.1, port 0 lets the kernel choose. One address at a time. Returns once it listens; the
// work is done by a thread of libpprof's own, which has all signals blocked, its own file
// descriptors and no place in any profile. Processes that the program forks serve on ports of their
// own unless PPROF_CHILDREN=none.
bool pprof_serve(const char *address, char why[PPROF_ERROR_SIZE]);

// Where pprof_serve or PPROF_HTTP listens ("127.0.0.1:6060"), for instance after port 0; "" when
// nowhere. Valid until the next call of pprof_serve or pprof_stop.
const char *pprof_address(void);

// Ends what pprof_serve or PPROF_HTTP began: connections are closed, collections that clients wait
// for are dropped. Does nothing when nothing is served.
void pprof_stop(void);

// Begins a CPU profile of all threads at 100 samples per second of CPU time, to be written to fd by
// pprof_stop_cpu_profile; fd stays the caller's. Fails while another CPU profile runs, also one
// that a client asked for over HTTP. As Go's StartCPUProfile.
bool pprof_start_cpu_profile(int fd, char why[PPROF_ERROR_SIZE]);

// The same at hz samples per second of CPU time, 1 to 100000.
bool pprof_start_cpu_profile_at(int fd, unsigned hz, char why[PPROF_ERROR_SIZE]);

// Ends the profile that pprof_start_cpu_profile began and returns when it is written; false when
// that failed, or when none was begun. As Go's StopCPUProfile.
bool pprof_stop_cpu_profile(char why[PPROF_ERROR_SIZE]);

// What pprof_stop_cpu_profile would write, in memory. fd may then have been -1.
struct pprof_bytes {
    const char *data;
    size_t len;
};
const struct pprof_bytes *pprof_stop_cpu_profile_bytes(char why[PPROF_ERROR_SIZE]);
void pprof_bytes_free(const struct pprof_bytes *bytes);

// Writes the heap profile to fd: sampled allocations since the start, and those still in use. The
// same as pprof_profile_write_to(pprof_lookup("heap"), fd, 0, why). As Go's WriteHeapProfile.
bool pprof_write_heap_profile(int fd, char why[PPROF_ERROR_SIZE]);

// Sets the mean number of allocated bytes from one heap sample to the next (default 524288): 0
// stops sampling, 1 samples every allocation. Gives the old rate. Set it early and once: older
// samples are scaled as if drawn at the newest rate. As Go's runtime.MemProfileRate.
uint64_t pprof_set_heap_rate(uint64_t mean_bytes);

// Switches the "mutex" profile: one in fraction contended unlocks is sampled, and stands for them
// all; 1 samples each, 0 (as at the start) none, a negative one only asks. Gives the old fraction.
// What a lock's holder made others wait is charged to the code that unlocks. As Go's
// runtime.SetMutexProfileFraction.
int64_t pprof_set_mutex_fraction(int64_t fraction);

// Switches the "block" profile: waits for locks, conditions, semaphores, barriers, threads and
// futexes, charged to the code that waited. Waits of mean_ns nanoseconds and more are all sampled,
// shorter ones with probability wait/mean_ns; 1 samples each, 0 (as at the start) none. Gives the
// old rate. As Go's runtime.SetBlockProfileRate.
uint64_t pprof_set_block_rate(uint64_t mean_ns);

// A profile by name: "allocs", "goroutine" (or "threads": the stacks of all threads), "heap",
// "threadcreate" (who made the threads). NULL: no such profile. Never freed. As Go's Lookup.
typedef struct pprof_profile pprof_profile;
const pprof_profile *pprof_lookup(const char *name);
const char *pprof_profile_name(const pprof_profile *profile);

// How many things the profile counts now: threads, sampled allocations.
uint64_t pprof_profile_count(const pprof_profile *profile);

// Writes the profile to fd. debug 0: gzip'd profile.proto, what `pprof` reads; 1: text with names;
// 2: for goroutine, a dump of every thread, else as 1. As Go's (*Profile).WriteTo.
bool pprof_profile_write_to(const pprof_profile *profile, int fd, int debug,
                            char why[PPROF_ERROR_SIZE]);

// The same in memory, to be given to pprof_bytes_free. NULL: failed.
const struct pprof_bytes *pprof_profile_bytes(const pprof_profile *profile, int debug,
                                              char why[PPROF_ERROR_SIZE]);

// A profile of the program's own: things that exist now (open connections, sessions, handles), each
// with the stack that added it. It stands on the index page, is served like the others and found by
// pprof_lookup. As Go's NewProfile; where that panics these give NULL or false.
// name: by convention "library/path.what". Fails when the name is taken, or with 64 of them.
pprof_profile *pprof_new_profile(const char *name, char why[PPROF_ERROR_SIZE]);
// Adds value, any pointer or number that is its own name, with the caller's stack without its skip
// innermost frames. False: it is there already, or 800,000 values are. From any thread.
bool pprof_profile_add(pprof_profile *profile, const void *value, int skip);
// Takes value out. False: it was not there.
bool pprof_profile_remove(pprof_profile *profile, const void *value);
// Fills profiles with up to cap of the process's, by name; gives how many there are. As Go's
// Profiles.
size_t pprof_profiles(const pprof_profile *profiles[], size_t cap);

// Labels: what a thread is working for ("endpoint", "/search"; "job", "reindex"). Samples carry
// those of their thread, in the CPU, heap, goroutine, mutex, block and wall profiles, and `pprof
// -tagfocus` and `-tagroot` tell samples apart by them. Threads inherit the labels of the thread
// that creates them. As Go's pprof.Labels, WithLabels, SetGoroutineLabels and Do.
//
// A pprof_labels is an immutable set. Whoever made it frees it; it lives on while a thread runs
// under it. At most 16 labels a set, keys of 64 and values of 200 bytes (longer ones are cut),
// 16,384 sets at a time. Samples tell 8,190 different sets apart in the life of a process; what
// comes later has the label labels=[overflow]. So label by endpoint or by job rather than by
// request number.
typedef struct pprof_labels pprof_labels;

// The labels of base (may be NULL) and the pairs "key", "value", ..., NULL; a later value of the
// same key wins. NULL when there are none or too many sets are held; all functions take NULL for no
// labels. In C: pprof_labels_new(NULL, PPROF_LABELS("endpoint", "/search")).
pprof_labels *pprof_labels_new(const pprof_labels *base, const char *const pairs[]);
#define PPROF_LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})
void pprof_labels_free(pprof_labels *labels);

// Runs fn(arg) with labels added to those of the calling thread, which it has again afterwards.
void pprof_do(const pprof_labels *labels, void (*fn)(void *arg), void *arg);

// The labels of the calling thread, for work that goes on in another one: free them there, after
// pprof_set_labels or pprof_do. NULL: none.
pprof_labels *pprof_labels_current(void);
// Makes labels those of the calling thread, instead of the ones it has: for event loops and for
// schedulers of fibers, which call it at each switch. Costs two atomic counts.
void pprof_set_labels(const pprof_labels *labels);
// The value of a label of the calling thread, NULL: it has none. Valid until its labels change.
const char *pprof_label(const char *key);
// Calls fn for each label of the calling thread, by key, until it gives false.
void pprof_for_labels(bool (*fn)(void *arg, const char *key, const char *value), void *arg);

// The same as pprof_do for a stretch of code: pprof_scope_leave gives back what was before. Scopes
// of one thread end in the reverse order of their beginning.
typedef struct {
    pprof_labels *before;
    bool is_entered;
} pprof_scope;
pprof_scope pprof_scope_enter(const pprof_labels *labels);
pprof_scope pprof_scope_label(const char *key, const char *value);
void pprof_scope_leave(pprof_scope *scope);

// A stack that the program made and switches to itself, with ucontext, boost.context or by hand:
// stacks of samples taken on it then reach its first function, however deep they are. lowest and
// size as uc_stack.ss_sp and ss_size have them. Gives a number for pprof_stack_unregister, to be
// called before the memory is freed; 0: 16,384 stacks are registered. Each costs some 30 ns.
// Schedulers call pprof_set_labels at a switch to give each fiber labels of its own.
unsigned pprof_stack_register(const void *lowest, size_t size);
void pprof_stack_unregister(unsigned id);

// Begins an execution trace of all threads: when each runs, waits and for what, who woke it. It is
// written to fd, about once a second, until pprof_trace_stop; fd stays the caller's and open until
// then. `pprof trace` reads it, and `go tool trace` of Go 1.23 and later. Fails while another trace
// runs, also one that a client asked for over HTTP. As Go's runtime/trace.Start.
bool pprof_trace_start(int fd, char why[PPROF_ERROR_SIZE]);
// Ends it and returns when all is written. As Go's Stop.
bool pprof_trace_stop(char why[PPROF_ERROR_SIZE]);
// Whether what the functions below tell is kept: a trace or the flight recorder runs. As IsEnabled.
bool pprof_trace_is_enabled(void);

// A task is a piece of work that passes through any number of threads, such as a request: a number
// for the calls below, which a program hands on itself. parent is another task, 0: none. As
// NewTask.
uint64_t pprof_trace_task_new(uint64_t parent, const char *type);
void pprof_trace_task_end(uint64_t task);
// A region is a stretch of time of the calling thread, for a task or for none (0). Regions of one
// thread lie inside one another: the end names what the beginning named. As StartRegion.
void pprof_trace_region_begin(uint64_t task, const char *type);
void pprof_trace_region_end(uint64_t task, const char *type);
// A message at this moment. As Log.
void pprof_trace_log(uint64_t task, const char *category, const char *message);
// Texts are cut at 1024 bytes. While nothing is traced each call costs a branch (a task also an
// atomic count).
//
// Labels are in traces too: pprof_do and scopes are regions named by the thread's labels
// ("endpoint=/search"), and the thread's name has those it runs under.

// Keeps a trace of the last age_ms milliseconds (0: 10 s) in at most max_bytes (0: 10 MiB), for
// pprof_flight_recorder_write, which writes what there is to fd, and /debug/pprof/flightrecorder.
// PPROF_FLIGHT_RECORDER=10s,16MiB starts it with the program. As Go's FlightRecorder.
bool pprof_flight_recorder_start(unsigned age_ms, size_t max_bytes, char why[PPROF_ERROR_SIZE]);
bool pprof_flight_recorder_write(int fd, char why[PPROF_ERROR_SIZE]);
void pprof_flight_recorder_stop(void);

#ifdef __GNUC__
// In C: from here to the end of the block. PPROF_SCOPE("endpoint", path);
#define PPROF_SCOPE(key, value)                                                                    \
    __attribute__((cleanup(pprof_scope_leave), unused)) pprof_scope PPROF_NAME_(__LINE__) =        \
        pprof_scope_label(key, value)
#define PPROF_NAME_(line) PPROF_NAME_2_(line)
#define PPROF_NAME_2_(line) pprof_scope_##line

// The same as a region of a trace: PPROF_REGION("parse"), PPROF_TASK_REGION(task, "parse").
typedef struct {
    uint64_t task;
    const char *type; // valid until the end of the block
} pprof_region;
static inline __attribute__((unused)) pprof_region pprof_region_enter(uint64_t task,
                                                                      const char *type) {
    pprof_region region;
    region.task = task;
    region.type = type;
    pprof_trace_region_begin(task, type);
    return region;
}
static inline __attribute__((unused)) void pprof_region_leave(pprof_region *region) {
    pprof_trace_region_end(region->task, region->type);
}
#define PPROF_REGION(type) PPROF_TASK_REGION(0, type)
#define PPROF_TASK_REGION(task, type)                                                              \
    __attribute__((cleanup(pprof_region_leave), unused)) pprof_region PPROF_NAME_(__LINE__) =      \
        pprof_region_enter(task, type)
#endif

#ifdef __cplusplus
}

namespace pprof {

// pprof::scope request("endpoint", path);  to the end of the block, also when it throws.
class scope {
    pprof_scope c;

  public:
    scope(const char *key, const char *value) : c(pprof_scope_label(key, value)) {
    }
    explicit scope(const pprof_labels *labels) : c(pprof_scope_enter(labels)) {
    }
    ~scope() {
        pprof_scope_leave(&c);
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;
};

// pprof::region parsing("parse");  a region of the trace to the end of the block, of a task or of
// none. type is valid as long as the region.
class region {
    std::uint64_t of;
    const char *type;

  public:
    explicit region(const char *type_, std::uint64_t task = 0) : of(task), type(type_) {
        pprof_trace_region_begin(of, type);
    }
    ~region() {
        pprof_trace_region_end(of, type);
    }
    region(const region &) = delete;
    region &operator=(const region &) = delete;
};

// pprof::task request("request");  a task that ends with its owner; id() is what regions and logs
// of other threads name it by.
class task {
    std::uint64_t number;

  public:
    explicit task(const char *type, std::uint64_t parent = 0)
        : number(pprof_trace_task_new(parent, type)) {
    }
    ~task() {
        pprof_trace_task_end(number);
    }
    std::uint64_t id() const {
        return number;
    }
    task(const task &) = delete;
    task &operator=(const task &) = delete;
};

} // namespace pprof
#endif

#endif
