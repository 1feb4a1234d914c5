// formats/perf.h - what perf.data holds, between the files that read it.
// Room: private to formats/: events and samples (perf_event.c), feature sections (perf_features.c),
// compressed records (perf_unzip.c), processes and what they mapped (perf_maps.c), stacks to be
// walked (perf_walk.c). Door:
// perf_data_decode() in perf_data.c. Source: linux/perf_event.h and the kernel's
// tools/perf/Documentation/perf.data-file-format.txt. Little-endian only.
#pragma once

#include "profile/profile.h"

enum {
    // perf itself multiplexes far fewer; every sample has a value of each.
    PERF_MAX_EVENTS = 32,
    PERF_ATTR_MIN = 64, // PERF_ATTR_SIZE_VER0: everything read here lies in it
    PERF_KERNEL_PID = -1,
    // Frames found in one recorded stack: perf shows 127, and 64 KiB of a deep recursion hold 2000.
    PERF_MAX_WALKED = 2048,
};

enum perf_mode { PERF_UNKNOWN, PERF_KERNEL, PERF_USER, PERF_OTHER }; // hypervisors and guests

struct perf_event {
    u32 type;
    u64 config, period, sample_type, read_format, branch_type, registers_mask;
    bool is_inherited;            // each thread has counters of its own, under the same ids
    bool is_freq, has_sample_ids; // has_sample_ids: all records end in the sample's ids and time
    str name;                     // empty: none was recorded
};

// The events of a file, and which id means which.
struct perf_events {
    struct perf_event items[PERF_MAX_EVENTS];
    u32 n;
    struct idmap by_id;
};

// One record: its header taken apart, its body borrowed from the file.
struct perf_record {
    u32 type;
    u16 misc;
    str body;
};

struct perf_sample {
    u32 event_i, pid, tid;
    u64 ip, time, period;
    enum perf_mode mode; // of ip
    str ips;             // the callchain: u64 little-endian each, innermost first
    // Counters of the event's group (events sampled together): value and id first,
    // counter_bytes apart.
    str counters;
    u32 counter_bytes;
    // The program's registers, those of the mask in its order, and its stack from the innermost
    // byte on; empty: not recorded.
    u64 registers_mask;
    str registers, stack;
};

// What feature sections and pipe records tell about the whole recording.
struct perf_facts {
    str host, os_release, arch;
    str command_line;
    struct strmap build_ids; // file name to index into build_id_texts
    str *build_id_texts;     // as hex
    size_t n_build_ids, cap_build_ids;
    u64 n_lost;
};

// perf_event.c

// Reads a perf_event_attr of attr.len bytes as one more event; more than PERF_MAX_EVENTS are
// counted as the last. Fails: ERR_MALFORMED. *event_i: its index.
MUST_USE bool perf_event_add(struct perf_events *events, str attr, u32 *event_i, struct err *err);
// The event's name, or what its type and config are called.
str perf_event_name(struct arena *out, const struct perf_event *event);
// Whether the event counts nanoseconds of CPU time.
bool perf_event_is_clock(const struct perf_event *event);
// A software event that only carries records about processes.
bool perf_event_is_dummy(const struct perf_event *event);
MUST_USE bool perf_sample_read(const struct perf_events *events, const struct perf_record *record,
                               struct perf_sample *ret, struct err *err);
// When a record other than a sample was made; 0: it does not say.
u64 perf_record_time(const struct perf_events *events, const struct perf_record *record);
enum perf_mode perf_record_mode(const struct perf_record *record);

// perf_features.c

// Takes the feature with this number from its section; unknown ones are passed over.
MUST_USE bool perf_feature_read(struct arena *out, u32 feature, str section,
                                struct perf_facts *facts, struct perf_events *events,
                                struct err *err);
// One record of a build id, as sections hold them and pipes send them.
MUST_USE bool perf_build_id_read(struct arena *out, const struct perf_record *record,
                                 struct perf_facts *facts, struct err *err);
str perf_hex(struct arena *out, str bytes);

// perf_unzip.c

// Unpacks the pieces of one zstd stream that compressed records carry, one after the other.
MUST_USE bool perf_unzip(struct arena *out, const str *pieces, size_t n, str *ret, struct err *err);

// perf_maps.c

struct perf_processes;
struct perf_processes *perf_processes_new(struct arena *scratch, struct profile_builder *b,
                                          const struct perf_facts *facts);
// Takes a record of a mapping, a fork or a new name; others are passed over.
MUST_USE bool perf_processes_take(struct perf_processes *all, const struct perf_record *record,
                                  struct err *err);
// The location of an address in a process, as seen by perf's mode. A file mapped at several places
// by several processes has one mapping, its first place, and addresses are moved there.
u32 perf_location(struct perf_processes *all, u32 pid, enum perf_mode mode, u64 address,
                  bool is_return);
// Whether something is mapped at an address of a program.
bool perf_is_mapped(const struct perf_processes *all, u32 pid, u64 address);
// What is built: its mappings and locations so far.
const struct profile *perf_profile(const struct perf_processes *all);
// The name of a thread: a string id, 0 when unknown.
u32 perf_comm(const struct perf_processes *all, u32 pid, u32 tid);
void perf_sample_counted(struct perf_processes *all, u32 pid);
// Makes the program of the process with the most samples the first mapping.
void perf_main_first(struct perf_processes *all);

// perf_walk.c

// Puts the locations of the sample's recorded stack, innermost first, into stack, which has room
// for PERF_MAX_WALKED, and returns their number; 0: no stack was recorded, or walker is NULL.
u32 perf_walk(struct perf_processes *all, const struct perf_sample *s,
              const struct stack_walker *walker, u32 *stack);
