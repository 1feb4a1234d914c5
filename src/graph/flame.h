// graph/flame.h - flame graphs of any size: stacks sorted once, asked many times.
// Room: the index, its weights and its queries. Door: graph/graph.h.
//
// The idea: stacks sorted by their frames are the tree already. A node is a run of neighbours (a
// span), its weight the difference of two prefix sums, its children are found by galloping; no tree
// is made. An index depends on how frames are told apart and cut; which samples count and by which
// value are weights over it, so that a filter costs one pass over the samples.
//
// Words: a key is a frame id and whether it was inlined there; down indexes go from the root, up
// indexes from the leaf. Lifetimes: index, weights and trees live in their arenas, each borrowing
// what it was made of; indexes and weights are frozen and shared by threads. Nothing fails.
#pragma once

#include "view/view.h"

// A frame as a flame graph names it: without symbols "binary+0x1234", each address by itself.
struct flame_frame {
    str name, file, object; // file and object of one place it was seen at; may be empty
    i64 line;               // 0 unless frames are told apart by lines
};

struct flame_index {
    bool is_up;
    struct flame_frame *frames;
    u32 n_frames;
    u32 n_stacks;  // distinct ones
    u64 *at;       // n_stacks + 1 entries into keys
    u32 *keys;     // frame id << 1 | is_inlined
    u32 *stack_of; // [sample_i]: its stack; U32_NONE: the view left it out
};

// v: what frames and stacks look like; its samples are those that can be weighed.
void flame_index_build(struct arena *out, const struct view *v, bool is_up,
                       struct flame_index *ret);

// Sums over the stacks before each one. negative: absolute values of what is below zero (a base);
// NULL: nothing is.
struct flame_weights {
    i64 *positive, *negative; // n_stacks + 1 entries
};
// v: the samples that count; frames and cuts as the index's view has them.
void flame_weigh(struct arena *out, const struct flame_index *index, const struct view *v,
                 struct flame_weights *ret);

enum flame_inlining { FLAME_INLINED_NEVER, FLAME_INLINED_ALWAYS, FLAME_INLINED_SOMETIMES };

struct flame_node {
    u32 depth;
    u32 frame;               // U32_NONE: the root, or a middle of several frames
    i64 total, self, hidden; // total = self + children + hidden
    i64 base, base_self;     // of what is below zero
    u32 n_hidden;            // children not among the nodes
    enum flame_inlining inlining;
};
// Nodes in pre-order, heavier children first.
struct flame_tree {
    struct flame_node *nodes;
    u32 n;
};

struct flame_query {
    const u32 *path; // frames below the first node; the tree is what is below them
    u32 n_path;
    const bool *is_middle; // [frame id]: stacks begin at their outermost one; NULL: at their first
    i64 least;             // lighter nodes are left out
    u32 share;             // and those below the first one's weight / share; 0: none
    u32 max_nodes;         // then the lightest ones
};
// The part of the tree that is worth showing; its first node is the whole (or the path's end).
void flame_ask(struct arena *out, const struct flame_index *index,
               const struct flame_weights *weights, const struct flame_query *query,
               struct flame_tree *ret);

// Keeps the heaviest nodes only; what goes is hidden in its parent.
void flame_trim(struct arena *scratch, struct flame_tree *tree, u32 max_nodes);

// What frames make up together: a stack with several counts once.
struct flame_sum {
    i64 cum, self;
};
// per_frame: [frame id], filled for those chosen; NULL: not wanted.
void flame_sum(struct arena *scratch, const struct flame_index *down,
               const struct flame_weights *weights, const bool *is_chosen, struct flame_sum *ret,
               struct flame_sum *per_frame);
