/* The reader's tests once more, with strings read as on machines without SSE2; these lex_ functions stand in for the library's. */
#define LEX_PORTABLE

/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "json/lex.c"
#include "json/json_test.c"
/* NOLINTEND(bugprone-suspicious-include) */
