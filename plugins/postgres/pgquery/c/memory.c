/* malloc by moving a pointer. A call begins with the memory of the snapshot, so nothing has to be given back one by one; only the last
 * block is taken back when it is freed or grows in place. PostgreSQL's contexts do the rest. */
#include "memory.h"
#include <stdbool.h>
#include <string.h>

#define ALIGN 16
#define PAGE 65536

static uintptr_t at, end, mark_at, mark_end;
static bool beyond; /* the arena is used up */

static size_t *size_of(void *p) { return (size_t *) p - 1; }
static size_t rounded(size_t n) { return (n + ALIGN - 1) & ~(size_t) (ALIGN - 1); }

/* more makes room for n bytes behind the arena. */
static bool more(size_t n)
{
	if (!beyond)
	{
		beyond = true;
		at = rounded((uintptr_t) (REGION + 1));
		end = (uintptr_t) __builtin_wasm_memory_size(0) * PAGE;
	}
	if (n <= end - at)
		return true;
	size_t pages = (n - (end - at) + PAGE - 1) / PAGE;
	if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX)
		return false;
	end += pages * PAGE;
	return true;
}

void *malloc(size_t n)
{
	if (at == 0)
	{
		at = (uintptr_t) REGION->arena;
		end = at + sizeof REGION->arena;
	}
	if (n > PTRDIFF_MAX - 2 * ALIGN)
		return NULL;
	size_t need = rounded(n) + ALIGN;
	if (need > end - at && !more(need))
		return NULL;
	void *p = (void *) (at + ALIGN);
	*size_of(p) = n;
	at += need;
	return p;
}

static bool is_last(void *p) { return (uintptr_t) p + rounded(*size_of(p)) == at; }

void free(void *p)
{
	if (p != NULL && is_last(p))
		at = (uintptr_t) p - ALIGN;
}

void *realloc(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	size_t old = *size_of(p);
	if (n <= old)
		return p;
	if (n <= PTRDIFF_MAX - 2 * ALIGN && is_last(p) && rounded(n) - rounded(old) <= end - at)
	{
		at += rounded(n) - rounded(old);
		*size_of(p) = n;
		return p;
	}
	void *q = malloc(n);
	if (q != NULL)
		memcpy(q, p, old);
	return q;
}

void *calloc(size_t count, size_t size)
{
	size_t n;
	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	void *p = malloc(n);
	if (p != NULL)
		memset(p, 0, n);
	return p;
}

void memory_mark(void)
{
	mark_at = at;
	mark_end = end;
}

void memory_rewind(void)
{
	at = mark_at;
	if (end != mark_end)
		beyond = false;
	end = mark_end;
}
