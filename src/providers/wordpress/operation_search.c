/* How well an operation fits a question, and how it is shown. */
#include "providers/wordpress/operation_search.h"

enum {
    QUERY_WORDS_MAX = 8,
    COPIES_LESS = 30, /* of the 100 a word in the path counts */
};

/* --- searching ----------------------------------------------------------------------------------------------------------- */

static bool is_in(struct str name, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], name))
            return true;
    return false;
}

static bool same_word(struct str a, struct str b)
{
    if (a.len > 3 && (a.ptr[a.len - 1] | 0x20) == 's')
        a.len--;
    if (b.len > 3 && (b.ptr[b.len - 1] | 0x20) == 's')
        b.len--;
    return str_eq_nocase(a, b);
}

/* 2: one of its words (between whatever is no letter or digit); 1: part of one; 0: not there. */
static unsigned fit(struct str text, struct str word)
{
    for (size_t i = 0; i < text.len;) {
        size_t end = i;
        while (end < text.len && ascii_is_alnum(text.ptr[end]))
            end++;
        if (end > i && same_word(str_sub(text, i, end - i), word))
            return 2;
        i = end + 1;
    }
    return word.len > 2 && str_contains_nocase(text, word) ? 1 : 0;
}

/* Words for what is to be done narrow to methods; they are in no path. */
static unsigned methods_meant(struct str word)
{
    static const struct {
        struct str word;
        unsigned mask;
    } verbs[] = {
        {STR_INIT("get"), OPERATION_GET},       {STR_INIT("list"), OPERATION_GET},
        {STR_INIT("read"), OPERATION_GET},      {STR_INIT("show"), OPERATION_GET},
        {STR_INIT("create"), OPERATION_POST},   {STR_INIT("add"), OPERATION_POST},
        {STR_INIT("new"), OPERATION_POST},      {STR_INIT("update"), OPERATION_WRITES},
        {STR_INIT("edit"), OPERATION_WRITES},   {STR_INIT("change"), OPERATION_WRITES},
        {STR_INIT("set"), OPERATION_WRITES},    {STR_INIT("put"), OPERATION_PUT},
        {STR_INIT("patch"), OPERATION_PATCH},   {STR_INIT("delete"), OPERATION_DELETE},
        {STR_INIT("remove"), OPERATION_DELETE}, {STR_INIT("trash"), OPERATION_DELETE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (str_eq_nocase(verbs[i].word, word))
            return verbs[i].mask;
    return 0;
}

static unsigned score_word(const struct operation *operation, struct str word)
{
    static const unsigned by_path[] = {0, 40, 100}, by_about[] = {0, 15, 40}, by_arg[] = {0, 5, 15};
    unsigned score = by_path[fit(operation->path, word)], other = by_about[fit(operation->about, word)];
    if (other > score)
        score = other;
    other = by_arg[fit(operation->args, word)];
    return other > score ? other : score;
}

/* The next word off *query; false at the end. */
static bool next_word(struct str *query, struct str *ret)
{
    size_t start = 0, end;
    while (start < query->len && !ascii_is_alnum(query->ptr[start]) && (unsigned char)query->ptr[start] < 0x80)
        start++;
    for (end = start; end < query->len; end++)
        if (!ascii_is_alnum(query->ptr[end]) && (unsigned char)query->ptr[end] < 0x80)
            break;
    *ret = str_sub(*query, start, end - start);
    *query = str_from_offset(*query, end);
    return ret->len > 0;
}

static unsigned depth_of(struct str path)
{
    unsigned depth = 0;
    for (size_t i = 0; i < path.len; i++)
        depth += path.ptr[i] == '/';
    return depth;
}

/* Says nothing. Single letters are also how the types of arguments are kept. */
static bool is_filler(struct str word)
{
    static const struct str fillers[] = {STR_INIT("an"), STR_INIT("the"), STR_INIT("of"), STR_INIT("to"),
                                         STR_INIT("in"), STR_INIT("for"), STR_INIT("on"), STR_INIT("all")};
    return word.len == 1 || is_in(word, fillers, ARRAY_LENGTH(fillers));
}

unsigned operation_score(const struct operation *operation, struct str query)
{
    struct str word;
    unsigned score = 0, words = 0, found = 0;
    while (words < QUERY_WORDS_MAX && next_word(&query, &word)) {
        if (is_filler(word))
            continue;
        unsigned mask = methods_meant(word), of_word = score_word(operation, word);
        if (mask) {
            score += operation->methods & mask ? 30 : 0;
            continue;
        }
        words++;
        found += of_word > 0;
        score += of_word;
    }
    if (words && !found)
        return 0;
    /* Copies that are kept of an item come behind the item. */
    if (score > COPIES_LESS &&
        (str_contains(operation->path, STR("/autosaves")) || str_contains(operation->path, STR("/revisions"))))
        score -= COPIES_LESS;
    /* More of the words beats better places; near the top of the site's tree beats what lies below. */
    unsigned depth = depth_of(operation->path);
    return 1 + found * 1000 + score * 4 + (depth < 12 ? 12 - depth : 0);
}

/* --- signatures ---------------------------------------------------------------------------------------------------------- */

/* What a reader wants to see first: required, then what an item is made of, then the rest, last what is in nearly all. */
enum rank { RANK_REQUIRED, RANK_TELLING, RANK_OTHER, RANK_USUAL, RANKS };

static enum rank rank_of(const struct operation_arg *arg)
{
    static const struct str telling[] = {STR_INIT("title"),  STR_INIT("name"),        STR_INIT("content"),
                                         STR_INIT("status"), STR_INIT("description"), STR_INIT("force")};
    static const struct str usual[] = {
        STR_INIT("page"),         STR_INIT("per_page"),       STR_INIT("offset"),
        STR_INIT("order"),        STR_INIT("orderby"),        STR_INIT("exclude"),
        STR_INIT("include"),      STR_INIT("search"),         STR_INIT("after"),
        STR_INIT("before"),       STR_INIT("date"),           STR_INIT("password"),
        STR_INIT("slug"),         STR_INIT("search_columns"), STR_INIT("search_semantics"),
        STR_INIT("tax_relation"),
    };
    if (arg->required)
        return RANK_REQUIRED;
    if (is_in(arg->name, telling, ARRAY_LENGTH(telling)))
        return RANK_TELLING;
    bool is_usual = is_in(arg->name, usual, ARRAY_LENGTH(usual)) || str_ends_with(arg->name, STR("_exclude")) ||
                    str_ends_with(arg->name, STR("_gmt")) || str_starts_with(arg->name, STR("modified_"));
    return is_usual ? RANK_USUAL : RANK_OTHER;
}

static void write_arg_hint(const struct operation_arg *arg, struct buf *out)
{
    buf_add(out, arg->name);
    if (arg->type == 'a')
        buf_add(out, STR("[]"));
    else if (arg->type == 'o' && !str_eq(arg->members, STR("raw"))) /* that one may be given as a text */
        buf_add_format(out, "{%.*s}", STR_ARG(arg->members.len <= 40 ? arg->members : STR_EMPTY));
    if (arg->required)
        buf_add_char(out, '*');
}

void operation_write_signature(const struct operation *operation, size_t args_max, struct buf *out)
{
    struct operation_arg arg;
    size_t shown = 0, all = 0;
    if (!operation->is_ability)
        buf_add_format(out, "%.*s ", STR_ARG(operation_method_name(operation->methods)));
    buf_add(out, operation->path);
    for (int rank = 0; rank < RANKS; rank++) {
        struct str rest = operation->args;
        while (operation_next_arg(&rest, &arg)) {
            all += rank == 0;
            if ((int)rank_of(&arg) != rank ||
                (args_max && rank != RANK_REQUIRED && (shown >= args_max || rank == RANK_USUAL)))
                continue;
            buf_add(out, shown++ ? STR(",") : STR(" ("));
            write_arg_hint(&arg, out);
        }
    }
    if (shown < all)
        buf_add_format(out, "%s+%zu", shown ? "," : " (", all - shown);
    if (all)
        buf_add_char(out, ')');
    if (operation->is_ability && !(operation->methods & OPERATION_GET))
        buf_add(out, STR(" writes"));
    if (operation->is_ability && args_max)
        buf_add_format(out, ": %.*s", STR_ARG(str_sub(operation->about, 0, str_find_char(operation->about, '.'))));
}
