/*
 * What went wrong, in the language of who reads it: the sentences of fail() are English, and this has the others' words
 * for those that people can meet on a page or in the dashboard. What is not in the table stays English. Nothing here
 * waits.
 */
#ifndef WEB_PROBLEM_H
#define WEB_PROBLEM_H

#include "web/text.h"

struct problem {
    struct str text;
    const char *field; /* of a form, which it is about; NULL: none in particular */
};

struct problem problem_of(struct arena *arena, struct str english, enum language language);

#endif
