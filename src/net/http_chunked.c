/* The chunked transfer coding. */
#include "net/http_chunked.h"

enum state {
    SIZE, /* before or among the digits */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* at the beginning of a trailer line, or of the empty line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
};

static enum http_progress refuse(struct http_chunked *chunked, int status, const char *problem)
{
    chunked->status = status;
    chunked->problem = problem;
    return HTTP_ERROR;
}

static int hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_progress size_byte(struct http_chunked *chunked, char c)
{
    int digit = hex_digit(c);
    if (digit >= 0) {
        if (++chunked->digits > HTTP_CHUNK_SIZE_DIGITS_MAX)
            return refuse(chunked, 413, "A chunk of the body is too large.");
        chunked->left = chunked->left << 4 | (unsigned)digit;
        return HTTP_MORE;
    }
    if (chunked->digits == 0 || (c != '\r' && c != ';'))
        return refuse(chunked, 400, "A chunk of the body does not begin with its size in hexadecimal.");
    chunked->state = c == ';' ? EXTENSION : SIZE_LF;
    return HTTP_MORE;
}

static void size_ended(struct http_chunked *chunked)
{
    chunked->state = chunked->left ? DATA : TRAILER_START;
    chunked->digits = 0;
    chunked->line_size = 0;
}

/* One byte outside of the data. */
static enum http_progress framing_byte(struct http_chunked *chunked, char c)
{
    static const char bad_line[] = "A line of the chunked body is not valid.";
    switch ((enum state)chunked->state) {
    case SIZE:
        return size_byte(chunked, c);
    case EXTENSION:
        if (c == '\r')
            chunked->state = SIZE_LF;
        else if (!http_is_field_value(str_of(&c, 1)))
            return refuse(chunked, 400, bad_line);
        return HTTP_MORE;
    case SIZE_LF:
        if (c != '\n')
            return refuse(chunked, 400, bad_line);
        size_ended(chunked);
        return HTTP_MORE;
    case DATA_CR:
        if (c != '\r')
            return refuse(chunked, 400, "A chunk of the body is longer than its size.");
        chunked->state = DATA_LF;
        return HTTP_MORE;
    case DATA_LF:
        if (c != '\n')
            return refuse(chunked, 400, bad_line);
        chunked->state = SIZE;
        return HTTP_MORE;
    case TRAILER_START:
        if (c == '\r') {
            chunked->state = LAST_LF;
            return HTTP_MORE;
        }
        if (!http_is_token(str_of(&c, 1)))
            return refuse(chunked, 400, bad_line);
        chunked->state = TRAILER_NAME;
        return HTTP_MORE;
    case TRAILER_NAME:
        if (c == ':')
            chunked->state = TRAILER_VALUE;
        else if (!http_is_token(str_of(&c, 1)))
            return refuse(chunked, 400, bad_line);
        return HTTP_MORE;
    case TRAILER_VALUE:
        if (c == '\r')
            chunked->state = TRAILER_LF;
        else if (!http_is_field_value(str_of(&c, 1)))
            return refuse(chunked, 400, bad_line);
        return HTTP_MORE;
    case TRAILER_LF:
        if (c != '\n')
            return refuse(chunked, 400, bad_line);
        chunked->state = TRAILER_START;
        return HTTP_MORE;
    case LAST_LF:
        return c == '\n' ? HTTP_DONE : refuse(chunked, 400, bad_line);
    case DATA:
        break;
    }
    return HTTP_MORE;
}

static bool line_too_long(struct http_chunked *chunked)
{
    if (chunked->state >= TRAILER_START)
        return ++chunked->line_size > HTTP_TRAILERS_MAX_BYTES;
    if (chunked->state <= SIZE_LF)
        return ++chunked->line_size > HTTP_CHUNK_LINE_MAX_BYTES;
    return false;
}

enum http_progress http_chunked_decode(struct http_chunked *chunked, struct str input, size_t *ret_used,
                                       struct str *ret_data)
{
    size_t at = 0;
    *ret_data = STR_EMPTY;
    while (at < input.len) {
        if (chunked->state == DATA) {
            *ret_data = str_sub(input, at, chunked->left);
            chunked->left -= ret_data->len;
            if (chunked->left == 0)
                chunked->state = DATA_CR;
            *ret_used = at + ret_data->len;
            return HTTP_MORE;
        }
        if (line_too_long(chunked)) {
            *ret_used = at;
            return refuse(chunked, 400, "A line of the chunked body is too long.");
        }
        enum http_progress progress = framing_byte(chunked, input.ptr[at++]);
        if (progress != HTTP_MORE) {
            *ret_used = at;
            return progress;
        }
    }
    *ret_used = at;
    return HTTP_MORE;
}
