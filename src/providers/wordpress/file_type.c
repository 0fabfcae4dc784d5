/* What a file is. */
#include "providers/wordpress/file_type.h"

#include "net/url.h"

/* --- kinds, by their first bytes --------------------------------------------------------------------------------------- */

enum kind {
    UNKNOWN,
    TEXT, /* no marks, but no bytes either that text does not have */
    /* never taken */
    HTML,
    SVG,
    SCRIPT,
    PROGRAM,
    /* images */
    JPEG,
    PNG,
    GIF,
    WEBP,
    AVIF,
    HEIC,
    BMP,
    TIFF,
    ICO,
    PSD,
    XCF,
    /* sound and film */
    MP3,
    AAC,
    FLAC,
    WAV,
    OGG,
    MIDI,
    REAL,
    MP4, /* ISO base media: mp4, m4a, mov, 3gp */
    AVI,
    MATROSKA,
    ASF,
    FLV,
    MPEG,
    /* documents and archives */
    PDF,
    RTF,
    ZIP, /* and all that is one: docx, odt, pages */
    OLE, /* doc, xls, ppt */
    GZIP,
    RAR,
    SEVENZIP,
    TAR,
    KINDS,
};

static const struct {
    const char *what;  /* for people: "a PNG image" */
    struct str ending; /* that a file of this kind gets which has none; empty: its own must say more */
    bool is_image;
} kinds[KINDS] = {
    [UNKNOWN] = {"of no known type", STR_INIT(""), false},
    [TEXT] = {"plain text", STR_INIT(""), false},
    [HTML] = {"a web page (HTML)", STR_INIT(""), false},
    [SVG] = {"an SVG image", STR_INIT(""), false},
    [SCRIPT] = {"a script", STR_INIT(""), false},
    [PROGRAM] = {"a program", STR_INIT(""), false},
    [JPEG] = {"a JPEG image", STR_INIT("jpg"), true},
    [PNG] = {"a PNG image", STR_INIT("png"), true},
    [GIF] = {"a GIF image", STR_INIT("gif"), true},
    [WEBP] = {"a WebP image", STR_INIT("webp"), true},
    [AVIF] = {"an AVIF image", STR_INIT("avif"), true},
    [HEIC] = {"a HEIC image", STR_INIT("heic"), true},
    [BMP] = {"a BMP image", STR_INIT("bmp"), true},
    [TIFF] = {"a TIFF image", STR_INIT("tiff"), true},
    [ICO] = {"an icon (ICO)", STR_INIT("ico"), true},
    [PSD] = {"a Photoshop file", STR_INIT("psd"), false},
    [XCF] = {"a GIMP file", STR_INIT("xcf"), false},
    [MP3] = {"an MP3 recording", STR_INIT("mp3"), false},
    [AAC] = {"an AAC recording", STR_INIT("aac"), false},
    [FLAC] = {"a FLAC recording", STR_INIT("flac"), false},
    [WAV] = {"a WAV recording", STR_INIT("wav"), false},
    [OGG] = {"an Ogg file", STR_INIT("ogg"), false},
    [MIDI] = {"a MIDI file", STR_INIT("mid"), false},
    [REAL] = {"a RealAudio recording", STR_INIT("ra"), false},
    [MP4] = {"an MP4 film", STR_INIT("mp4"), false},
    [AVI] = {"an AVI film", STR_INIT("avi"), false},
    [MATROSKA] = {"a WebM or Matroska film", STR_INIT("webm"), false},
    [ASF] = {"a Windows Media file", STR_INIT("wmv"), false},
    [FLV] = {"a Flash film", STR_INIT("flv"), false},
    [MPEG] = {"an MPEG film", STR_INIT("mpg"), false},
    [PDF] = {"a PDF document", STR_INIT("pdf"), false},
    [RTF] = {"an RTF document", STR_INIT("rtf"), false},
    [ZIP] = {"a ZIP archive", STR_INIT("zip"), false},
    [OLE] = {"an old Office document", STR_INIT(""), false},
    [GZIP] = {"a gzip archive", STR_INIT("gz"), false},
    [RAR] = {"a RAR archive", STR_INIT("rar"), false},
    [SEVENZIP] = {"a 7-Zip archive", STR_INIT("7z"), false},
    [TAR] = {"a tar archive", STR_INIT("tar"), false},
};

static const struct {
    unsigned offset;
    struct str bytes;
    enum kind kind;
} marks[] = {
    {0, STR_INIT("\xff\xd8\xff"), JPEG},
    {0, STR_INIT("\x89PNG\r\n\x1a\n"), PNG},
    {0, STR_INIT("GIF87a"), GIF},
    {0, STR_INIT("GIF89a"), GIF},
    {0, STR_INIT("II*\0"), TIFF},
    {0, STR_INIT("MM\0*"), TIFF},
    {0, STR_INIT("\0\0\1\0"), ICO},
    {0, STR_INIT("8BPS"), PSD},
    {0, STR_INIT("gimp xcf"), XCF},
    {0, STR_INIT("ID3"), MP3},
    {0, STR_INIT("fLaC"), FLAC},
    {0, STR_INIT("OggS"), OGG},
    {0, STR_INIT("MThd"), MIDI},
    {0, STR_INIT(".RMF"), REAL},
    {0, STR_INIT(".ra\xfd"), REAL},
    {0, STR_INIT("\x1a\x45\xdf\xa3"), MATROSKA},
    {0, STR_INIT("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), ASF},
    {0, STR_INIT("FLV\1"), FLV},
    {0, STR_INIT("\0\0\1\xba"), MPEG},
    {0, STR_INIT("\0\0\1\xb3"), MPEG},
    {0, STR_INIT("%PDF-"), PDF},
    {0, STR_INIT("{\\rtf"), RTF},
    {0, STR_INIT("PK\3\4"), ZIP},
    {0, STR_INIT("PK\5\6"), ZIP},
    {0, STR_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), OLE},
    {0, STR_INIT("\x1f\x8b\x08"), GZIP},
    {0, STR_INIT("Rar!\x1a\x07"), RAR},
    {0, STR_INIT("7z\xbc\xaf\x27\x1c"), SEVENZIP},
    {257, STR_INIT("ustar"), TAR},
    {0,
     STR_INIT("\x7f"
              "ELF"),
     PROGRAM},
    {0, STR_INIT("\xca\xfe\xba\xbe"), PROGRAM},
    {0, STR_INIT("\xcf\xfa\xed\xfe"), PROGRAM},
    {0, STR_INIT("FWS"), PROGRAM}, /* Flash */
    {0, STR_INIT("CWS"), PROGRAM},
    {0, STR_INIT("ZWS"), PROGRAM},
    {0, STR_INIT("#!"), SCRIPT},
};

static bool has_at(struct str head, size_t offset, struct str bytes)
{
    return str_starts_with(str_from_offset(head, offset), bytes);
}

static enum kind kind_of_brand(struct str brand)
{
    static const struct {
        struct str brand;
        enum kind kind;
    } brands[] = {
        {STR_INIT("avif"), AVIF}, {STR_INIT("avis"), AVIF}, {STR_INIT("heic"), HEIC}, {STR_INIT("heix"), HEIC},
        {STR_INIT("heis"), HEIC}, {STR_INIT("hevc"), HEIC}, {STR_INIT("mif1"), HEIC}, {STR_INIT("msf1"), HEIC},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(brands); i++)
        if (str_eq(brands[i].brand, brand))
            return brands[i].kind;
    return MP4;
}

static bool is_text(struct str head)
{
    for (size_t i = 0; i < head.len; i++) {
        unsigned char c = (unsigned char)head.ptr[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b)
            return false;
    }
    return head.len > 0;
}

/* What begins like a page, a drawing or a script, whatever its name. */
static enum kind kind_of_text(struct str head)
{
    struct str text = str_starts_with(head, STR("\xef\xbb\xbf")) ? str_from_offset(head, 3) : head;
    text = str_trim(text);
    if (str_starts_with(text, STR("<?php")) || str_starts_with(text, STR("<?=")) ||
        str_starts_with_nocase(text, STR("<script")) || str_starts_with(text, STR("#!")))
        return SCRIPT;
    if (str_starts_with(text, STR("<")) && str_contains_nocase(text, STR("<svg")))
        return SVG;
    static const struct str pages[] = {STR_INIT("<!doctype html"), STR_INIT("<html"), STR_INIT("<head"),
                                       STR_INIT("<body"),          STR_INIT("<!--"),  STR_INIT("<iframe")};
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++)
        if (str_starts_with_nocase(text, pages[i]))
            return HTML;
    return str_starts_with(text, STR("<?xml")) && str_contains_nocase(text, STR("<html")) ? HTML : TEXT;
}

/* MPEG audio has no mark but its frames': eleven bits set, and no forbidden value behind them. */
static enum kind kind_of_frame(struct str head)
{
    if (head.len < 4 || (unsigned char)head.ptr[0] != 0xff || ((unsigned char)head.ptr[1] & 0xe0) != 0xe0)
        return UNKNOWN;
    unsigned char second = (unsigned char)head.ptr[1], third = (unsigned char)head.ptr[2];
    if ((second & 0xf6) == 0xf0)
        return AAC;
    return (second & 0x18) != 0x08 && (second & 0x06) && (third & 0xf0) != 0xf0 && (third & 0x0c) != 0x0c ? MP3
                                                                                                          : UNKNOWN;
}

static enum kind kind_of(struct str head)
{
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++)
        if (has_at(head, marks[i].offset, marks[i].bytes))
            return marks[i].kind;
    if (has_at(head, 0, STR("RIFF")))
        return has_at(head, 8, STR("WEBP"))   ? WEBP
               : has_at(head, 8, STR("WAVE")) ? WAV
               : has_at(head, 8, STR("AVI ")) ? AVI
                                              : UNKNOWN;
    if (has_at(head, 4, STR("ftyp")))
        return kind_of_brand(str_sub(head, 8, 4));
    if (has_at(head, 4, STR("moov")) || has_at(head, 4, STR("mdat")) || has_at(head, 4, STR("wide")))
        return MP4; /* QuickTime before it had brands */
    if (has_at(head, 0, STR("BM")) && head.len >= 18 && has_at(head, 6, STR("\0\0\0\0")))
        return BMP;
    if (has_at(head, 0, STR("MZ")) && !is_text(head))
        return PROGRAM;
    if (has_at(head, 0, STR("\xff\xfe")) || has_at(head, 0, STR("\xfe\xff")))
        return kind_of_frame(head) != UNKNOWN ? kind_of_frame(head) : TEXT; /* UTF-16 */
    if (is_text(head))
        return kind_of_text(head);
    return kind_of_frame(head);
}

/* --- endings ----------------------------------------------------------------------------------------------------------- */

static const struct ending {
    struct str endings; /* "jpg,jpeg" */
    struct str mime;
    enum kind kind;
} endings[] = {
    {STR_INIT("jpg,jpeg,jpe"), STR_INIT("image/jpeg"), JPEG},
    {STR_INIT("png"), STR_INIT("image/png"), PNG},
    {STR_INIT("gif"), STR_INIT("image/gif"), GIF},
    {STR_INIT("webp"), STR_INIT("image/webp"), WEBP},
    {STR_INIT("avif"), STR_INIT("image/avif"), AVIF},
    {STR_INIT("heic,heif,heics,heifs"), STR_INIT("image/heic"), HEIC},
    {STR_INIT("bmp"), STR_INIT("image/bmp"), BMP},
    {STR_INIT("tiff,tif"), STR_INIT("image/tiff"), TIFF},
    {STR_INIT("ico"), STR_INIT("image/x-icon"), ICO},
    {STR_INIT("psd"), STR_INIT("application/octet-stream"), PSD},
    {STR_INIT("xcf"), STR_INIT("application/octet-stream"), XCF},
    {STR_INIT("mp3"), STR_INIT("audio/mpeg"), MP3},
    {STR_INIT("aac"), STR_INIT("audio/aac"), AAC},
    {STR_INIT("flac"), STR_INIT("audio/flac"), FLAC},
    {STR_INIT("wav"), STR_INIT("audio/wav"), WAV},
    {STR_INIT("ogg,oga"), STR_INIT("audio/ogg"), OGG},
    {STR_INIT("ogv"), STR_INIT("video/ogg"), OGG},
    {STR_INIT("mid,midi"), STR_INIT("audio/midi"), MIDI},
    {STR_INIT("ra,ram"), STR_INIT("audio/x-realaudio"), REAL},
    {STR_INIT("mp4,m4v"), STR_INIT("video/mp4"), MP4},
    {STR_INIT("m4a,m4b"), STR_INIT("audio/mpeg"), MP4},
    {STR_INIT("mov,qt"), STR_INIT("video/quicktime"), MP4},
    {STR_INIT("3gp,3gpp"), STR_INIT("video/3gpp"), MP4},
    {STR_INIT("3g2,3gp2"), STR_INIT("video/3gpp2"), MP4},
    {STR_INIT("avi,divx"), STR_INIT("video/avi"), AVI},
    {STR_INIT("webm"), STR_INIT("video/webm"), MATROSKA},
    {STR_INIT("mkv"), STR_INIT("video/x-matroska"), MATROSKA},
    {STR_INIT("mka"), STR_INIT("audio/x-matroska"), MATROSKA},
    {STR_INIT("wmv"), STR_INIT("video/x-ms-wmv"), ASF},
    {STR_INIT("asf,asx"), STR_INIT("video/x-ms-asf"), ASF},
    {STR_INIT("wma"), STR_INIT("audio/x-ms-wma"), ASF},
    {STR_INIT("flv"), STR_INIT("video/x-flv"), FLV},
    {STR_INIT("mpg,mpeg,mpe"), STR_INIT("video/mpeg"), MPEG},
    {STR_INIT("pdf"), STR_INIT("application/pdf"), PDF},
    {STR_INIT("rtf"), STR_INIT("application/rtf"), RTF},
    {STR_INIT("zip"), STR_INIT("application/zip"), ZIP},
    {STR_INIT("docx"), STR_INIT("application/vnd.openxmlformats-officedocument.wordprocessingml.document"), ZIP},
    {STR_INIT("dotx"), STR_INIT("application/vnd.openxmlformats-officedocument.wordprocessingml.template"), ZIP},
    {STR_INIT("xlsx"), STR_INIT("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), ZIP},
    {STR_INIT("xltx"), STR_INIT("application/vnd.openxmlformats-officedocument.spreadsheetml.template"), ZIP},
    {STR_INIT("pptx"), STR_INIT("application/vnd.openxmlformats-officedocument.presentationml.presentation"), ZIP},
    {STR_INIT("ppsx"), STR_INIT("application/vnd.openxmlformats-officedocument.presentationml.slideshow"), ZIP},
    {STR_INIT("potx"), STR_INIT("application/vnd.openxmlformats-officedocument.presentationml.template"), ZIP},
    {STR_INIT("odt"), STR_INIT("application/vnd.oasis.opendocument.text"), ZIP},
    {STR_INIT("odp"), STR_INIT("application/vnd.oasis.opendocument.presentation"), ZIP},
    {STR_INIT("ods"), STR_INIT("application/vnd.oasis.opendocument.spreadsheet"), ZIP},
    {STR_INIT("odg"), STR_INIT("application/vnd.oasis.opendocument.graphics"), ZIP},
    {STR_INIT("key"), STR_INIT("application/vnd.apple.keynote"), ZIP},
    {STR_INIT("numbers"), STR_INIT("application/vnd.apple.numbers"), ZIP},
    {STR_INIT("pages"), STR_INIT("application/vnd.apple.pages"), ZIP},
    {STR_INIT("xps"), STR_INIT("application/vnd.ms-xpsdocument"), ZIP},
    {STR_INIT("oxps"), STR_INIT("application/oxps"), ZIP},
    {STR_INIT("doc"), STR_INIT("application/msword"), OLE},
    {STR_INIT("xls,xla,xlt,xlw"), STR_INIT("application/vnd.ms-excel"), OLE},
    {STR_INIT("ppt,pot,pps"), STR_INIT("application/vnd.ms-powerpoint"), OLE},
    {STR_INIT("mpp"), STR_INIT("application/vnd.ms-project"), OLE},
    {STR_INIT("gz,gzip"), STR_INIT("application/x-gzip"), GZIP},
    {STR_INIT("rar"), STR_INIT("application/rar"), RAR},
    {STR_INIT("7z"), STR_INIT("application/x-7z-compressed"), SEVENZIP},
    {STR_INIT("tar"), STR_INIT("application/x-tar"), TAR},
    {STR_INIT("txt,asc,srt"), STR_INIT("text/plain"), TEXT},
    {STR_INIT("csv"), STR_INIT("text/csv"), TEXT},
    {STR_INIT("tsv"), STR_INIT("text/tab-separated-values"), TEXT},
    {STR_INIT("ics"), STR_INIT("text/calendar"), TEXT},
    {STR_INIT("rtx"), STR_INIT("text/richtext"), TEXT},
    {STR_INIT("vtt"), STR_INIT("text/vtt"), TEXT},
    {STR_INIT("dfxp"), STR_INIT("application/ttaf+xml"), TEXT},
};

/* Never taken, whatever is in it: a server might run it. */
static const struct str programs[] = {
    STR_INIT("php"),  STR_INIT("phtml"),    STR_INIT("phar"),  STR_INIT("cgi"),  STR_INIT("pl"),    STR_INIT("py"),
    STR_INIT("rb"),   STR_INIT("sh"),       STR_INIT("asp"),   STR_INIT("jsp"),  STR_INIT("exe"),   STR_INIT("dll"),
    STR_INIT("bat"),  STR_INIT("cmd"),      STR_INIT("com"),   STR_INIT("msi"),  STR_INIT("jar"),   STR_INIT("js"),
    STR_INIT("mjs"),  STR_INIT("swf"),      STR_INIT("htm"),   STR_INIT("html"), STR_INIT("xhtml"), STR_INIT("shtml"),
    STR_INIT("aspx"), STR_INIT("htaccess"), STR_INIT("class"),
};

static bool list_has(struct str list, struct str word)
{
    struct str item;
    while (str_next(&list, ',', &item))
        if (str_eq_nocase(item, word))
            return true;
    return false;
}

static const struct ending *ending_find(struct str ending)
{
    for (size_t i = 0; ending.len && i < ARRAY_LENGTH(endings); i++)
        if (list_has(endings[i].endings, ending))
            return &endings[i];
    return NULL;
}

static const struct ending *ending_of_mime(struct str declared)
{
    struct str mime = str_trim(str_sub(declared, 0, str_find_char(declared, ';')));
    for (size_t i = 0; mime.len && i < ARRAY_LENGTH(endings); i++)
        if (str_eq_nocase(endings[i].mime, mime))
            return &endings[i];
    return NULL;
}

/* "php5" is "php", too. */
static bool is_program(struct str ending)
{
    while (ending.len && ascii_is_digit(ending.ptr[ending.len - 1]))
        ending.len--;
    for (size_t i = 0; i < ARRAY_LENGTH(programs); i++)
        if (str_eq_nocase(programs[i], ending))
            return true;
    return false;
}

/* --- names ------------------------------------------------------------------------------------------------------------- */

struct str file_name_of(struct call *call, struct str path)
{
    path = str_sub(path, 0, str_find_char(path, '?'));
    path = str_sub(path, 0, str_find_char(path, '#'));
    struct str name = str_from_offset(path, str_find_last_char(path, '/') + 1);
    return url_decode(call->arena, name, false);
}

/* Without folders, quotes and what else means something to a header, a shell or a file system. */
static struct str clean(struct call *call, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '/' || name.ptr[i] == '\\') {
            name = str_from_offset(name, i + 1);
            i = (size_t)-1;
        }
    name = str_trim(name);
    while (str_starts_with(name, STR(".")))
        name = str_from_offset(name, 1);
    char *out = arena_alloc(call->arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool is_bad = c < 0x20 || c == 0x7f || strchr("\"'`;,=<>:|?*%&#$\\/", c);
        out[i] = is_bad ? '-' : (char)c;
    }
    return str_of(out, name.len);
}

/* At most `max` bytes, without cutting a character. */
static struct str shorten(struct str text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
        max--;
    return str_sub(text, 0, max);
}

static bool is_ending(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]))
            return false;
    return text.len > 0 && text.len <= 8;
}

/* "a.php.jpg" has two endings, and some servers look at both: only the last stays one. */
static struct str without_dots(struct call *call, struct str stem)
{
    return str_replace(call->arena, stem, STR("."), STR("-"));
}

static struct str join(struct call *call, struct str stem, struct str ending, bool is_image)
{
    stem = shorten(str_trim(without_dots(call, stem)), FILE_NAME_MAX_BYTES - 10);
    return call_format(call, "%.*s.%.*s",
                       STR_ARG(stem.len   ? stem
                               : is_image ? STR("image")
                                          : STR("file")),
                       STR_ARG(str_lower(call->arena, ending)));
}

/* --- judging ----------------------------------------------------------------------------------------------------------- */

static int refuse_kind(struct call *call, enum kind kind)
{
    switch (kind) {
    case HTML:
        return fail(call, E_INVALID,
                    "This is a web page (HTML), not a file for the media library. Give the address of the file itself; "
                    "some sites answer with a page when they do not want to be linked.");
    case SVG:
        return fail(
            call, E_INVALID,
            "This is an SVG image, which WordPress does not take because it can hold scripts. Convert it to PNG "
            "or WebP first.");
    default:
        return fail(call, E_INVALID,
                    "This is %s. Programs and scripts are not put into a media library: the web server might run them.",
                    kinds[kind].what);
    }
}

/* The name says one thing, the content another. */
static int refuse_mismatch(struct call *call, struct str ending, enum kind kind)
{
    return fail(call, E_INVALID, "The file is named .%.*s, but what is in it is %s. Give the right filename.",
                STR_ARG(ending), kinds[kind].what);
}

static int take(struct call *call, const struct ending *as, struct str ending, struct str stem, bool is_renamed,
                struct file_type *ret)
{
    bool is_image = kinds[as->kind].is_image;
    *ret = (struct file_type){
        .name = join(call, stem, ending, is_image), .mime = as->mime, .is_image = is_image, .is_renamed = is_renamed};
    return OK;
}

int file_type_judge(struct call *call, struct str head, struct str name, struct str declared, struct file_type *ret)
{
    enum kind kind = kind_of(head);
    struct str cleaned = clean(call, name);
    size_t dot = str_find_last_char(cleaned, '.');
    struct str stem = str_sub(cleaned, 0, dot);
    struct str ending = dot == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(cleaned, dot + 1);
    if (!head.len)
        return fail(call, E_INVALID, "The file is empty.");
    if (kind >= HTML && kind <= PROGRAM)
        return refuse_kind(call, kind);
    if (str_eq_nocase(ending, STR("svg")) || str_eq_nocase(ending, STR("svgz")))
        return refuse_kind(call, SVG);
    if (is_program(ending))
        return fail(call, E_INVALID,
                    "Files named .%.*s are not put into a media library: the web server might run them.",
                    STR_ARG(ending));
    const struct ending *by_name = ending_find(ending);
    if (by_name && by_name->kind == kind)
        return take(call, by_name, ending, stem, false, ret);
    /* An image under another image's name is common, and WordPress would rename it, too. */
    bool may_rename = !by_name || (kinds[by_name->kind].is_image && kinds[kind].is_image);
    if (!may_rename)
        return refuse_mismatch(call, ending, kind);
    if (!is_ending(ending) && ending.len) /* "Mr. Smith": no ending at all */
        stem = cleaned;
    if (kinds[kind].ending.len)
        return take(call, ending_find(kinds[kind].ending), kinds[kind].ending, stem, true, ret);
    const struct ending *by_type = ending_of_mime(declared);
    if (kind != UNKNOWN && by_type && by_type->kind == kind && !by_name)
        return take(call, by_type, str_sub(by_type->endings, 0, str_find_char(by_type->endings, ',')), stem, true, ret);
    return fail(call, E_INVALID,
                "What kind of file this is cannot be told: it is %s%s%.*s. WordPress takes images, sound, films, PDF, "
                "Office documents, archives and plain text; give a filename with the right ending.",
                kinds[kind].what, ending.len ? " and named ." : "", STR_ARG(ending));
}
