/* The module's memory: where what every call touches lies, and malloc. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define IN_CAPACITY (2 << 20)
#define OUT_CAPACITY (256 << 10)

/* What a call writes stands close together, because resetting an instance costs time for each range of pages that holds anything. So
 * the result, the memory that a small text is parsed in and the beginning of the input are neighbours, and the top of the stack
 * lies below them in the same 2 MiB (see stack-size in ../build). */
struct region
{
	unsigned char out[OUT_CAPACITY];
	unsigned char arena[640 << 10];
	unsigned char in[IN_CAPACITY + 1]; /* one more for the final zero */
};

/* The region stands directly behind the variables; the initial memory of ../build holds it. */
extern unsigned char __heap_base;
#define REGION ((struct region *) (((uintptr_t) &__heap_base + 15) & ~(uintptr_t) 15))

/* memory_mark and memory_rewind: everything that was allocated since the mark is free again. */
void memory_mark(void);
void memory_rewind(void);
