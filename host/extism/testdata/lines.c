/*
 * The toy protocol of sdk/testdata/lines once more, in C, for both lanes:
 *
 *	get KEY, del KEY, put KEY N (N bytes follow), feed (everything that follows), quit
 *
 * and what a hostile plugin would do when it reads: trap, spin, recurse, bomb, steal (passes what was not allowed), lie.
 */
#include "lane.h"
#include <stdlib.h>

enum { CONNECT, LINES };
enum { VERB, KEY, SIZE };

#define MAX_LINE 4096

const char *sp_manifest(void) {
	return "{\"name\":\"lines\",\"version\":\"1\",\"families\":[{\"name\":\"connect\",\"fields\":[]},"
	       "{\"name\":\"lines\",\"fields\":["
	       "{\"name\":\"verb\",\"type\":\"string\",\"values\":[\"get\",\"del\",\"put\",\"feed\"],\"doc\":\"what is asked for\"},"
	       "{\"name\":\"key\",\"type\":\"string\",\"doc\":\"of what\"},"
	       "{\"name\":\"size\",\"type\":\"int\",\"doc\":\"how many bytes follow\"}]}],"
	       "\"options\":[{\"name\":\"greeting\",\"type\":\"string\",\"default\":\"\",\"doc\":\"a line that the agent gets first\"}]}";
}

static char greeting[256];
static uint32_t connection, asked, feed;
static uint64_t size;

const char *sp_on_configure(const char *options, size_t n) {
	const char *start = memmem(options, n, "\"greeting\":\"", 12);
	if (!start) return NULL;
	start += 12;
	const char *end = memchr(start, '"', n - (size_t)(start - options));
	size_t k = end ? (size_t)(end - start) : 0;
	if (k == 4 && memcmp(start, "rude", 4) == 0) return "a greeting must not be rude";
	if (k > 0 && k < sizeof greeting - 1) {
		memcpy(greeting, start, k);
		greeting[k] = '\n';
	}
	return NULL;
}

void sp_on_open(void) {
	sp_send(greeting, strlen(greeting));
	sp_ask(CONNECT, SP_SESSION, sp_str("open a connection"));
	connection = sp_do(0, 0);
	sp_dial(connection);
}

static int is(struct sp_text w, const char *s) { return w.n == strlen(s) && memcmp(w.p, s, w.n) == 0; }

static volatile int sink;
static char *volatile keep;
#pragma clang diagnostic ignored "-Winfinite-recursion"
static int recurse(int n) {
	return recurse(n + sink) * 3 + sink; /* not in the C stack: it would run out first */
}

/* hostile does what a word says; it returns whether there is such a word. */
static int hostile(struct sp_text w, size_t n) {
	if (is(w, "trap")) __builtin_trap();
	if (is(w, "spin"))
		for (;;) sink++;
	if (is(w, "recurse")) return recurse(0);
	if (is(w, "bomb"))
		for (;;) {
			keep = malloc(1 << 20);
			if (!keep) __builtin_trap();
			keep[sink++] = 1;
		}
	if (is(w, "steal")) {
		sp_pass(SP_AGENT, 1000, n);
		return 1;
	}
	if (is(w, "lie")) { /* a pass that is shorter than a pass is */
		sp_command(SP_T_PASS, 3);
		return 1;
	}
#ifdef LANE_EXTISM
	if (is(w, "huge")) { /* an output of 4 GiB */
		env_output_set(0, 0xffffffffu);
		return 1;
	}
	if (is(w, "blocks")) /* makes the host search */
		for (;;) env_alloc(1);
#endif
	return 0;
}

/* The first whole line of p with its end; 0: there is none. */
static size_t line_length(const uint8_t *p, size_t n) {
	const uint8_t *end = memchr(p, '\n', n);
	return end ? (size_t)(end - p) + 1 : 0;
}

static size_t words(const uint8_t *p, size_t n, struct sp_text *w, size_t most) {
	size_t count = 0;
	for (size_t k = 0; k < n;) {
		while (k < n && (p[k] == ' ' || p[k] == '\n' || p[k] == '\r')) k++;
		size_t from = k;
		while (k < n && p[k] != ' ' && p[k] != '\n' && p[k] != '\r') k++;
		if (k > from && count++ < most) w[count - 1] = (struct sp_text){(const char *)p + from, k - from};
	}
	return count;
}

static int number(struct sp_text t, uint64_t *v) {
	*v = 0;
	if (t.n == 0 || t.n > 9) return 0;
	for (size_t k = 0; k < t.n; k++) {
		if (t.p[k] < '0' || t.p[k] > '9') return 0;
		*v = *v * 10 + (uint64_t)(t.p[k] - '0');
	}
	return 1;
}

static void ask(enum sp_class class, const uint8_t *line, size_t n, struct sp_text verb, struct sp_text key, uint64_t more, int streaming) {
	struct sp_text title = {(const char *)line, n - 1};
	sp_ask(LINES, class, title);
	sp_field_text(VERB, verb);
	sp_field_text(KEY, key);
	sp_field_int(SIZE, (int64_t)more);
	asked = sp_do(streaming ? 0 : n + more, streaming);
}

static size_t request(const uint8_t *p, size_t n, size_t have) {
	struct sp_text w[3] = {{0}};
	size_t count = words(p, n, w, 3);
	uint64_t more = 0;
	size = n;
	if (count == 1 && is(w[0], "quit")) {
		sp_drop(SP_AGENT, n);
		sp_send("bye\n", 4);
		sp_close("the agent quit");
		return n;
	}
	if (count == 1 && hostile(w[0], n)) return n;
	if (count == 1 && is(w[0], "feed")) {
		ask(SP_WRITE, p, n, w[0], w[1], 0, 1);
		feed = asked;
		sp_pass(SP_AGENT, asked, n);
		return n;
	}
	if (count == 3 && is(w[0], "put") && number(w[2], &more)) {
		ask(SP_WRITE, p, n, w[0], w[1], more, 0);
	} else if (count == 2 && is(w[0], "get")) {
		ask(SP_READ, p, n, w[0], w[1], 0, 0);
	} else if (count == 2 && is(w[0], "del")) {
		ask(SP_DELETE, p, n, w[0], w[1], 0, 0);
	} else {
		sp_fail("a line that is not understood");
		return 0;
	}
	size = n + more;
	sp_pass(SP_AGENT, asked, size);
	sp_pause(SP_AGENT, 1);
	return size < have ? (size_t)size : have;
}

static size_t answer(const uint8_t *p, size_t n, size_t have) {
	struct sp_text w[2] = {{0}};
	uint64_t total = n, more;
	if (words(p, n, w, 2) == 2 && is(w[0], "data")) {
		if (!number(w[1], &more)) {
			sp_fail("a size that is no number");
			return 0;
		}
		total += more;
	}
	sp_pass(SP_UPSTREAM, 0, total);
	sp_note(asked, sp_str("answer"), w[0]);
	sp_pause(SP_AGENT, 0);
	return total < have ? (size_t)total : have;
}

size_t sp_on_data(int side, const uint8_t *p, size_t n, int end) {
	if (feed && side == SP_AGENT) {
		sp_pass(side, feed, n);
		if (end && n == 0) {
			sp_done(feed);
			sp_shut(SP_UPSTREAM);
		}
		return n;
	}
	size_t k = line_length(p, n);
	if (k > MAX_LINE || (k == 0 && n > MAX_LINE)) {
		sp_fail("a line that is too long");
		return 0;
	}
	if (k == 0 && end && n > 0) sp_fail("the last line has no end");
	else if (k == 0 && end) sp_shut(!side);
	if (k == 0) return 0;
	return side == SP_AGENT ? request(p, k, n) : answer(p, k, n);
}

static void denied(const struct sp_event *e) {
	sp_send("denied: ", 8);
	sp_send(e->reason.p, e->reason.n);
	sp_send("\n", 1);
}

void sp_on_event(const struct sp_event *e) {
	if (e->kind == SP_REFUSED) {
		sp_send("refused: ", 9);
		sp_send(e->reason.p, e->reason.n);
		sp_send("\n", 1);
		sp_close("the upstream refused");
	} else if (e->kind == SP_VERDICT && e->denied) {
		feed = 0;
		if (e->id != connection) sp_drop(SP_AGENT, size);
		denied(e);
		if (e->id == connection) sp_close("the connection was denied");
	}
}
