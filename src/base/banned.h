/* banned.h - calls that have a better one here. Forced into every file by the build. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(call, instead) _Pragma("GCC error \"banned: use " instead "\"")
/* With clang and fortified headers some of them are macros, which cannot be poisoned. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef atol
#undef gets
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gets
