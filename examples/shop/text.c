// examples/shop/text.c - words out of text, and the vocabulary the catalog is written in.
// Room: bytes and words only. Door: shop.h.
#include "shop.h"

#include <ctype.h>
#include <string.h>

bool text_next_term(const char **text, char term[MAX_TERM_LEN + 1]) {
    const char *at = *text;
    size_t len = 0;
    while (*at && !isalnum((unsigned char)*at)) at++;
    for (; isalnum((unsigned char)*at); at++) {
        if (len < MAX_TERM_LEN) term[len++] = (char)tolower((unsigned char)*at);
    }
    term[len] = '\0';
    *text = at;
    return len > 0;
}

// FNV-1a, 64 bits.
uint64_t text_hash(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

void text_make_word(unsigned i, char word[MAX_TERM_LEN + 1]) {
    static const char *const syllables[] = {"ba", "ri", "to", "lan", "mer", "sho", "fil", "ga",
                                            "no", "pe", "ur", "vin", "kel", "das", "wo",  "zi"};
    uint32_t bits = (i + 1) * 2654435761u; // Knuth's multiplier spreads neighbours apart
    unsigned n_syllables = 2 + bits % 3;
    word[0] = '\0';
    for (unsigned k = 0; k < n_syllables; k++) strcat(word, syllables[bits >> (28 - 4 * k) & 15]);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void url_decode(const char *in, size_t in_len, char *out, size_t size) {
    size_t len = 0;
    for (size_t i = 0; i < in_len && len + 1 < size; i++) {
        bool is_escape = in[i] == '%' && i + 2 < in_len && hex_digit(in[i + 1]) >= 0 &&
                         hex_digit(in[i + 2]) >= 0;
        if (is_escape) {
            out[len++] = (char)(hex_digit(in[i + 1]) * 16 + hex_digit(in[i + 2]));
            i += 2;
        } else {
            out[len++] = in[i] == '+' ? ' ' : in[i];
        }
    }
    out[len] = '\0';
}
