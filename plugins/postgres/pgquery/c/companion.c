/* The companion's exports, see ../doc.go. */
#include "pg_query.h"
#include "pg_query_internal.h"
#include "pg_query_fingerprint.h"
#include "postgres.h"
#include "mb/pg_wchar.h"
#include "parser/parser.h"
#include "utils/memutils.h"

#include "facts.h"
#include "normalize.h"
#include "record.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define IN_CAPACITY (2 << 20)
#define OUT_CAPACITY (256 << 10)
/* Memory that parsing usually needs is claimed before the snapshot, so that an instance does not grow while it works. */
#define HEAP_AHEAD (4 << 20)
#define MODE_FINGERPRINT 1

static unsigned char in[IN_CAPACITY + 1]; /* one more for the final zero */
static unsigned char out[OUT_CAPACITY];

/* The five words that sallyport_buffers points at. */
static struct
{
	uint32_t in, in_capacity, out, out_capacity, error_length;
} buffers;

static int set_error(const char *text, int position)
{
	int n = snprintf((char *) out, 1000, position > 0 ? "%s at character %d" : "%s", text, position);
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
	buffers.in = (uint32_t) in;
	buffers.in_capacity = IN_CAPACITY;
	buffers.out = (uint32_t) out;
	buffers.out_capacity = OUT_CAPACITY;
	return (uint32_t) &buffers;
}

static const char *unfit(const unsigned char *text, int length)
{
	if (memchr(text, 0, length) != NULL)
		return "the text contains a zero byte";
	for (int i = 0; i < length; i++)
		if (text[i] >= 0x80)
			return pg_wchar_table[PG_UTF8].mbverifystr(text, length) == length ? NULL : "invalid byte sequence for encoding \"UTF8\"";
	return NULL;
}

static int parse(int mode, const char *text, int length)
{
	static sigjmp_buf unused;
	PG_exception_stack = &unused;
	MemoryContext context = pg_query_enter_memory_context();

	List *tree = raw_parser(text, RAW_PARSE_DEFAULT);
	record_begin(out, OUT_CAPACITY);
	facts_record(tree);
	/* A tree too deep to walk is too deep for these as well. */
	if ((mode & MODE_FINGERPRINT) && !record_marked())
	{
		record_fingerprint(pg_query_fingerprint_node(tree));
		char *normalized = normalize_text(text, &length, tree);
		record_normalized(normalized, length);
	}
	pg_query_exit_memory_context(context);
	return record_end();
}

EXPORT("sallyport_call") int32_t sallyport_call(int32_t n)
{
	buffers.error_length = 0;
	if (n < 1 || n > IN_CAPACITY)
		return -1 - set_error("the input is empty or longer than its buffer", 0);
	const char *problem = unfit(in + 1, n - 1);
	if (problem != NULL)
		return -1 - set_error(problem, 0);
	in[n] = 0;
	return parse(in[0], (const char *) in + 1, n - 1);
}

EXPORT("sallyport_warm") void sallyport_warm(void)
{
	static const char text[] = "\1select 1";
	escape_string_warning = false;
	free(malloc(HEAP_AHEAD));
	memcpy(in, text, sizeof text - 1);
	sallyport_call(sizeof text - 1);
	memset(in, 0, sizeof text);
	memset(out, 0, 4096);
}
