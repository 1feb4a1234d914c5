// agent/hot/unwind.c - from registers to a stack of lookup pcs.
// Room: the walk. Most frames are left in walk_plain by one rule word with pc, sp and fp only; what
// a word cannot say goes through frame_step with all registers, which are rebuilt by walking again
// from the last point where they were known. Door: unwind_here, unwind_context, unwind_parked, at
// the end. How long a walk takes: bench/unwind.c.
#include "agent/hot/unwind.h"

#include "agent/hot/frame.h"
#include "agent/hot/guess.h"
#include "agent/hot/object.h"
#include "agent/hot/rules.h"

struct walk {
    struct frame frame; // not yet in pcs
    struct window window;
    u64 *pcs;
    i32 n, cap; // n is negative while frames are skipped
    bool is_parked, is_guessed;
    // All registers at an earlier frame, and how many plain steps lead from there to `frame`.
    struct regs base;
    bool base_is_exact;
    u32 base_steps;
};

// Makes the light frame and the starting point of replays from full registers.
static void walk_rebase(struct walk *w, bool is_exact) {
    const struct regs *base = &w->base;
    w->frame = (struct frame){base->r[REG_PC], base->r[REG_STACK], base->r[REG_FRAME], is_exact,
                              regs_know(base, REG_FRAME)};
    w->base_is_exact = is_exact;
    w->base_steps = 0;
}

// The same when only the light frame is known, after a guess.
static void walk_rebase_light(struct walk *w) {
    w->base.r[REG_PC] = w->frame.pc;
    w->base.r[REG_STACK] = w->frame.sp;
    w->base.r[REG_FRAME] = w->frame.fp;
    w->base.known = (u64)1 << REG_PC | (u64)1 << REG_STACK | (u64)w->frame.has_fp << REG_FRAME;
    w->base_is_exact = w->frame.is_exact;
    w->base_steps = 0;
}

// Writes frames and steps to their callers while one rule word and readable memory suffice.
// Gives the rule of the last written frame, which is w->frame; RULE_EMPTY: nothing more to write,
// because the stack ended (pc 0) or pcs is full.
static u32 walk_plain(struct walk *w) {
    struct frame f = w->frame;
    const u64 lo = w->window.lo, span = w->window.span, delta = w->window.delta;
    u64 *const pcs = w->pcs;
    const i32 cap = w->cap;
    i32 n = w->n;
    u32 rule = 0, steps = 0;
    while ((f.pc != 0 || f.is_exact) && n < cap) {
        u64 lookup = f.pc - !f.is_exact;
        if (n >= 0) pcs[n] = lookup;
        n++;
        rule = rule_of(lookup);
        enum rule_kind kind = rule_kind(rule);
        if (kind != RULE_SP && (kind != RULE_FP || !f.has_fp)) break;
        u64 cfa = (kind == RULE_SP ? f.sp : f.fp) + rule_cfa(rule);
        u64 saved = cfa - rule_fp(rule), ret = CALL_PUSHES_RETURN ? cfa - 8 : saved + 8;
        if (cfa <= f.sp || cfa % 8 != 0 || ret - lo >= span) break;
        if (saved != cfa) {
            if (saved - lo >= span) break;
            f.fp = *(const u64 *)(saved + delta);
            f.has_fp = true;
        }
        f.pc = arch_strip(*(const u64 *)(ret + delta));
        f.sp = cfa;
        f.is_exact = false;
        rule = 0;
        steps++;
    }
    w->frame = f;
    w->n = n;
    w->base_steps += steps;
    return rule;
}

// A plain step that walk_plain could not do: memory that must be probed or copied first, or an
// unknown frame pointer.
static enum step step_plain(struct walk *w, u32 rule) {
    struct frame *f = &w->frame;
    u64 slots = rule_fp(rule), fp = f->fp, pc;
    if (rule_kind(rule) == RULE_FP && !f->has_fp) {
        if (rule_cfa(rule) != 16 || !guess_frame_pointer(&w->window, f)) return STEP_LOST;
        w->is_guessed = true;
        fp = f->fp;
        walk_rebase_light(w);
    }
    u64 cfa = (rule_kind(rule) == RULE_SP ? f->sp : f->fp) + rule_cfa(rule);
    if (cfa <= f->sp || cfa % 8 != 0) return STEP_LOST;
    if (slots && !window_load(&w->window, cfa - slots, &fp)) return STEP_LOST;
    if (!window_load(&w->window, CALL_PUSHES_RETURN ? cfa - 8 : cfa - slots + 8, &pc)) {
        return STEP_LOST;
    }
    *f = (struct frame){arch_strip(pc), cfa, fp, false, f->has_fp || slots};
    w->base_steps++;
    return STEP_OK;
}

static enum step step_deref(struct walk *w, u32 rule) {
    struct frame *f = &w->frame;
    u64 cfa, fp, pc;
    if (!f->has_fp || f->fp < f->sp || !window_load(&w->window, f->fp, &fp) ||
        !window_load(&w->window, f->fp - rule_cfa(rule), &cfa)) {
        return STEP_LOST;
    }
    if (cfa <= f->sp || cfa % 8 != 0 || !window_load(&w->window, cfa - 8, &pc)) return STEP_LOST;
    *f = (struct frame){arch_strip(pc), cfa, fp, false, true};
    w->base_steps++;
    return STEP_OK;
}

// Steps from the trampoline of a signal handler to the interrupted code, which may run on another
// stack. Its own pc is no return address either.
static enum step step_signal(struct walk *w) {
    u64 first = w->frame.sp, word;
    if (w->n > 0) w->pcs[w->n - 1] = w->frame.pc;
    if (!window_load(&w->window, first + SIGNAL_FRAME_PC, &word) ||
        !window_load(&w->window, first, &word) ||
        first + SIGNAL_FRAME_PC - w->window.lo >= w->window.span) {
        return STEP_LOST;
    }
    u64 context = first + SIGNAL_FRAME_CONTEXT + w->window.delta;
    arch_from_context((const ucontext_t *)context, w->base.r);
    w->base.known = ((u64)1 << N_REGS) - 1;
    walk_rebase(w, true);
    u64 sp = w->frame.sp;
    if (w->is_parked) return sp > first ? STEP_OK : STEP_LOST;
    if (sp - w->window.lo >= w->window.span || sp < first) window_open(&w->window, sp);
    return STEP_OK;
}

static enum step step_guess(struct walk *w) {
    if (window_is_at_end(&w->window, w->frame.sp)) {
        if (w->n > 1) w->n--; // the code that switches stacks: no function of the program
        return STEP_END;
    }
    bool is_frame = guess_is_frame(&w->frame);
    enum guess guess = guess_caller(&w->window, &w->frame);
    // A signal's trampoline is told by its code, wherever it lies, and stays in the stack.
    if (w->n > 0 && !is_frame && guess != GUESS_SIGNAL) w->n--;
    switch (guess) {
    case GUESS_NONE:
        return STEP_LOST;
    case GUESS_END:
        return STEP_END;
    case GUESS_SIGNAL:
        return step_signal(w);
    case GUESS_CALLER:
        break;
    }
    w->is_guessed = true;
    walk_rebase_light(w);
    return STEP_OK;
}

// Walks again from the base, with all registers, to the current frame and one step further.
static enum step step_full(struct walk *w) {
    enum step step = STEP_OK;
    u64 sp = w->frame.sp;
    bool was_exact = w->frame.is_exact;
    for (; w->base_steps > 0 && step == STEP_OK; w->base_steps--) {
        step = frame_step(&w->base, &w->window, &w->base_is_exact);
    }
    if (step != STEP_OK || w->base.r[REG_STACK] != sp) return STEP_LOST;
    step = frame_step(&w->base, &w->window, &w->base_is_exact);
    if (step != STEP_OK) return step;
    walk_rebase(w, w->base_is_exact);
    if (w->frame.is_exact) { // a signal frame of unusual layout
        if (!w->is_parked && w->frame.sp - w->window.lo >= w->window.span) {
            window_open(&w->window, w->frame.sp);
        }
        return STEP_OK;
    }
    // Only interrupted code may have its return address in a register and nothing on the stack.
    if (w->frame.sp % 8 != 0 || w->frame.sp < sp || (w->frame.sp == sp && !was_exact)) {
        return STEP_LOST;
    }
    return STEP_OK;
}

static enum step walk_step(struct walk *w, u32 rule) {
    struct frame before = w->frame;
    enum step step = STEP_LOST;
    switch (rule_kind(rule)) {
    case RULE_EMPTY:
        break;
    case RULE_SP:
    case RULE_FP:
        return step_plain(w, rule);
    case RULE_FP_DEREF:
        return step_deref(w, rule);
    case RULE_SIGNAL:
        return step_signal(w);
    case RULE_END:
        return STEP_END;
    case RULE_NONE:
        return step_guess(w);
    case RULE_FULL:
        step = step_full(w);
        if (step != STEP_LOST) return step;
        w->frame = before;
        return step_guess(w);
    }
    return step;
}

// The walk reads the stack in steps that depend on one another, so that in a cold cache each line
// of it is waited for in turn. Asked for at once they come together: a frame of bench/unwind.c's
// stack takes a quarter less. 1.5 KiB hold most stacks' inner dozen frames; warm, asking costs 4 ns
// a walk. Where nothing is mapped a prefetch does nothing.
enum { PREFETCH_LINES = 24, LINE = 64 };

static void stack_prefetch(u64 sp) {
    for (u64 i = 0; i < PREFETCH_LINES; i++) __builtin_prefetch((const char *)sp + i * LINE);
}

static __attribute__((noinline)) struct unwound walk_run(struct walk *w) {
    stack_prefetch(w->frame.sp);
    enum step step = STEP_OK;
    enum unwind_end end = UNWIND_COMPLETE;
    while (step == STEP_OK) {
        u32 rule = walk_plain(w);
        if (rule_kind(rule) == RULE_EMPTY) {
            step = w->frame.pc == 0 ? STEP_END : STEP_OK;
            break;
        }
        step = walk_step(w, rule);
    }
    if (step == STEP_OK) {
        w->pcs[w->cap - 1] = STACK_TRUNCATED;
        end = UNWIND_TRUNCATED;
    } else if (step == STEP_LOST) {
        end = UNWIND_LOST;
    } else if (w->is_guessed) {
        end = UNWIND_GUESSED;
    }
    return (struct unwound){w->n > 0 ? (u32)w->n : 0, end};
}

static void walk_init(struct walk *w, u64 *pcs, u32 cap) {
    w->pcs = pcs;
    w->cap = cap < MAX_FRAMES ? (i32)cap : MAX_FRAMES;
    w->n = 0;
    w->is_parked = w->is_guessed = false;
    w->base.known = ((u64)1 << N_REGS) - 1;
}

bool unwind_init(void) {
    bounds_init();
    guess_init();
    objects_init();
    rules_init();
    return true;
}

void unwind_forget(void) {
    objects_forget();
    rules_forget();
}

__attribute__((noinline)) struct unwound unwind_here(u64 *pcs, u32 cap, u32 skip) {
    struct walk w;
    if (cap == 0) return (struct unwound){0, UNWIND_TRUNCATED};
    walk_init(&w, pcs, cap);
    arch_capture(w.base.r);
    w.base.known = CALLEE_SAVED_REGS;
    walk_rebase(&w, true);
    w.n = -1 - (i32)(skip < MAX_FRAMES ? skip : MAX_FRAMES); // -1: this function itself
    window_open(&w.window, w.frame.sp);
    return walk_run(&w);
}

__attribute__((noinline)) const u64 *unwind_program(u64 *pcs, u32 cap, const void *caller, u32 *n) {
    struct unwound got = unwind_here(pcs, cap, 0);
    *n = got.n;
    for (u32 i = 0; i < got.n; i++) {
        if (pcs[i] != (u64)(uintptr_t)caller - 1) continue;
        *n = got.n - i;
        return pcs + i;
    }
    return pcs;
}

struct unwound unwind_context(const ucontext_t *context, u64 *pcs, u32 cap) {
    struct walk w;
    if (cap == 0) return (struct unwound){0, UNWIND_TRUNCATED};
    walk_init(&w, pcs, cap);
    arch_from_context(context, w.base.r);
    walk_rebase(&w, true);
    window_open(&w.window, w.frame.sp);
    return walk_run(&w);
}

struct unwound unwind_parked(u64 pc, u64 sp, u64 stack_lo, u64 stack_hi, u64 *pcs, u32 cap) {
    struct walk w;
    u8 copy[COPY_BYTES];
    if (cap == 0) return (struct unwound){0, UNWIND_TRUNCATED};
    walk_init(&w, pcs, cap);
    w.is_parked = true;
    w.frame = (struct frame){.pc = pc, .sp = sp, .is_exact = true};
    walk_rebase_light(&w);
    window_open_parked(&w.window, sp, stack_lo, stack_hi, copy);
    return walk_run(&w);
}
