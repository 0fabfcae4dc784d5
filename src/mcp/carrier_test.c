/* Events on their way between processes: there and back, in a file, and what is none. */
#include "mcp/carrier.h"
#include "net/packet.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct bus_event last;
static char key[64], *payload;
static size_t payload_len;
static int heard;

static void hear(struct bus_listener *listener, const struct bus_event *event)
{
    (void)listener;
    heard++;
    last = *event;
    assert_true(str_to_cstr(event->key, key, sizeof key));
    free(payload);
    payload = malloc(event->payload.len + 1);
    assert_non_null(payload);
    memcpy(payload, event->payload.ptr, event->payload.len);
    payload_len = event->payload.len;
}

static struct bus_listener listener = {.topics = ~0U, .deliver = hear};

static void assert_comes_back(const struct bus_event *event, bool by_file)
{
    struct buf text;
    int before = heard;
    buf_init_heap(&text, 2 * 1024 * 1024);
    carrier_write(event, &text);
    assert_false(buf_failed(&text));
    if (by_file)
        carrier_told(STR_EMPTY, packet_file("test", buf_str(&text)));
    else
        carrier_told(buf_str(&text), -1);
    assert_int_equal(heard, before + 1);
    assert_int_equal(last.topic, event->topic);
    assert_int_equal(last.connection_id, event->connection_id);
    assert_int_equal(last.number, event->number);
    assert_true(str_eq(str_from(key), event->key));
    assert_true(str_eq(str_of(payload, payload_len), event->payload));
    buf_done(&text);
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (int topic = 0; topic < BUS_TOPICS; topic++)
        assert_comes_back(&(struct bus_event){.topic = (enum bus_topic)topic}, topic % 2);
    assert_comes_back(&(struct bus_event){.topic = BUS_RESOURCE_UPDATED,
                                          .connection_id = INT64_MAX,
                                          .number = INT64_MIN,
                                          .key = STR("wp://posts/1 \n2"),
                                          .payload = STR("")},
                      false);
    assert_comes_back(&(struct bus_event){.topic = BUS_ANSWER, .key = STR("s"), .payload = STR("{\"a\":\n1} 7 8\n")},
                      false);
    char *large = calloc(1, BUS_PAYLOAD_MAX_BYTES);
    assert_non_null(large);
    memset(large, 'x', BUS_PAYLOAD_MAX_BYTES);
    assert_comes_back(
        &(struct bus_event){.topic = BUS_ANSWER, .key = STR("s"), .payload = str_of(large, BUS_PAYLOAD_MAX_BYTES)},
        true);
    free(large);
}

/* Large texts in several notices; a piece that is missing loses the text, and the next text is whole again. */
static void test_pieces(void **state)
{
    struct arena *arena = arena_new(8 * 1024 * 1024);
    struct buf unfinished, text;
    (void)state;
    assert_non_null(arena);
    buf_init_heap(&unfinished, 1024 * 1024);
    buf_init_heap(&text, 1024 * 1024);
    for (int i = 0; i < 20000; i++)
        buf_add(&text, i % 3 ? STR("\xe2\x82\xac") : STR("+\n"));
    for (int lost = -1; lost < 3; lost++) {
        bool whole = false;
        size_t offset = 0;
        for (int i = 0; offset < text.len; i++) {
            struct str notice;
            assert_false(whole);
            offset = carrier_cut(arena, buf_str(&text), offset, &notice);
            assert_true(notice.len < 7800 - 33);
            assert_true(str_is_utf8(notice));
            if (i != lost)
                whole = carrier_join(notice, &unfinished);
        }
        assert_int_equal(whole, lost < 0);
        if (whole)
            assert_true(str_eq(buf_str(&unfinished), buf_str(&text)));
    }
    static const char *const bad[] = {"+", "+\n", "+1\nx", "+1 1\nx", "+x 0\nx", "+99999999999 0\nx", "+1 0\nxy"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(carrier_join(str_from(bad[i]), &unfinished));
    assert_true(carrier_join(STR("+1 0\nx"), &unfinished));
    buf_done(&unfinished);
    buf_done(&text);
    arena_free(arena);
}

static void test_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "tea_time 0 0 0\n",
        "answer 0 0\n",
        "answer 0 0 1\n",
        "answer x 0 0\n",
        "answer 0 0 -1\n",
        "answer 0 0 0",
        "answer 0 0 99999999999999999999\n",
    };
    struct bus_event event;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(carrier_read(str_from(bad[i]), &event));
    assert_true(carrier_read(STR("answer 0 0 0\n"), &event));
}

/* The other side's file is ours to close. */
static void test_file_is_closed(void **state)
{
    (void)state;
    int file = packet_file("test", STR("answer 0 0 0\n"));
    carrier_told(STR_EMPTY, file);
    assert_int_equal(fcntl(file, F_GETFD), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_file_is_closed),
    };
    bus_listen(&listener);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    bus_unlisten(&listener);
    free(payload);
    return failed;
}
