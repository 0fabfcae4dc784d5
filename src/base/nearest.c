/* The known word nearest to a mistyped one. */
#include "base/nearest.h"

static char fold(char c)
{
    return c == '_' ? '-' : ascii_lower(c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: edits, and swapped neighbours, each cost 1. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][NEAREST_WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char ca = fold(a.ptr[i - 1]), cb = fold(b.ptr[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == fold(b.ptr[j - 2]) && cb == fold(a.ptr[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.len];
}

struct nearest nearest_to(struct str word)
{
    return (struct nearest){.word = word, .found = STR_EMPTY, .distance = SIZE_MAX};
}

void nearest_offer(struct nearest *nearest, struct str candidate)
{
    if (nearest->word.len == 0 || nearest->word.len > NEAREST_WORD_MAX || candidate.len > NEAREST_WORD_MAX)
        return;
    size_t edits = distance(nearest->word, candidate);
    if (edits < nearest->distance && edits * 3 <= nearest->word.len + 1) {
        nearest->distance = edits;
        nearest->found = candidate;
    }
}
