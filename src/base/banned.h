/* banned.h - calls that have a better one here. Forced into every file by the build. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(call, instead) _Pragma("GCC error \"banned: use " instead "\"")
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gets
