/* wasi-libc defines these with casts, and PostgreSQL compares them in #if. */
#pragma once
#include_next <fcntl.h>
#undef O_DSYNC
#define O_DSYNC 2
#undef O_SYNC
#define O_SYNC 16
