/* Small work on the text of HTML. */
#include "providers/wordpress/content/text.h"

#include "base/utf8.h"
#include "providers/wordpress/content/html.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* HTML 4's names and apos, sorted by bytes. */
static const struct entity {
    const char *name;
    uint16_t code;
} entities[] = {
    /* clang-format off */
    {"AElig", 198}, {"Aacute", 193}, {"Acirc", 194}, {"Agrave", 192}, {"Alpha", 913},
    {"Aring", 197}, {"Atilde", 195}, {"Auml", 196}, {"Beta", 914}, {"Ccedil", 199}, {"Chi", 935},
    {"Dagger", 8225}, {"Delta", 916}, {"ETH", 208}, {"Eacute", 201}, {"Ecirc", 202},
    {"Egrave", 200}, {"Epsilon", 917}, {"Eta", 919}, {"Euml", 203}, {"Gamma", 915}, {"Iacute", 205},
    {"Icirc", 206}, {"Igrave", 204}, {"Iota", 921}, {"Iuml", 207}, {"Kappa", 922}, {"Lambda", 923},
    {"Mu", 924}, {"Ntilde", 209}, {"Nu", 925}, {"OElig", 338}, {"Oacute", 211}, {"Ocirc", 212},
    {"Ograve", 210}, {"Omega", 937}, {"Omicron", 927}, {"Oslash", 216}, {"Otilde", 213},
    {"Ouml", 214}, {"Phi", 934}, {"Pi", 928}, {"Prime", 8243}, {"Psi", 936}, {"Rho", 929},
    {"Scaron", 352}, {"Sigma", 931}, {"THORN", 222}, {"Tau", 932}, {"Theta", 920}, {"Uacute", 218},
    {"Ucirc", 219}, {"Ugrave", 217}, {"Upsilon", 933}, {"Uuml", 220}, {"Xi", 926}, {"Yacute", 221},
    {"Yuml", 376}, {"Zeta", 918}, {"aacute", 225}, {"acirc", 226}, {"acute", 180}, {"aelig", 230},
    {"agrave", 224}, {"alefsym", 8501}, {"alpha", 945}, {"amp", 38}, {"and", 8743}, {"ang", 8736},
    {"apos", 39}, {"aring", 229}, {"asymp", 8776}, {"atilde", 227}, {"auml", 228}, {"bdquo", 8222},
    {"beta", 946}, {"brvbar", 166}, {"bull", 8226}, {"cap", 8745}, {"ccedil", 231}, {"cedil", 184},
    {"cent", 162}, {"chi", 967}, {"circ", 710}, {"clubs", 9827}, {"cong", 8773}, {"copy", 169},
    {"crarr", 8629}, {"cup", 8746}, {"curren", 164}, {"dArr", 8659}, {"dagger", 8224},
    {"darr", 8595}, {"deg", 176}, {"delta", 948}, {"diams", 9830}, {"divide", 247}, {"eacute", 233},
    {"ecirc", 234}, {"egrave", 232}, {"empty", 8709}, {"emsp", 8195}, {"ensp", 8194},
    {"epsilon", 949}, {"equiv", 8801}, {"eta", 951}, {"eth", 240}, {"euml", 235}, {"euro", 8364},
    {"exist", 8707}, {"fnof", 402}, {"forall", 8704}, {"frac12", 189}, {"frac14", 188},
    {"frac34", 190}, {"frasl", 8260}, {"gamma", 947}, {"ge", 8805}, {"gt", 62}, {"hArr", 8660},
    {"harr", 8596}, {"hearts", 9829}, {"hellip", 8230}, {"iacute", 237}, {"icirc", 238},
    {"iexcl", 161}, {"igrave", 236}, {"image", 8465}, {"infin", 8734}, {"int", 8747}, {"iota", 953},
    {"iquest", 191}, {"isin", 8712}, {"iuml", 239}, {"kappa", 954}, {"lArr", 8656}, {"lambda", 955},
    {"lang", 9001}, {"laquo", 171}, {"larr", 8592}, {"lceil", 8968}, {"ldquo", 8220}, {"le", 8804},
    {"lfloor", 8970}, {"lowast", 8727}, {"loz", 9674}, {"lrm", 8206}, {"lsaquo", 8249},
    {"lsquo", 8216}, {"lt", 60}, {"macr", 175}, {"mdash", 8212}, {"micro", 181}, {"middot", 183},
    {"minus", 8722}, {"mu", 956}, {"nabla", 8711}, {"nbsp", 160}, {"ndash", 8211}, {"ne", 8800},
    {"ni", 8715}, {"not", 172}, {"notin", 8713}, {"nsub", 8836}, {"ntilde", 241}, {"nu", 957},
    {"oacute", 243}, {"ocirc", 244}, {"oelig", 339}, {"ograve", 242}, {"oline", 8254},
    {"omega", 969}, {"omicron", 959}, {"oplus", 8853}, {"or", 8744}, {"ordf", 170}, {"ordm", 186},
    {"oslash", 248}, {"otilde", 245}, {"otimes", 8855}, {"ouml", 246}, {"para", 182},
    {"part", 8706}, {"permil", 8240}, {"perp", 8869}, {"phi", 966}, {"pi", 960}, {"piv", 982},
    {"plusmn", 177}, {"pound", 163}, {"prime", 8242}, {"prod", 8719}, {"prop", 8733}, {"psi", 968},
    {"quot", 34}, {"rArr", 8658}, {"radic", 8730}, {"rang", 9002}, {"raquo", 187}, {"rarr", 8594},
    {"rceil", 8969}, {"rdquo", 8221}, {"real", 8476}, {"reg", 174}, {"rfloor", 8971}, {"rho", 961},
    {"rlm", 8207}, {"rsaquo", 8250}, {"rsquo", 8217}, {"sbquo", 8218}, {"scaron", 353},
    {"sdot", 8901}, {"sect", 167}, {"shy", 173}, {"sigma", 963}, {"sigmaf", 962}, {"sim", 8764},
    {"spades", 9824}, {"sub", 8834}, {"sube", 8838}, {"sum", 8721}, {"sup", 8835}, {"sup1", 185},
    {"sup2", 178}, {"sup3", 179}, {"supe", 8839}, {"szlig", 223}, {"tau", 964}, {"there4", 8756},
    {"theta", 952}, {"thetasym", 977}, {"thinsp", 8201}, {"thorn", 254}, {"tilde", 732},
    {"times", 215}, {"trade", 8482}, {"uArr", 8657}, {"uacute", 250}, {"uarr", 8593},
    {"ucirc", 251}, {"ugrave", 249}, {"uml", 168}, {"upsih", 978}, {"upsilon", 965}, {"uuml", 252},
    {"weierp", 8472}, {"xi", 958}, {"yacute", 253}, {"yen", 165}, {"yuml", 255}, {"zeta", 950},
    {"zwj", 8205}, {"zwnj", 8204},
    /* clang-format on */
};

/* Those that WordPress itself writes into titles and excerpts, so as not to search for them. */
static const struct {
    struct str name;
    uint16_t code;
} common_entities[] = {
    {STR_INIT("amp"), '&'}, {STR_INIT("hellip"), 8230}, {STR_INIT("nbsp"), 160},
    {STR_INIT("lt"), '<'},  {STR_INIT("gt"), '>'},      {STR_INIT("quot"), '"'},
};

static int compare_entity(const void *key, const void *entry)
{
    const struct str *name = key;
    return str_compare(*name, str_from(((const struct entity *)entry)->name));
}

static bool numeric_code(struct str digits, uint32_t *ret)
{
    bool hex = digits.len && (digits.ptr[0] == 'x' || digits.ptr[0] == 'X');
    uint32_t code = 0;
    if (digits.len == hex || digits.len > 8)
        return false;
    for (size_t i = hex; i < digits.len; i++) {
        char c = ascii_lower(digits.ptr[i]);
        if (!ascii_is_digit(c) && !(hex && c >= 'a' && c <= 'f'))
            return false;
        code = code * (hex ? 16 : 10) + (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *ret = code;
    return code > 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

static bool named_code(struct str name, uint32_t *ret)
{
    for (size_t i = 0; i < ARRAY_LENGTH(common_entities); i++)
        if (str_eq(common_entities[i].name, name)) {
            *ret = common_entities[i].code;
            return true;
        }
    const struct entity *entity = bsearch(&name, entities, ARRAY_LENGTH(entities), sizeof entities[0], compare_entity);
    *ret = entity ? entity->code : 0;
    return entity;
}

size_t text_entity(struct str text, char out[4], size_t *ret_out_length)
{
    enum { REFERENCE_MAX = 12 };
    if (text.len < 3 || text.ptr[0] != '&')
        return 0;
    size_t end = str_find_char(str_sub(text, 1, REFERENCE_MAX), ';');
    if (end == STR_NOT_FOUND || end == 0)
        return 0;
    struct str name = str_sub(text, 1, end);
    uint32_t code;
    if (name.ptr[0] == '#' ? !numeric_code(str_from_offset(name, 1), &code) : !named_code(name, &code))
        return 0;
    *ret_out_length = utf8_encode(code, out);
    return end + 2;
}

struct str text_decode_entities(struct arena *arena, struct str s)
{
    if (str_find_char(s, '&') == STR_NOT_FOUND)
        return s;
    char *out = arena_alloc_unset(arena, s.len); /* a reference is never shorter than what it means */
    size_t length = 0, utf8_length = 0;
    while (s.len) {
        char utf8[4];
        size_t reference = s.ptr[0] == '&' ? text_entity(s, utf8, &utf8_length) : 0;
        struct str piece = str_of(utf8, utf8_length);
        if (!reference) { /* up to the next ampersand */
            reference = str_find_char(str_from_offset(s, 1), '&');
            reference = reference == STR_NOT_FOUND ? s.len : reference + 1;
            piece = str_sub(s, 0, reference);
        }
        memcpy(out + length, piece.ptr, piece.len);
        length += piece.len;
        s = str_from_offset(s, reference);
    }
    return str_of(out, length);
}

static bool is_no_break_space(struct str s, size_t at)
{
    return s.len - at >= 2 && memcmp(s.ptr + at, "\xC2\xA0", 2) == 0;
}

/* How many bytes from `at` on text_escape() copies as they are. */
static size_t unescaped_length(struct str s, size_t at)
{
    static const bool stops[256] = {['&'] = true, ['<'] = true, ['>'] = true, [0xC2] = true};
    size_t end = at;
    while (end < s.len && !stops[(unsigned char)s.ptr[end]])
        end++;
    return end - at;
}

void text_escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        size_t plain = unescaped_length(s, i);
        buf_add(out, str_sub(s, i, plain));
        i += plain;
        if (i == s.len)
            break;
        char c = s.ptr[i];
        bool space = is_no_break_space(s, i);
        if (space)
            buf_add(out, STR("&nbsp;"));
        else if (c == '&' || c == '<' || c == '>')
            buf_add(out, c == '&' ? STR("&amp;") : c == '<' ? STR("&lt;") : STR("&gt;"));
        else
            buf_add_char(out, c);
        i += space;
    }
}

/* What the editor takes for a reference: a name of letters and digits, known or not, or a number. */
static bool looks_like_reference(struct str s)
{
    size_t i = 1;
    if (i < s.len && s.ptr[i] == '#')
        i++;
    size_t start = i;
    while (i < s.len && ascii_is_alnum(s.ptr[i]))
        i++;
    return i > start && i < s.len && s.ptr[i] == ';';
}

void text_escape_attribute(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '&' && !looks_like_reference(str_from_offset(s, i)))
            buf_add(out, STR("&amp;"));
        else if (c == '<')
            buf_add(out, STR("&lt;"));
        else if (c == '>')
            buf_add(out, STR("&gt;"));
        else if (c == '"')
            buf_add(out, STR("&quot;"));
        else
            buf_add_char(out, c);
    }
}

void text_canonical(struct buf *out, struct str html_text)
{
    for (size_t i = 0; i < html_text.len;) {
        struct str rest = str_from_offset(html_text, i);
        char utf8[4];
        size_t utf8_length, reference = rest.ptr[0] == '&' ? text_entity(rest, utf8, &utf8_length) : 0;
        if (reference) {
            text_escape(out, str_of(utf8, utf8_length));
            i += reference;
        } else if (rest.ptr[0] == '&' && looks_like_reference(rest)) {
            buf_add_char(out, '&');
            i++;
        } else { /* up to the next ampersand */
            size_t length = str_find_char(str_from_offset(rest, 1), '&');
            length = length == STR_NOT_FOUND ? rest.len : length + 1;
            text_escape(out, str_sub(rest, 0, length));
            i += length;
        }
    }
}

void text_canonical_tag(struct buf *out, struct str tag)
{
    for (size_t i = 0; i < tag.len; i++) {
        bool bare = tag.ptr[i] == '&' && !looks_like_reference(str_from_offset(tag, i));
        buf_add(out, bare ? STR("&amp;") : str_sub(tag, i, 1));
    }
}

struct str text_canonical_html(struct arena *arena, struct str html)
{
    struct buf out;
    struct html_token token;
    buf_init(&out, arena, html.len * 6 + 1);
    while (html_next(&html, &token)) {
        if (token.kind == HTML_TEXT)
            text_canonical(&out, token.source);
        else if (token.kind == HTML_OPEN)
            text_canonical_tag(&out, token.source);
        else
            buf_add(&out, token.source);
    }
    return buf_str(&out);
}

/* The end of what is not text at all: the content of a script or style behind its open tag. */
static void skip_raw_text(struct str *rest, const struct html_token *tag)
{
    if (tag->kind != HTML_OPEN || !(html_is(tag, "script") || html_is(tag, "style")))
        return;
    struct html_token token;
    while (html_next(rest, &token))
        if (token.kind == HTML_CLOSE && str_eq_nocase(token.name, tag->name))
            return;
}

static void add_space(char *out, size_t *length)
{
    if (*length && out[*length - 1] != ' ')
        out[(*length)++] = ' ';
}

/* The first character or reference of `text`; how many bytes it had. */
static size_t add_collapsed_one(char *out, size_t *length, struct str text)
{
    char decoded[4];
    size_t decoded_length, reference = text.ptr[0] == '&' ? text_entity(text, decoded, &decoded_length) : 0;
    struct str character = reference ? str_of(decoded, decoded_length) : str_sub(text, 0, 1);
    if (ascii_is_space(character.ptr[0])) {
        add_space(out, length);
    } else if (is_no_break_space(reference ? character : text, 0)) {
        add_space(out, length);
        return reference ? reference : 2;
    } else {
        memcpy(out + *length, character.ptr, character.len);
        *length += character.len;
    }
    return reference ? reference : 1;
}

#ifdef __SSE2__
/*
 * How many of the next 16 bytes are copied as they are: no reference, no no-break space, no white space but single spaces.
 * Copies 16 blindly.
 */
static size_t add_collapsed_block(char *out, size_t *length, struct str text)
{
    char last[16] = {0}; /* the zeros behind a shorter text stop it, as all control characters do */
    bool is_last = text.len < sizeof last;
    if (is_last)
        memcpy(last, text.ptr, text.len);
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(is_last ? last : text.ptr));
    __m128i stop =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('&')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\xC2')));
    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes)); /* control characters */
    unsigned spaces = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
    unsigned stops =
        (unsigned)_mm_movemask_epi8(stop) | (spaces & (spaces << 1 | (*length == 0 || out[*length - 1] == ' ')));
    size_t plain = stops ? (size_t)__builtin_ctz(stops) : 16;
    _mm_storeu_si128((__m128i *)(void *)(out + *length), bytes);
    *length += plain;
    return plain;
}
#endif

static void add_collapsed(char *out, size_t *length, struct str text)
{
    for (size_t i = 0; i < text.len;) {
#ifdef __SSE2__
        size_t plain = add_collapsed_block(out, length, str_from_offset(text, i));
        i += plain;
        if (plain == 16 || i == text.len)
            continue;
#endif
        i += add_collapsed_one(out, length, str_from_offset(text, i));
    }
}

struct str text_from_html(struct arena *arena, struct str html)
{
    char *out = arena_alloc_unset(arena, html.len + 16); /* a reference is never shorter than what it means */
    size_t length = 0;
    struct html_token token;
    while (html_next(&html, &token)) {
        if (token.kind == HTML_TEXT)
            add_collapsed(out, &length, token.source);
        else if (token.kind != HTML_COMMENT && (html_is_block(token.name) || html_is(&token, "br")))
            add_space(out, &length);
        skip_raw_text(&html, &token);
    }
    return str_trim(str_of(out, length));
}

size_t text_word_count(struct arena *arena, struct str html)
{
    struct str rest = text_from_html(arena, html), word;
    size_t count = 0;
    while (str_next(&rest, ' ', &word)) {
        bool letter = false;
        for (size_t i = 0; i < word.len && !letter; i++) {
            unsigned char c = (unsigned char)word.ptr[i];
            bool dash_or_quote = c == 0xE2 && i + 1 < word.len && (unsigned char)word.ptr[i + 1] == 0x80;
            letter = ascii_is_alnum((char)c) || (c >= 0xC3 && !dash_or_quote);
        }
        count += letter;
    }
    return count;
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Eight characters, if all are ASCII. */
static bool are_ascii(const char *eight)
{
    uint64_t bytes;
    memcpy(&bytes, eight, sizeof bytes);
    return !(bytes & 0x8080808080808080u);
}

struct str text_cut(struct str s, size_t chars)
{
    size_t i = 0;
    if (chars >= s.len)
        return s;
    for (;;) {
        while (chars >= 8 && s.len - i >= 8 && are_ascii(s.ptr + i)) {
            i += 8;
            chars -= 8;
        }
        if (i == s.len)
            return s;
        if (starts_character(s.ptr[i]) && chars-- == 0)
            return str_sub(s, 0, i);
        i++;
    }
}

size_t text_chars(struct str s)
{
    size_t chars = 0;
    for (size_t i = 0; i < s.len;) {
        size_t step = s.len - i >= 8 && are_ascii(s.ptr + i) ? 8 : 1;
        chars += step == 8 ? 8 : starts_character(s.ptr[i]);
        i += step;
    }
    return chars;
}

/* Up to 16 bytes, line breaks and tabs as spaces. */
static inline void copy_in_line(char *to, const char *from, size_t length)
{
#ifdef __SSE2__
    char all[16];
    if (length < sizeof all)
        memcpy(memset(all, 0, sizeof all), from, length);
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(length < sizeof all ? all : from));
    __m128i breaks =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
    breaks = _mm_or_si128(breaks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    bytes = _mm_or_si128(_mm_andnot_si128(breaks, bytes), _mm_and_si128(breaks, _mm_set1_epi8(' ')));
    _mm_storeu_si128((__m128i *)(void *)all, bytes);
    memcpy(to, all, length);
#else
    for (size_t i = 0; i < length; i++)
        to[i] = from[i] == '\n' || from[i] == '\t' || from[i] == '\r' ? ' ' : from[i];
#endif
}

void text_add_cell(struct buf *out, struct str text, size_t chars_max)
{
    struct str shown = text_cut(text, chars_max);
    char *room = buf_reserve(out, shown.len);
    if (!room)
        return;
    size_t whole = shown.len & ~(size_t)15;
    for (size_t i = 0; i < whole; i += 16)
        copy_in_line(room + i, shown.ptr + i, 16);
    copy_in_line(room + whole, shown.ptr + whole, shown.len - whole);
    out->len += shown.len;
    if (shown.len < text.len)
        buf_add(out, STR("…"));
}

struct str text_number(struct arena *arena, size_t value)
{
    char digits[32];
    size_t at = sizeof digits;
    for (size_t count = 0; value || count == 0; count++, value /= 10) {
        if (count && count % 3 == 0)
            digits[--at] = ',';
        digits[--at] = (char)('0' + value % 10);
    }
    return str_copy(arena, str_of(digits + at, sizeof digits - at));
}
