/*
 * A Sallyport plugin for the text protocol of memcached (doc/protocol.txt of memcached 1.6), native lane.
 *
 * Every command of the agent is asked about before it goes on, commands are pipelined as the agent likes, and the answers come
 * from the server. Where a command is denied, the server is sent `mn` in its place, a command that does nothing and is answered
 * `MN` behind everything that was asked before: what the agent is told about the denial goes where that answer stands. So a
 * denial is in its place also behind quiet commands, of which nobody knows whether they are answered.
 *
 * memcached reads the data block of a command that it refuses as further commands. So every line is read here at least as
 * strictly as the server reads it: what it might refuse for its form is not passed.
 */
#include <sallyport.h>

#include "commands.h"

#define MAX_LINE 8192
#define MAX_KEY 250
#define MAX_WORDS (MAX_LINE / 2)
#define MAX_BARRIERS 256
#define MAX_TEXT 256

enum { CONNECT, MEMCACHED };                                /* families */
enum { COMMAND, KEYS, KEY_COUNT, SIZE, EXPIRES, NOREPLY };  /* fields */

#define FIELD(name, type, doc) "{\"name\":\"" name "\",\"type\":\"" type "\",\"doc\":\"" doc "\"}"

#define TEXT(name, type, doc) "{\"name\":\"" name "\",\"type\":\"" type "\",\"role\":\"text\",\"doc\":\"" doc "\"}"

const char *sp_manifest(void) {
	return "{\"name\":\"memcached\",\"version\":\"1.0.0\",\"doc\":\"The text protocol of memcached, meta commands included.\",\"families\":["
	       "{\"name\":\"connect\",\"fields\":[]},"
	       "{\"name\":\"memcached\",\"doc\":\"One command.\",\"fields\":[" FIELD("command", "string", "the command, for example set") ","
	       TEXT("keys", "strings", "the keys that it names, decoded where they are in base64") ","
	       FIELD("key_count", "int", "how many keys it names") ","
	       FIELD("size", "int", "bytes of the value that follows; 0: none does") ","
	       FIELD("expires", "int", "the time to live that it sets, in seconds as memcached counts them; unknown when it sets none") ","
	       FIELD("noreply", "bool", "no answer is wanted, or only of failures") "]}],"
	       "\"stock\":[{\"name\":\"barrier\",\"bytes\":\"bW4NCg==\"}]}"; /* mn\r\n */
}

const char *sp_on_configure(const char *options, size_t n) {
	(void)options, (void)n;
	return NULL;
}

static uint32_t connection;
static int broken; /* nothing more of the agent is read */

/* What the next MN of the server stands for. */
static struct barrier {
	enum { OWN, DENIED, LAST } kind; /* the agent's own mn; a denial; the last thing that the agent is told */
	size_t n;
	char text[MAX_TEXT];
} barriers[MAX_BARRIERS];
static size_t first, waiting;

static struct command {
	const struct known *known;
	uint64_t length; /* of the line and of the data block behind it */
	struct sp_text keys[MAX_WORDS];
	size_t key_count;
	uint64_t size;
	int64_t expires;
	int has_expires, noreply, quiet;
	enum sp_class class;
} cmd;

void sp_on_open(void) {
	sp_ask(CONNECT, SP_SESSION, sp_str("open a connection"));
	connection = sp_do(0, 0);
	sp_dial(connection);
}

/* Puts off what the agent is told until the server has answered everything before. The agent waits when many are on their way. */
static void barrier(int kind, struct sp_text reason) {
	struct barrier *b = &barriers[(first + waiting++) % MAX_BARRIERS];
	const char *head = kind == LAST ? "ERROR " : "SERVER_ERROR denied: ";
	b->kind = kind;
	b->n = 0;
	if (kind != OWN) {
		b->n = strlen(head);
		memcpy(b->text, head, b->n);
		for (size_t k = 0; k < reason.n && b->n < MAX_TEXT - 2; k++) {
			char c = reason.p[k];
			b->text[b->n++] = (unsigned char)c < ' ' ? ' ' : c; /* one line */
		}
		memcpy(b->text + b->n, "\r\n", 2);
		b->n += 2;
	}
	if (waiting == MAX_BARRIERS - 1) sp_pause(SP_AGENT, 1);
}

/* Ends the connection over something that was not understood, behind the answers to what was. */
static void refuse(const char *why) {
	broken = 1;
	sp_stock(0);
	barrier(LAST, sp_str(why));
}

/* ---- reading a command ---- */

#include "parse.h"

static void ask(struct sp_text title) {
	sp_ask(MEMCACHED, cmd.class, title);
	sp_field_text(COMMAND, sp_str(cmd.known->name));
	sp_field_int(KEY_COUNT, (int64_t)cmd.key_count);
	sp_field_int(SIZE, (int64_t)cmd.size);
	if (cmd.has_expires) sp_field_int(EXPIRES, cmd.expires);
	sp_field_bool(NOREPLY, cmd.noreply || cmd.quiet);
	sp_field_texts(KEYS, cmd.keys, cmd.key_count);
	uint32_t id = sp_do(cmd.length, 0);
	sp_pass(SP_AGENT, id, cmd.length);
	if (cmd.known->kind == NOOP) barrier(OWN, sp_str("")); /* void if it is denied, see sp_on_event */
}

static size_t agent(const uint8_t *p, size_t n, int end) {
	if (broken || (end && n == 0)) {
		sp_drop(SP_AGENT, n);
		if (end && !broken) sp_shut(SP_UPSTREAM);
		return n;
	}
	if (p[0] == 0x80) {
		refuse("the binary protocol is not understood here");
		return 0;
	}
	const uint8_t *newline = memchr(p, '\n', n);
	size_t line = newline ? (size_t)(newline - p) + 1 : 0;
	if (line > MAX_LINE || (!line && n > MAX_LINE)) {
		refuse("a line that is too long");
		return 0;
	}
	if (!line && end) { /* half a command: the server would forget it too */
		sp_drop(SP_AGENT, n);
		return n;
	}
	if (!line) return 0;
	const char *bad = parse((const char *)p, line);
	if (bad) {
		refuse(bad);
		return 0;
	}
	size_t title = line - 1;
	while (title > 0 && (p[title - 1] == '\r' || p[title - 1] == ' ')) title--;
	ask((struct sp_text){(const char *)p, title});
	return cmd.length < n ? (size_t)cmd.length : n;
}

/* ---- reading the answers ---- */

/* The size of the data block that follows a line of the server: VALUE key flags bytes [cas], VA size flags; -1: not readable. */
static int64_t block_size(const char *p, size_t n) {
	size_t word = n > 6 && memcmp(p, "VALUE ", 6) == 0 ? 3 : n > 3 && memcmp(p, "VA ", 3) == 0 ? 1 : 0, k = 0;
	uint64_t v;
	if (!word) return 0;
	for (; word > 0; word--, k++)
		while (k < n && p[k] != ' ') k++;
	size_t from = k;
	while (k < n && p[k] != ' ' && p[k] != '\r') k++;
	if (from >= n || !number((struct sp_text){p + from, k - from}, INT32_MAX, &v)) return -1;
	return (int64_t)v + 2;
}

static size_t upstream(const uint8_t *p, size_t n, int end) {
	const uint8_t *newline = n ? memchr(p, '\n', n) : NULL;
	size_t line = newline ? (size_t)(newline - p) + 1 : 0;
	if (!line && end) {
		sp_pass(SP_UPSTREAM, 0, n);
		sp_close("the server closed the connection");
		return n;
	}
	if (line > MAX_LINE || (!line && n > MAX_LINE)) {
		sp_fail("a line of the server that is too long");
		return 0;
	}
	if (!line) return 0;
	if (line == 4 && memcmp(p, "MN\r\n", 4) == 0) {
		if (!waiting) {
			sp_fail("an answer to mn that nobody asked for");
			return 0;
		}
		struct barrier *b = &barriers[first];
		first = (first + 1) % MAX_BARRIERS;
		if (waiting-- == MAX_BARRIERS - 1) sp_pause(SP_AGENT, 0);
		if (b->kind == OWN) {
			sp_pass(SP_UPSTREAM, 0, line);
			return line;
		}
		sp_drop(SP_UPSTREAM, line);
		sp_send(b->text, b->n);
		if (b->kind == LAST) sp_fail("a command that is not understood");
		return line;
	}
	int64_t block = block_size((const char *)p, line);
	if (block < 0) {
		sp_fail("a value of the server whose size cannot be read");
		return 0;
	}
	uint64_t total = line + (uint64_t)block;
	sp_pass(SP_UPSTREAM, 0, total);
	return total < n ? (size_t)total : n;
}

size_t sp_on_data(int side, const uint8_t *p, size_t n, int end) {
	return side == SP_AGENT ? agent(p, n, end) : upstream(p, n, end);
}

void sp_on_event(const struct sp_event *e) {
	if (e->kind == SP_REFUSED || (e->kind == SP_VERDICT && e->denied && e->id == connection)) {
		sp_send("SERVER_ERROR ", 13);
		sp_send(e->reason.p, e->reason.n);
		sp_send("\r\n", 2);
		sp_close(e->kind == SP_REFUSED ? "the upstream refused" : "the connection was denied");
		return;
	}
	if (e->kind != SP_VERDICT || !e->denied) return;
	if (cmd.known->kind == NOOP) waiting--;
	sp_drop(SP_AGENT, cmd.length);
	if (cmd.noreply) return; /* as the server does with errors of such a command */
	sp_stock(0);
	barrier(DENIED, e->reason);
}
