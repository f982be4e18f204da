/* The companion's exports, see ../doc.go. */
#include "pg_query.h"
#include "pg_query_internal.h"
#include "pg_query_fingerprint.h"
#include "postgres.h"
#include "mb/pg_wchar.h"
#include "parser/parser.h"
#include "utils/memutils.h"

#include "facts.h"
#include "memory.h"
#include "normalize.h"
#include "record.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define MODE_FINGERPRINT 1

#define IN REGION->in
#define OUT REGION->out

/* All that a call allocates is in this context. It is made once, before the snapshot; used says that it is not empty. */
static MemoryContext context;
static bool used;

/* The five words that sallyport_buffers points at. */
static struct
{
	uint32_t in, in_capacity, out, out_capacity, error_length;
} buffers;

static int set_error(const char *text, int position)
{
	int n = snprintf((char *) OUT, 1000, position > 0 ? "%s at character %d" : "%s", text, position);
	if (n < 0)
		n = 0;
	if (n > 999)
		n = 999;
	buffers.error_length = n;
	return n;
}

/* Where longjmp would go: the parser raised an error. */
_Noreturn void sallyport_throw(void)
{
	MemoryContextSwitchTo(TopMemoryContext);
	ErrorData *error = CopyErrorData();
	set_error(error && error->message ? error->message : "the parser failed", error ? error->cursorpos : 0);
	__builtin_trap();
}

EXPORT("sallyport_buffers") uint32_t sallyport_buffers(void)
{
	buffers.in = (uint32_t) IN;
	buffers.in_capacity = IN_CAPACITY;
	buffers.out = (uint32_t) OUT;
	buffers.out_capacity = OUT_CAPACITY;
	return (uint32_t) &buffers;
}

static const char *unfit(const unsigned char *text, int length)
{
	bool zero = false, plain = true;
	for (int i = 0; i < length; i++)
	{
		zero |= text[i] == 0;
		plain &= text[i] < 0x80;
	}
	if (zero)
		return "the text contains a zero byte";
	if (!plain && pg_wchar_table[PG_UTF8].mbverifystr(text, length) != length)
		return "invalid byte sequence for encoding \"UTF8\"";
	return NULL;
}

/* fresh empties the context for the next call, where the host has not reset the whole instance already. */
static void fresh(void)
{
	if (context == NULL)
	{
		pg_query_init();
		context = AllocSetContextCreate(TopMemoryContext, "call", 32 << 10, 32 << 10, ALLOCSET_DEFAULT_MAXSIZE);
		memory_mark();
	}
	else if (used)
	{
		MemoryContextReset(context);
		memory_rewind();
		record_forget();
	}
	used = true;
}

static int parse(int mode, const char *text, int length)
{
	static sigjmp_buf unused;
	PG_exception_stack = &unused;
	fresh();
	MemoryContextSwitchTo(context);

	List *tree = raw_parser(text, RAW_PARSE_DEFAULT);
	record_begin(OUT, OUT_CAPACITY);
	facts_record(tree);
	/* A tree too deep to walk is too deep for these as well. */
	if ((mode & MODE_FINGERPRINT) && !record_marked())
	{
		record_fingerprint(pg_query_fingerprint_node(tree));
		char *normalized = normalize_text(text, &length, tree);
		record_normalized(normalized, length);
	}
	MemoryContextSwitchTo(TopMemoryContext);
	return record_end();
}

EXPORT("sallyport_call") int32_t sallyport_call(int32_t n)
{
	buffers.error_length = 0;
	if (n < 1 || n > IN_CAPACITY)
		return -1 - set_error("the input is empty or longer than its buffer", 0);
	const char *problem = unfit(IN + 1, n - 1);
	if (problem != NULL)
		return -1 - set_error(problem, 0);
	IN[n] = 0;
	return parse(IN[0], (const char *) IN + 1, n - 1);
}

EXPORT("sallyport_warm") void sallyport_warm(void)
{
	static const char text[] = "\1select 1";
	escape_string_warning = false;
	memcpy(IN, text, sizeof text - 1);
	sallyport_call(sizeof text - 1);
	memset(IN, 0, sizeof text);
	memset(OUT, 0, 4096);
	fresh();
	used = false;
}
