/* Writing the record, see record.h. Nothing here allocates: what does not fit is marked as cut. */
#include "record.h"

#define HEADER 2
#define SLOTS 512
#define NORMALIZED_MAX (16 << 10)

static unsigned char *out;
static int length, capacity;
/* Where the current top-level statement begins: entries before it are never taken for duplicates. */
static int statement_start;
/* A lossy memory of the entries written last, by hash: two equal entries in one statement are one. */
static int seen[SLOTS];

void record_begin(unsigned char *buffer, int size)
{
	out = buffer;
	capacity = size;
	out[0] = RECORD_VERSION;
	out[1] = 0;
	length = statement_start = HEADER;
}

void record_forget(void) { memset(seen, 0, sizeof seen); }

int record_end(void) { return length; }
bool record_marked(void) { return out[1] != 0; }
void record_mark(int mark) { out[1] |= mark; }

/* room says whether n bytes more fit; after the first that did not, nothing is written any more. */
static bool room(int n)
{
	if (out[1] & MARK_CUT)
		return false;
	if (n > capacity - length)
	{
		out[1] |= MARK_CUT;
		return false;
	}
	return true;
}

static void put_length(unsigned n)
{
	for (; n >= 128; n >>= 7)
		out[length++] = (unsigned char) (n | 128);
	out[length++] = (unsigned char) n;
}

static void put_bytes(const char *s, int n)
{
	memcpy(out + length, s, n);
	length += n;
}

static void put_string(const char *s, int n)
{
	put_length(n);
	put_bytes(s, n);
}

/* forget_duplicate takes the entry that began at start back when the statement has it already. */
static void forget_duplicate(int start)
{
	uint32_t hash = 2166136261u;
	int n = length - start;
	for (int i = start; i < length; i++)
		hash = (hash ^ out[i]) * 16777619u;
	int *slot = &seen[(hash ^ hash >> 15) % SLOTS];
	if (*slot >= statement_start && *slot + n <= start && memcmp(out + *slot, out + start, n) == 0)
		length = start;
	else
		*slot = start;
}

void record_statement(void)
{
	if (!room(1))
		return;
	statement_start = length;
	out[length++] = 'S';
}

void record_verb(int kind, int flags, int sub)
{
	if (!room(4))
		return;
	out[length++] = 'V';
	out[length++] = kind;
	out[length++] = flags;
	out[length++] = sub;
}

void record_string(char tag, const char *s, int n)
{
	if (s == NULL)
		return;
	if (n < 0)
		n = strlen(s);
	if (!room(n + 6))
		return;
	out[length++] = tag;
	put_string(s, n);
}

/* put_dotted writes schema and name as one string, so that the reader has both spellings without copying. */
static void put_dotted(const char *schema, const char *name)
{
	int before = strlen(schema), n = strlen(name);
	int skip = before > 0 ? before + 1 : 0;
	put_length(skip);
	put_length(skip + n);
	if (before > 0)
	{
		put_bytes(schema, before);
		put_bytes(".", 1);
	}
	put_bytes(name, n);
}

void record_relation(char role, const char *schema, const char *name)
{
	int start = length;
	if (schema == NULL)
		schema = "";
	if (name == NULL)
		name = "";
	if (!room(strlen(schema) + strlen(name) + 12))
		return;
	out[length++] = 'R';
	out[length++] = role;
	put_dotted(schema, name);
	if (role == ROLE_READ)
		forget_duplicate(start);
}

void record_dotted(char tag, const char *schema, const char *name)
{
	int start = length;
	if (!room(strlen(schema) + strlen(name) + 12))
		return;
	out[length++] = tag;
	put_dotted(schema, name);
	forget_duplicate(start);
}

/* record_qualified writes the last two parts of a dotted name. */
void record_qualified(char tag, const List *parts)
{
	const char *schema = "", *name = "";
	const ListCell *cell;

	foreach (cell, parts)
	{
		const Node *part = lfirst(cell);
		if (part == NULL || !IsA(part, String))
			continue;
		schema = name;
		name = strVal(part);
	}
	record_dotted(tag, schema, name);
}

void record_column(const char *name)
{
	int start = length;
	record_string('C', name, -1);
	if (length > start)
		forget_duplicate(start);
}

void record_fingerprint(uint64_t fingerprint)
{
	if (!room(9))
		return;
	out[length++] = 'H';
	for (int i = 0; i < 8; i++)
		out[length++] = (unsigned char) (fingerprint >> (8 * i));
}

/* record_normalized cuts a long text between characters. That it is cut has its own tag, for nothing is hidden by it: the facts
 * are whole. */
void record_normalized(const char *text, int n)
{
	char tag = 'T';
	if (n > NORMALIZED_MAX)
	{
		tag = 't';
		for (n = NORMALIZED_MAX; n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80;)
			n--;
	}
	record_string(tag, text, n);
}
