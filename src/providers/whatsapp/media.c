/* Files of messages that came. Outside bytes: bounded, and never believed to be what they say. */
#include <sodium.h> /* before base/banned.h */

#include "providers/whatsapp/wa.h"

enum { TYPE_MAX_BYTES = 100, NAME_MAX_BYTES = 200 };

int wa_media_check_size(struct call *call, int64_t bytes)
{
    if (bytes > WA_MEDIA_MAX_BYTES)
        return fail(call, E_LIMIT, "The file has %lld bytes; up to %d MB can be shown here.", (long long)bytes,
                    WA_MEDIA_MAX_BYTES / (1024 * 1024));
    return OK;
}

struct str wa_media_encode(struct call *call, struct str bytes)
{
    size_t size = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(call->arena, size);
    sodium_bin2base64(text, size, (const unsigned char *)bytes.ptr, bytes.len, sodium_base64_VARIANT_ORIGINAL);
    return str_of(text, size - 1);
}

static bool is_made_of(struct str text, const char *more)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && !strchr(more, text.ptr[i]))
            return false;
    return text.len > 0;
}

/* "audio/ogg; codecs=opus" is audio/ogg. */
static struct str type_of(struct str given)
{
    struct str type = str_trim(str_sub(given, 0, str_find_char(given, ';')));
    size_t slash = str_find_char(type, '/');
    bool is_type = is_made_of(type, "/.+-") && slash != STR_NOT_FOUND && slash == str_find_last_char(type, '/');
    return is_type && type.len <= TYPE_MAX_BYTES ? type : STR("application/octet-stream");
}

int wa_media_get(struct call *call, const struct wa *wa, struct str id, struct wa_media *ret)
{
    *ret = (struct wa_media){0};
    if (!is_made_of(id, "._=-") || id.len > MESSAGE_ID_MAX_BYTES)
        return fail(call, E_INVALID, "media must be an id as wa_read shows it in brackets.");
    int error = wa->backend->media(call, wa, id, ret);
    if (error)
        return error;
    if (!is_made_of(ret->base64, "+/=") || ret->base64.len % 4)
        return fail(call, E_UPSTREAM, "The service gave no file for this id.");
    ret->type = type_of(ret->type);
    ret->name = str_sub(ret->name, 0, NAME_MAX_BYTES);
    return wa_media_check_size(call, (int64_t)(ret->base64.len / 4 * 3) - 2);
}
