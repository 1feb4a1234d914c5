// formats/frames.c - the frames that the legacy profilers leave on the stack and nobody wants to
// see. Room: the expressions of drop_frames and keep_frames, by kind of profile. Door:
// legacy_set_frames(). Source: reference/pprof.md section 3.9; the texts are those the original
// writes into converted profiles, so that converted files compare equal.
#include "formats/legacy.h"

static const char alloc_drop[] =
    "calloc|cfree|malloc|free|memalign|do_memalign|(__)?posix_memalign|pvalloc|valloc|realloc|"
    // tcmalloc
    "tcmalloc::.*|tc_calloc|tc_cfree|tc_malloc|tc_free|tc_memalign|tc_posix_memalign|tc_pvalloc|"
    "tc_valloc|tc_realloc|tc_new|tc_delete|tc_newarray|tc_deletearray|tc_new_nothrow|"
    "tc_newarray_nothrow|"
    // macOS
    "malloc_zone_malloc|malloc_zone_calloc|malloc_zone_valloc|malloc_zone_realloc|"
    "malloc_zone_memalign|malloc_zone_free|"
    // Go's runtime, then allocators of C++ libraries
    "runtime\\..*|"
    "BaseArena::.*|(::)?do_malloc_no_errno|(::)?do_malloc_pages|(::)?do_malloc|"
    "DoSampledAllocation|MallocedMemBlock::MallocedMemBlock|_M_allocate|__builtin_(vec_)?delete|"
    "__builtin_(vec_)?new|__gnu_cxx::new_allocator::allocate|__libc_malloc|"
    "__malloc_alloc_template::allocate|allocate|cpp_alloc|operator new(\\[\\])?|"
    "simple_alloc::allocate";

// Frames of Go's runtime in the middle of a stack.
static const char alloc_keep[] = "runtime\\.panic|runtime\\.reflectcall|runtime\\.call[0-9]*";

static const char lock_drop[] =
    "RecordLockProfileData|(base::)?RecordLockProfileData.*|(base::)?SubmitMutexProfileData.*|"
    "(base::)?SubmitSpinLockProfileData.*|(base::Mutex::)?AwaitCommon.*|(base::Mutex::)?Unlock.*|"
    "(base::Mutex::)?UnlockSlow.*|(base::Mutex::)?ReaderUnlock.*|(base::MutexLock::)?~MutexLock.*|"
    "(Mutex::)?AwaitCommon.*|(Mutex::)?Unlock.*|(Mutex::)?UnlockSlow.*|(Mutex::)?ReaderUnlock.*|"
    "(MutexLock::)?~MutexLock.*|(SpinLock::)?Unlock.*|(SpinLock::)?SlowUnlock.*|"
    "(SpinLockHolder::)?~SpinLockHolder.*";

static const char cpu_drop[] =
    "ProfileData::Add|ProfileData::prof_handler|CpuProfiler::prof_handler|__pthread_sighandler|"
    "__restore";

// Whether the sample types are these, in this order; the list ends with NULL.
static bool has_types(const struct profile *p, const char *const *types) {
    u32 n = 0;
    for (; types[n]; n++) {
        if (n >= p->n_types) return false;
        if (!str_eq(profile_str(p, p->sample_types[n].type), str_of(types[n]))) return false;
    }
    return n == p->n_types;
}

static bool is_heap(const struct profile *p) {
    static const char *const kinds[][LEGACY_TYPES_MAX + 1] = {
        {"allocations", "size"},
        {"objects", "space"},
        {"inuse_objects", "inuse_space"},
        {"alloc_objects", "alloc_space"},
        {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"},
    };
    for (size_t i = 0; i < countof(kinds); i++) {
        if (has_types(p, kinds[i])) return true;
    }
    return false;
}

void legacy_set_frames(struct profile_builder *b) {
    static const char *const contention[] = {"contentions", "delay", NULL};
    bool is_alloc = is_heap(&b->p), is_lock = has_types(&b->p, contention);
    b->p.drop_frames = builder_str(b, is_alloc  ? str_of(alloc_drop)
                                      : is_lock ? str_of(lock_drop)
                                                : str_of(cpu_drop));
    if (is_alloc) b->p.keep_frames = builder_str(b, str_of(alloc_keep));
}
