/* Functions that do not compile here: each has caused holes in other people's C, and each has a safer neighbour. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* Headers that use these names in inline functions must come before the poison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang's fortified headers define these two as macros. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strncpy strcat strncat strtok strtok_r gets sprintf vsprintf
#pragma GCC poison atoi atol atof rand srand system popen mktemp tmpnam

#endif
