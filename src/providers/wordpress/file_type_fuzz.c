/* Foreign files, names and headers: what is taken has a name that can stand in a header, and never that of a program. */
#include "providers/outside.h"
#include "providers/wordpress/file_type.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct str name)
{
    if (name.len == 0 || name.len > FILE_NAME_MAX_BYTES || str_find_char(name, '.') == STR_NOT_FOUND ||
        str_find_char(name, '.') != str_find_last_char(name, '.'))
        abort();
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f || strchr("\"\\/;", name.ptr[i]))
            abort();
    if (str_ends_with(name, STR(".php")) || str_ends_with(name, STR(".html")) || str_ends_with(name, STR(".svg")))
        abort();
}

/* name, LF, declared type, LF, the file */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(4 << 20);
    struct call call;
    struct str rest = str_of((const char *)data, size), name = STR_EMPTY, declared = STR_EMPTY;
    struct file_type type;
    call_init(&call, arena, 1000);
    if (str_next(&rest, '\n', &name) && str_next(&rest, '\n', &declared) && rest.ptr &&
        file_type_judge(&call, str_sub(rest, 0, 4096), name, declared, &type) == OK)
        check_name(type.name);
    struct str given = outside_disposition_name(&call, name);
    if (given.len > size)
        abort();
    (void)file_name_of(&call, name);
    arena_free(arena);
    return 0;
}
