/* What its trash takes from the comments of an item. */
#include "providers/wordpress/comments.h"

#include "providers/history.h"
#include "providers/wordpress/operation_request.h"

enum {
    PER_PAGE = 100,
    KEPT_MAX = 500,     /* each is a request when they are given back */
    STATUSES_MAX = 8,   /* WordPress has four */
    STATUS_BYTES = 100, /* WordPress has room for 20 */
    IDS_BYTES =
        CHANGE_NOTE_BYTES_MAX - 2048 - STATUSES_MAX * STATUS_BYTES, /* what is left when all else is in the note */
};

struct kept {
    int64_t id;
    const struct kept *next;
};

struct of_status {
    struct str status;
    const struct kept *ids;
};

struct wp_comments {
    struct call *call;
    struct of_status statuses[STATUSES_MAX];
    size_t n_statuses, kept, left_out, bytes;
};

struct wp_comments *wp_comments_new(struct call *call)
{
    struct wp_comments *comments = arena_new_of(call->arena, struct wp_comments);
    *comments = (struct wp_comments){.call = call};
    return comments;
}

static struct of_status *find_status(struct wp_comments *comments, struct str status)
{
    size_t i = 0;
    while (i < comments->n_statuses && !str_eq(comments->statuses[i].status, status))
        i++;
    if (i == comments->n_statuses) {
        if (i == STATUSES_MAX || !status.len || status.len > STATUS_BYTES / 4)
            return NULL;
        comments->n_statuses++;
        comments->statuses[i] = (struct of_status){.status = status};
    }
    return &comments->statuses[i];
}

static size_t digits(int64_t id)
{
    size_t n = 1;
    for (; id > 9; id /= 10)
        n++;
    return n;
}

void wp_comments_keep(struct wp_comments *comments, const struct json *comment)
{
    int64_t id = json_i64_or(json_get(comment, STR("id")), 0);
    size_t bytes = digits(id) + 1; /* a comma */
    struct of_status *of = find_status(comments, json_str(json_get(comment, STR("status"))));
    if (!of || id < 1 || comments->kept == KEPT_MAX || comments->bytes + bytes > IDS_BYTES) {
        comments->left_out++;
        return;
    }
    struct kept *kept = arena_new_of(comments->call->arena, struct kept);
    *kept = (struct kept){id, of->ids};
    of->ids = kept;
    comments->kept++;
    comments->bytes += bytes;
}

void wp_comments_read(struct call *call, const struct wp *wp, int64_t item, struct wp_comments *comments)
{
    int64_t seen = 0, total = 1;
    for (int page = 1; seen < KEPT_MAX && seen < total; page++) {
        struct wp_answer answer;
        struct wp_query query;
        wp_query_init(call, &query);
        wp_query_add(&query, "status", STR("any"));
        wp_query_add(&query, "type", STR("all")); /* pingbacks, reviews and notes, too; "any" needs the same right */
        wp_query_add(&query, "_fields", STR("id,status"));
        wp_query_add_i64(&query, "post", item);
        wp_query_add_i64(&query, "per_page", PER_PAGE);
        wp_query_add_i64(&query, "page", page);
        if (wp_get(call, wp, STR("wp/v2/comments"), &query, &answer)) {
            call_clear_error(call); /* a user who may not see them all: the item goes to the trash none the less */
            total = page == 1 ? 0 : total;
            break;
        }
        total = answer.total;
        for (size_t i = 0; i < json_count(answer.json); i++, seen++)
            wp_comments_keep(comments, json_at(answer.json, i));
        if (!json_count(answer.json))
            break;
    }
    if (total > seen)
        comments->left_out += (size_t)(total - seen);
}

void wp_comments_write(const struct wp_comments *comments, bool with_ids, struct json_writer *w)
{
    size_t left_out = comments->left_out + (with_ids ? 0 : comments->kept);
    if (with_ids && comments->kept) {
        json_key(w, STR("comments"));
        json_object(w);
        for (size_t i = 0; i < comments->n_statuses; i++) {
            json_key(w, comments->statuses[i].status);
            json_array(w);
            for (const struct kept *kept = comments->statuses[i].ids; kept; kept = kept->next)
                json_i64(w, kept->id);
            json_end(w);
        }
        json_end(w);
    }
    if (left_out)
        json_member_i64(w, "comments_left_out", (int64_t)left_out);
}

/* --- giving them back ------------------------------------------------------------------------------------------------------ */

static bool restore(struct call *call, const struct wp *wp, const struct json *id, struct str status)
{
    struct wp_answer answer;
    struct str route = call_format(call, "wp/v2/comments/%lld", (long long)json_i64_or(id, 0));
    struct str body = call_format(call, "{\"status\":%.*s}", STR_ARG(json_quote(call->arena, status)));
    int error = wp_send(call, wp, "POST", route, NULL, body, &answer);
    if (error)
        call_clear_error(call);
    return !error;
}

static size_t restore_all(struct call *call, const struct wp *wp, const struct json *comments)
{
    size_t failed = 0;
    for (size_t i = 0; i < json_count(comments); i++) {
        if (json_is(comments, JSON_ARRAY)) {
            const struct json *pair = json_at(comments, i);
            failed += !restore(call, wp, json_at(pair, 0), json_str(json_at(pair, 1)));
            continue;
        }
        struct json_member of = json_member_at(comments, i);
        for (size_t k = 0; k < json_count(of.value); k++)
            failed += !restore(call, wp, json_at(of.value, k), of.name);
    }
    return failed;
}

void wp_comments_restore(struct call *call, const struct wp *wp, const struct json *note, struct buf *out)
{
    size_t failed = restore_all(call, wp, json_get(note, STR("comments")));
    int64_t left_out = json_i64_or(json_get(note, STR("comments_left_out")), 0);
    if (failed)
        buf_add_format(out, "\n%zu of its comments could not be brought back.", failed);
    if (left_out)
        buf_add_format(out, "\n%lld of its comments stay hidden: they were too many for all their statuses to be kept.",
                       (long long)left_out);
}
