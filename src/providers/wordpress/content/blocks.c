/* The tree of blocks. */
#include "providers/wordpress/content/blocks.h"

#include "base/buf.h"
#include "providers/wordpress/content/html.h"

enum token_kind { TOKEN_NONE, TOKEN_OPENER, TOKEN_CLOSER, TOKEN_VOID };

struct token {
    enum token_kind kind;
    size_t start, end;
    struct str name; /* as written: without "core/" where that was left out */
    struct str attributes;
};

struct scanner {
    struct str source;
    size_t at;
    /* Attributes that begin in [attributes_from, attributes_end] end at attributes_end. Remembered, so that many unfinished
     * openers do not each search the whole rest. */
    size_t attributes_from, attributes_end;
    bool is_unfinished; /* attributes began somewhere that end nowhere */
};

static size_t skip_space(struct str s, size_t at)
{
    while (at < s.len && ascii_is_space(s.ptr[at]))
        at++;
    return at;
}

/* [a-z][a-z0-9_-]* */
static size_t skip_name(struct str s, size_t at)
{
    if (at >= s.len || s.ptr[at] < 'a' || s.ptr[at] > 'z')
        return at;
    while (at < s.len && ((s.ptr[at] >= 'a' && s.ptr[at] <= 'z') || ascii_is_digit(s.ptr[at]) || s.ptr[at] == '_' ||
                          s.ptr[at] == '-'))
        at++;
    return at;
}

static bool has_at(struct str s, size_t at, const char *part, size_t length)
{
    return at <= s.len && s.len - at >= length && memcmp(s.ptr + at, part, length) == 0;
}

/* An optional slash and "-->" at `at`. Returns the end, or 0. */
static size_t delimiter_tail(struct str s, size_t at, bool *ret_void)
{
    *ret_void = at < s.len && s.ptr[at] == '/';
    if (*ret_void)
        at++;
    return has_at(s, at, "-->", 3) ? at + 3 : 0;
}

/* The brace that ends attributes beginning at `from`: the first before white space and the delimiter's tail. */
static size_t attributes_end(struct scanner *scanner, size_t from)
{
    struct str s = scanner->source;
    if (from >= scanner->attributes_from && from <= scanner->attributes_end)
        return scanner->attributes_end;
    size_t at = from, end = STR_NOT_FOUND;
    while (at < s.len && end == STR_NOT_FOUND) {
        const char *brace = memchr(s.ptr + at, '}', s.len - at);
        if (!brace)
            break;
        at = (size_t)(brace - s.ptr) + 1;
        size_t tail = skip_space(s, at);
        bool is_void;
        if (tail > at && delimiter_tail(s, tail, &is_void))
            end = at - 1;
    }
    scanner->attributes_from = from;
    scanner->attributes_end = end; /* STR_NOT_FOUND is the largest offset: a later search finds nothing either */
    return end;
}

/* The name with its optional namespace at *at, which goes behind it. */
static struct str read_name(struct str s, size_t *at)
{
    size_t start = *at, end = skip_name(s, start);
    if (end > start && end < s.len && s.ptr[end] == '/') {
        size_t second = skip_name(s, end + 1);
        if (second == end + 1)
            return STR_EMPTY;
        end = second;
    }
    *at = end;
    return str_sub(s, start, end - start);
}

/* The delimiter that begins at `start`, where "<!--" stands. */
static bool read_delimiter(struct scanner *scanner, size_t start, struct token *ret)
{
    struct str s = scanner->source;
    size_t at = skip_space(s, start + 4);
    if (at == start + 4 || at >= s.len)
        return false;
    bool closer = s.ptr[at] == '/';
    at += closer;
    if (!has_at(s, at, "wp:", 3))
        return false;
    at += 3;
    struct str name = read_name(s, &at), attributes = STR_EMPTY;
    size_t after = skip_space(s, at);
    if (name.len == 0 || after == at)
        return false;
    if (after < s.len && s.ptr[after] == '{') {
        size_t brace = attributes_end(scanner, after + 1);
        if (brace == STR_NOT_FOUND) {
            scanner->is_unfinished = true;
            return false;
        }
        attributes = str_sub(s, after, brace + 1 - after);
        after = skip_space(s, brace + 1);
    }
    bool is_void;
    size_t end = delimiter_tail(s, after, &is_void);
    if (!end)
        return false;
    *ret = (struct token){is_void ? TOKEN_VOID : (closer ? TOKEN_CLOSER : TOKEN_OPENER), start, end, name, attributes};
    return true;
}

/* Where the next "<!--" begins, or NULL. By its first byte: memmem() takes many times as long for so short a word. */
static const char *find_comment(struct str s, size_t at)
{
    const char *end = s.ptr + s.len;
    for (const char *found = s.ptr + at; (found = memchr(found, '<', (size_t)(end - found))); found++)
        if (end - found >= 4 && memcmp(found, "<!--", 4) == 0)
            return found;
    return NULL;
}

static struct token next_token(struct scanner *scanner)
{
    struct str s = scanner->source;
    struct token token = {TOKEN_NONE, s.len, s.len, STR_EMPTY, STR_EMPTY};
    size_t at = scanner->at;
    while (at < s.len) {
        const char *found = find_comment(s, at);
        if (!found)
            break;
        at = (size_t)(found - s.ptr);
        if (read_delimiter(scanner, at, &token))
            break;
        at += 4;
    }
    scanner->at = token.end;
    return token;
}

struct tree {
    struct arena *arena;
    struct blocks *blocks;
    struct block *open; /* innermost */
    size_t depth;       /* of open */
    size_t skipped;     /* openers below the deepest kept level */
    size_t offset;      /* what is read so far */
    enum blocks_flags flags;
};

/* "3", "3.2" */
static struct str number_of(struct arena *arena, const struct block *parent, size_t place)
{
    struct buf number;
    size_t max = 20 + (parent ? parent->number.len + 1 : 0);
    buf_init(&number, arena, max);
    (void)buf_reserve(&number, max);
    if (parent) {
        buf_add(&number, parent->number);
        buf_add_char(&number, '.');
    }
    buf_add_u64(&number, place);
    return buf_str(&number);
}

static struct block *add_block(struct tree *tree, struct block *parent, struct str name)
{
    struct block *block = arena_new_of(tree->arena, struct block);
    block->parent = parent;
    block->name = name;
    block->attributes_raw = STR_EMPTY;
    struct block **last = parent ? &parent->last_child : &tree->blocks->last;
    struct block **first = parent ? &parent->first_child : &tree->blocks->first;
    size_t *count = parent ? &parent->child_count : &tree->blocks->count;
    block->previous = *last;
    if (*last)
        (*last)->next = block;
    else
        *first = block;
    *last = block;
    ++*count;
    block->number = number_of(tree->arena, parent, *count);
    return block;
}

/* Classic text at the top level; white space alone is no block. */
static void add_classic(struct tree *tree, size_t start, size_t end)
{
    struct str text = str_sub(tree->blocks->source, start, end - start), piece = text;
    if (str_trim(text).len == 0)
        return;
    if (!(tree->flags & BLOCKS_SPLIT_CLASSIC)) {
        struct block *block = add_block(tree, NULL, STR_EMPTY);
        block->outer = block->inner = text;
        return;
    }
    while (html_next_piece(&text, &piece)) {
        struct block *block = add_block(tree, NULL, STR_EMPTY);
        block->outer = block->inner = piece;
    }
}

static struct str full_name(struct arena *arena, struct str name)
{
    return str_find_char(name, '/') == STR_NOT_FOUND ? str_concat(arena, STR("core/"), name) : name;
}

static void open_block(struct tree *tree, const struct token *token)
{
    struct str s = tree->blocks->source;
    if (!tree->open)
        add_classic(tree, tree->offset, token->start);
    struct block *block = add_block(tree, tree->open, full_name(tree->arena, token->name));
    block->attributes_raw = token->attributes;
    block->outer = str_sub(s, token->start, token->end - token->start);
    block->inner = str_sub(s, token->end, 0);
    tree->offset = token->end;
    if (token->kind == TOKEN_VOID) {
        block->is_void = true;
        return;
    }
    tree->open = block;
    tree->depth++;
}

static void close_block(struct tree *tree, size_t inner_end, size_t outer_end)
{
    const char *base = tree->blocks->source.ptr;
    struct block *block = tree->open;
    block->inner.len = (size_t)(base + inner_end - block->inner.ptr);
    block->outer.len = (size_t)(base + outer_end - block->outer.ptr);
    tree->open = block->parent;
    tree->depth--;
    tree->offset = outer_end;
}

static void take_token(struct tree *tree, const struct token *token)
{
    if (token->kind == TOKEN_CLOSER) {
        if (tree->skipped)
            tree->skipped--;
        else
            close_block(tree, token->start, token->end);
        return;
    }
    if (tree->depth >= BLOCKS_DEPTH_MAX) {
        tree->skipped += token->kind == TOKEN_OPENER;
        return;
    }
    open_block(tree, token);
}

struct blocks blocks_parse(struct arena *arena, struct str source, enum blocks_flags flags)
{
    struct blocks blocks = {.source = source};
    struct scanner scanner = {.source = source, .attributes_from = SIZE_MAX};
    struct tree tree = {.arena = arena, .blocks = &blocks, .flags = flags};
    for (;;) {
        struct token token = next_token(&scanner);
        if (token.kind == TOKEN_NONE)
            break;
        blocks.has_delimiters = true;
        if (token.kind == TOKEN_CLOSER && !tree.open) {
            blocks.is_broken = true; /* all that follows is classic text to WordPress */
            break;
        }
        take_token(&tree, &token);
    }
    while (tree.open) {
        blocks.is_broken = tree.open->is_unclosed = true;
        close_block(&tree, source.len, source.len);
    }
    add_classic(&tree, tree.offset, source.len);
    return blocks;
}

bool blocks_is_unfinished(struct str text)
{
    struct scanner scanner = {.source = text, .attributes_from = SIZE_MAX};
    while (next_token(&scanner).kind != TOKEN_NONE)
        ;
    return scanner.is_unfinished;
}

size_t blocks_delimiter_length(struct str text)
{
    struct scanner scanner = {.source = text, .attributes_from = SIZE_MAX};
    struct token token;
    return str_starts_with(text, STR("<!--")) && read_delimiter(&scanner, 0, &token) ? token.end : 0;
}

size_t blocks_first_length(struct str text)
{
    struct scanner scanner = {.source = text, .attributes_from = SIZE_MAX};
    size_t depth = 0;
    if (!blocks_delimiter_length(text))
        return 0;
    for (;;) {
        struct token token = next_token(&scanner);
        if (token.kind == TOKEN_NONE || (token.kind == TOKEN_CLOSER && depth == 0))
            return 0;
        depth += token.kind == TOKEN_OPENER;
        depth -= token.kind == TOKEN_CLOSER;
        if (depth == 0)
            return token.end;
    }
}

struct block *blocks_find(const struct blocks *blocks, struct str number)
{
    struct block *level = blocks->first, *block = NULL;
    struct str rest = number, piece;
    while (str_next(&rest, '.', &piece)) {
        uint64_t wanted;
        if (!str_to_u64(piece, &wanted) || wanted == 0)
            return NULL;
        for (block = level; block && wanted > 1; wanted--)
            block = block->next;
        if (!block)
            return NULL;
        level = block->first_child;
    }
    return block;
}

struct block *blocks_at(const struct blocks *blocks, size_t offset)
{
    const char *at = blocks->source.ptr + offset;
    struct block *found = NULL;
    for (struct block *block = blocks->first; block && block->outer.ptr <= at;) {
        bool inside = at < block->outer.ptr + block->outer.len;
        if (inside)
            found = block;
        block = inside ? block->first_child : block->next;
    }
    return found;
}

bool blocks_find_range(const struct blocks *blocks, struct str range, struct block **ret_first, struct block **ret_last)
{
    size_t dash = str_find_char(range, '-');
    *ret_first = *ret_last = blocks_find(blocks, str_trim(str_sub(range, 0, dash)));
    if (*ret_first && dash != STR_NOT_FOUND)
        *ret_last = blocks_find(blocks, str_trim(str_from_offset(range, dash + 1)));
    if (!*ret_first || !*ret_last || (*ret_first)->parent != (*ret_last)->parent)
        return false;
    return (*ret_first)->outer.ptr <= (*ret_last)->outer.ptr;
}

struct str blocks_span(const struct block *first, const struct block *last)
{
    return str_of(first->outer.ptr, (size_t)(last->outer.ptr + last->outer.len - first->outer.ptr));
}
