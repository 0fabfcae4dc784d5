/* Who hears what, and that listeners may end while one is told. */
#include "mcp/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct ear {
    struct bus_listener listener;
    struct ear *ends; /* this one ends that one when it hears something */
    int heard;
    int64_t number;
};

static void hear(struct bus_listener *listener, const struct bus_event *event)
{
    struct ear *ear = (struct ear *)listener;
    ear->heard++;
    ear->number = event->number;
    if (ear->ends)
        bus_unlisten(&ear->ends->listener);
}

static int carried;
static void carry(void *context, const struct bus_event *event)
{
    assert_ptr_equal(context, &carried);
    assert_int_equal(event->topic, BUS_TOOLS_CHANGED);
    carried++;
}

static void test_delivery(void **state)
{
    (void)state;
    struct ear all = {.listener = {.topics = ~0U, .deliver = hear}};
    struct ear one = {.listener = {.topics = 1 << BUS_TOOLS_CHANGED, .connection_id = 7, .deliver = hear}};
    bus_listen(&all.listener);
    bus_listen(&one.listener);
    bus_publish(&(struct bus_event){.topic = BUS_TOOLS_CHANGED, .connection_id = 7, .number = 3});
    assert_int_equal(all.heard, 1);
    assert_int_equal(one.heard, 1);
    assert_int_equal(one.number, 3);
    bus_publish(&(struct bus_event){.topic = BUS_TOOLS_CHANGED, .connection_id = 8});   /* another's */
    bus_publish(&(struct bus_event){.topic = BUS_PROMPTS_CHANGED, .connection_id = 7}); /* another topic */
    assert_int_equal(all.heard, 3);
    assert_int_equal(one.heard, 1);
    bus_publish(&(struct bus_event){.topic = BUS_TOOLS_CHANGED}); /* everybody's */
    assert_int_equal(one.heard, 2);
    bus_unlisten(&all.listener);
    bus_unlisten(&one.listener);
    bus_publish(&(struct bus_event){.topic = BUS_TOOLS_CHANGED});
    assert_int_equal(one.heard, 2);
}

static void test_ending_while_told(void **state)
{
    (void)state;
    struct ear ears[3];
    for (size_t i = 0; i < 3; i++)
        ears[i] = (struct ear){.listener = {.topics = ~0U, .deliver = hear}};
    for (size_t i = 3; i--;)
        bus_listen(&ears[i].listener); /* told in the order 0, 1, 2 */
    ears[0].ends = &ears[1];           /* the next one */
    ears[2].ends = &ears[2];           /* itself */
    bus_inject(&(struct bus_event){.topic = BUS_CANCELLED});
    assert_int_equal(ears[0].heard, 1);
    assert_int_equal(ears[1].heard, 0);
    assert_int_equal(ears[2].heard, 1);
    ears[0].ends = NULL;
    bus_inject(&(struct bus_event){.topic = BUS_CANCELLED});
    assert_int_equal(ears[0].heard, 2);
    assert_int_equal(ears[2].heard, 1);
    bus_unlisten(&ears[0].listener);
}

static int wanted;

static void want(void *context)
{
    (void)context;
    wanted++;
}

static void test_carrier(void **state)
{
    (void)state;
    struct ear ear = {.listener = {.topics = ~0U, .deliver = hear}};
    bus_set_carrier(&(struct bus_carrier){carry, want, &carried});
    bus_listen(&ear.listener);
    assert_int_equal(wanted, 1);
    bus_publish(&(struct bus_event){.topic = BUS_TOOLS_CHANGED});
    bus_inject(&(struct bus_event){.topic = BUS_TOOLS_CHANGED}); /* came from outside: not sent back */
    assert_int_equal(carried, 1);
    bus_unlisten(&ear.listener);
    bus_set_carrier(NULL);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < BUS_TOPICS; i++) {
        enum bus_topic topic;
        assert_true(bus_topic_parse(str_from(bus_topic_name((enum bus_topic)i)), &topic));
        assert_int_equal(topic, i);
    }
    enum bus_topic topic;
    assert_false(bus_topic_parse(STR("tea_time"), &topic));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivery),
        cmocka_unit_test(test_ending_while_told),
        cmocka_unit_test(test_carrier),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
