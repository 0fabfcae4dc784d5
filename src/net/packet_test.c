/* Packets: whole, with files, to an end that is full or gone; and files that nobody can change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends[2];
static char bytes[PACKET_MAX_BYTES];

static int setup(void **state)
{
    (void)state;
    return packet_pair(ends) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    close(ends[0]);
    return close(ends[1]);
}

static void test_whole(void **state)
{
    size_t len;
    int file;
    (void)state;
    assert_int_equal(packet_receive(ends[1], bytes, &len, &file), PACKET_NONE_NOW);
    assert_true(packet_send(ends[0], STR("one"), -1));
    assert_true(packet_send(ends[0], STR("another"), -1));
    assert_int_equal(packet_receive(ends[1], bytes, &len, &file), PACKET_ONE);
    assert_true(str_eq(str_of(bytes, len), STR("one")));
    assert_int_equal(file, -1);
    assert_int_equal(packet_receive(ends[1], bytes, &len, &file), PACKET_ONE);
    assert_true(str_eq(str_of(bytes, len), STR("another")));
    assert_int_equal(packet_receive(ends[1], bytes, &len, &file), PACKET_NONE_NOW);
}

static void test_file(void **state)
{
    char room[16];
    size_t len;
    int file;
    struct stat status;
    (void)state;
    int made = packet_file("test", STR("content"));
    assert_true(made >= 0);
    assert_int_equal(fstat(made, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(pwrite(made, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(made, 0), -1);
    assert_true(packet_send(ends[0], STR("t"), made));
    close(made);
    assert_int_equal(packet_receive(ends[1], bytes, &len, &file), PACKET_ONE);
    assert_true(file >= 0);
    assert_int_equal(fcntl(file, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pread(file, room, sizeof room, 0), 7);
    assert_memory_equal(room, "content", 7);
    close(file);
}

static void test_full(void **state)
{
    size_t len, sent = 0, got = 0;
    int file;
    (void)state;
    while (packet_send(ends[0], str_of(bytes, 1000), -1))
        sent++;
    assert_true(sent > 10);
    while (packet_receive(ends[1], bytes, &len, &file) == PACKET_ONE)
        got++;
    assert_int_equal(got, sent);
    assert_true(packet_send(ends[0], STR("again"), -1));
}

static void test_gone(void **state)
{
    size_t len;
    int file, other[2];
    (void)state;
    assert_true(packet_pair(other));
    assert_true(packet_send(other[0], STR("last"), -1));
    close(other[0]);
    assert_int_equal(packet_receive(other[1], bytes, &len, &file), PACKET_ONE);
    assert_int_equal(packet_receive(other[1], bytes, &len, &file), PACKET_GONE);
    assert_false(packet_send(other[1], STR("x"), -1));
    close(other[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
