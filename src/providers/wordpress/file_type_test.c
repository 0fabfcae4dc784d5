/* What a file is taken for: by content, name, and what is declared. */
#include "providers/wordpress/file_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;
static struct call call;

static const struct {
    struct str head, name, declared;
    const char *stored; /* NULL: refused, and `mime` is in the text */
    const char *mime;
} cases[] = {
#define JPEG_HEAD STR_INIT("\xff\xd8\xff\xe0\0\x10JFIF")
#define PNG_HEAD STR_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
#define ZIP_HEAD STR_INIT("PK\3\4\x14\0")
#define NONE STR_INIT("")
    {JPEG_HEAD, STR_INIT("a.jpg"), NONE, "a.jpg", "image/jpeg"},
    {JPEG_HEAD, STR_INIT("A.JPEG"), NONE, "A.jpeg", "image/jpeg"},
    {JPEG_HEAD, STR_INIT("a.png"), STR_INIT("image/png"), "a.jpg", "image/jpeg"},
    {JPEG_HEAD, STR_INIT("photo"), NONE, "photo.jpg", "image/jpeg"},
    {JPEG_HEAD, NONE, NONE, "image.jpg", "image/jpeg"},
    {JPEG_HEAD, STR_INIT("download.ashx"), NONE, "download.jpg", "image/jpeg"},
    {JPEG_HEAD, STR_INIT("Mr. Smith and me"), NONE, "Mr- Smith and me.jpg", "image/jpeg"},
    {PNG_HEAD, STR_INIT("../../etc/x.png"), NONE, "x.png", "image/png"},
    {PNG_HEAD, STR_INIT("C:\\fakepath\\x.png"), NONE, "x.png", "image/png"},
    {PNG_HEAD, STR_INIT("a.php.png"), NONE, "a-php.png", "image/png"},
    {PNG_HEAD, STR_INIT("a\"; x=y\r\nb.png"), NONE, "a-- x-y--b.png", "image/png"},
    {PNG_HEAD, STR_INIT("...png"), NONE, "png.png", "image/png"},
    {PNG_HEAD, STR_INIT("T\xc3\xbcr.png"), NONE, "T\xc3\xbcr.png", "image/png"},
    {STR_INIT("GIF89a\1\0\1\0"), STR_INIT("a.gif"), NONE, "a.gif", "image/gif"},
    {STR_INIT("RIFF\0\0\0\0WEBPVP8 "), STR_INIT("a.webp"), NONE, "a.webp", "image/webp"},
    {STR_INIT("RIFF\0\0\0\0WAVEfmt "), STR_INIT("a.wav"), NONE, "a.wav", "audio/wav"},
    {STR_INIT("\0\0\0\x20"
              "ftypavif"),
     STR_INIT("a.avif"), NONE, "a.avif", "image/avif"},
    {STR_INIT("\0\0\0\x20"
              "ftypheic"),
     STR_INIT("a.jpg"), NONE, "a.heic", "image/heic"},
    {STR_INIT("\0\0\0\x20"
              "ftypisom"),
     STR_INIT("a.mp4"), NONE, "a.mp4", "video/mp4"},
    {STR_INIT("\0\0\0\x20"
              "ftypM4A "),
     STR_INIT("a.m4a"), NONE, "a.m4a", "audio/mpeg"},
    {STR_INIT("ID3\4\0\0"), STR_INIT("a.mp3"), NONE, "a.mp3", "audio/mpeg"},
    {STR_INIT("\xff\xfb\x90\x44\0\0"), STR_INIT("a.mp3"), NONE, "a.mp3", "audio/mpeg"},
    {STR_INIT("%PDF-1.7"), STR_INIT("a.pdf"), NONE, "a.pdf", "application/pdf"},
    {ZIP_HEAD, STR_INIT("a.docx"), NONE, "a.docx",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {ZIP_HEAD, STR_INIT("a.bin"), NONE, "a.zip", "application/zip"},
    {STR_INIT("name;age\nAna;7\n"), STR_INIT("a.csv"), NONE, "a.csv", "text/csv"},
    {STR_INIT("name;age\nAna;7\n"), STR_INIT("export"), STR_INIT("text/csv; charset=utf-8"), "export.csv", "text/csv"},
    {STR_INIT("WEBVTT\n\n"), STR_INIT("a.vtt"), NONE, "a.vtt", "text/vtt"},
    /* refused */
    {NONE, STR_INIT("a.png"), NONE, NULL, "empty"},
    {STR_INIT("<!DOCTYPE html><title>x"), STR_INIT("a.png"), STR_INIT("image/png"), NULL, "web page"},
    {STR_INIT("\xef\xbb\xbf \n<html lang=en>"), STR_INIT("a.txt"), NONE, NULL, "web page"},
    {STR_INIT("<svg xmlns="), STR_INIT("a.svg"), NONE, NULL, "SVG"},
    {STR_INIT("<?xml version=\"1.0\"?><!-- x --><svg>"), STR_INIT("a.txt"), NONE, NULL, "SVG"},
    {STR_INIT("<?php phpinfo();"), STR_INIT("a.jpg"), NONE, NULL, "script"},
    {STR_INIT("#!/bin/sh\n"), STR_INIT("a.txt"), NONE, NULL, "script"},
    {STR_INIT("MZ\x90\0\3\0"), STR_INIT("a.jpg"), NONE, NULL, "program"},
    {STR_INIT("\x7f"
              "ELF\2\1"),
     STR_INIT("a.zip"), NONE, NULL, "program"},
    {PNG_HEAD, STR_INIT("a.php"), NONE, NULL, ".php"},
    {PNG_HEAD, STR_INIT("a.php5"), NONE, NULL, ".php5"},
    {PNG_HEAD, STR_INIT("a.PHTML"), NONE, NULL, ".PHTML"},
    {PNG_HEAD, STR_INIT("a.svgz"), NONE, NULL, "SVG"},
    {PNG_HEAD, STR_INIT("a.pdf"), NONE, NULL, "a PNG image"},
    {STR_INIT("%PDF-1.7"), STR_INIT("a.jpg"), NONE, NULL, "a PDF document"},
    {STR_INIT("hello"), STR_INIT("a.png"), NONE, NULL, "plain text"},
    {STR_INIT("hello"), STR_INIT("a"), NONE, NULL, "cannot be told"},
    {STR_INIT("hello"), STR_INIT("a"), STR_INIT("image/png"), NULL, "cannot be told"},
    {STR_INIT("\1\2\3\4"), STR_INIT("a.docx"), NONE, NULL, "of no known type"},
    {STR_INIT("\1\2\3\4"), STR_INIT("a.dat"), NONE, NULL, "of no known type"},
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct file_type type;
        call_init(&call, arena, 1000);
        int error = file_type_judge(&call, cases[i].head, cases[i].name, cases[i].declared, &type);
        if (cases[i].stored) {
            assert_int_equal(error, OK);
            assert_string_equal(str_copy_cstr(arena, type.name), cases[i].stored);
            assert_string_equal(str_copy_cstr(arena, type.mime), cases[i].mime);
            continue;
        }
        assert_int_equal(error, E_INVALID);
        if (!str_contains(call.error_text, str_from(cases[i].mime)))
            fail_msg("%.*s should say %s", STR_ARG(call.error_text), cases[i].mime);
    }
}

/* A long name is cut between characters, and keeps its ending. */
static void test_long_name(void **state)
{
    (void)state;
    char name[400];
    struct file_type type;
    static const char ending[] = {'.', 'j', 'p', 'g'};
    for (size_t i = 0; i + 2 < sizeof name; i += 2) {
        name[i] = '\xc3';
        name[i + 1] = '\xbc';
    }
    memcpy(name + 394, ending, sizeof ending);
    call_init(&call, arena, 1000);
    assert_int_equal(file_type_judge(&call, STR("\xff\xd8\xff"), str_of(name, 398), STR_EMPTY, &type), OK);
    assert_true(type.name.len <= FILE_NAME_MAX_BYTES && str_ends_with(type.name, STR("\xc3\xbc.jpg")));
}

static void test_name_of(void **state)
{
    (void)state;
    call_init(&call, arena, 1000);
    assert_true(str_eq(file_name_of(&call, STR("https://x.example/a/b%20c.png?x=/d.jpg#e")), STR("b c.png")));
    assert_true(str_eq(file_name_of(&call, STR("https://x.example/")), STR_EMPTY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_name_of),
    };
    arena = arena_new(4 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
