/*
 * sallyport_impl.h: the half of sallyport.h that a plugin's author need not read. It writes commands as sdk/ABI.md specifies them
 * and drives the session as the Go package sdk does.
 */

#define SP_UNUSED __attribute__((unused))
#define SP_CAP (64 << 10)    /* of the two buffers, and of what one fetch brings */
#define SP_STAGE (4 * SP_CAP) /* commands that the host has not fetched */
#define SP_MAX_ACTION (48 << 10)
#define SP_MAX_TITLE 300

enum { SP_T_ASK = 1, SP_T_PASS, SP_T_DROP, SP_T_SEND, SP_T_STOCK, SP_T_DIAL, SP_T_SHUT, SP_T_CLOSE, SP_T_NOTE, SP_T_DONE, SP_T_PAUSE, SP_T_WITHDRAW = 17 };
enum { SP_F_STREAMING = 1, SP_F_ASIDE = 4 };

static struct {
	uint8_t out[SP_STAGE];
	size_t len;
	size_t passed; /* where out ends with a PASS that may be extended; 0: it does not */
	uint8_t action[SP_MAX_ACTION];
	size_t action_len, count_at;
	uint16_t fields;
	uint32_t next_id, asked;
	int closed;
	int before[2]; /* pauses before the question */
	int said[2];   /* a pause, or its end, stands behind it */
	struct { /* while a person is asked: what stands behind the question */
		int on, closed, paused[2], said[2];
		size_t len; /* of what the host has not fetched of it, which is at the end of out */
	} held;
	struct {
		uint8_t unread[SP_MAX_UNREAD + SP_CAP]; /* what the session left, and one delivery behind it */
		size_t len;
		size_t from; /* what the session has read of it in this step */
		int ended, told, paused;
		int idle; /* the session waits for something new */
	} side[2];
} sp_;

static void sp_put(uint8_t *to, uint64_t v, int width) {
	for (int k = 0; k < width; k++) to[k] = (uint8_t)(v >> (8 * k));
}

static uint32_t sp_u32(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

/* Begins a command with room for n bytes of value and returns where they go; NULL when the connection is closed. Staging is much
 * larger than what is staged before the session is stopped, so that running over it is a session that says too much at once. */
static uint8_t *sp_command(uint8_t tag, size_t n) {
	if (sp_.closed) return NULL;
	if (sp_.len + 5 + n > SP_STAGE - sp_.held.len) __builtin_trap();
	uint8_t *p = sp_.out + sp_.len;
	p[0] = tag;
	sp_put(p + 1, n, 4);
	sp_.len += 5 + n;
	sp_.passed = 0;
	return p + 5;
}

SP_UNUSED static void sp_pass(int side, uint32_t id, uint64_t n) {
	if (n == 0 || sp_.closed) return;
	if (sp_.passed) { /* one command for each run of messages */
		uint8_t *p = sp_.out + sp_.passed - 13;
		uint64_t had = sp_u32(p + 5) | (uint64_t)sp_u32(p + 9) << 32;
		if (p[0] == side && sp_u32(p + 1) == id && had + n >= had) {
			sp_put(p + 5, had + n, 8);
			return;
		}
	}
	uint8_t *p = sp_command(SP_T_PASS, 13);
	p[0] = (uint8_t)side;
	sp_put(p + 1, id, 4);
	sp_put(p + 5, n, 8);
	sp_.passed = sp_.len;
}

SP_UNUSED static void sp_drop(int side, uint64_t n) {
	uint8_t *p = n ? sp_command(SP_T_DROP, 9) : NULL;
	if (!p) return;
	p[0] = (uint8_t)side;
	sp_put(p + 1, n, 8);
}

SP_UNUSED static void sp_send(const void *from, size_t n) {
	for (size_t piece; n > 0 && !sp_.closed; n -= piece, from = (const uint8_t *)from + piece) {
		piece = n < 16384 ? n : 16384;
		uint8_t *p = sp_command(SP_T_SEND, 5 + piece);
		p[0] = SP_AGENT;
		sp_put(p + 1, 0, 4);
		memcpy(p + 5, from, piece);
	}
}

static void sp_number(uint8_t tag, uint64_t v, int width) {
	uint8_t *p = sp_command(tag, (size_t)width);
	if (p) sp_put(p, v, width);
}

SP_UNUSED static void sp_stock(uint16_t k) { sp_number(SP_T_STOCK, k, 2); }
SP_UNUSED static void sp_dial(uint32_t id) { sp_number(SP_T_DIAL, id, 4); }
SP_UNUSED static void sp_shut(int side) { sp_number(SP_T_SHUT, (uint64_t)side, 1); }
SP_UNUSED static void sp_done(uint32_t id) { sp_number(SP_T_DONE, id, 4); }
SP_UNUSED static void sp_withdraw(uint32_t id) { sp_number(SP_T_WITHDRAW, id, 4); }

static void sp_end(int failed, const char *reason) {
	size_t n = strlen(reason);
	if (n > 1024) n = 1024;
	uint8_t *p = sp_command(SP_T_CLOSE, 1 + n);
	if (!p) return;
	p[0] = (uint8_t)failed;
	memcpy(p + 1, reason, n);
	sp_.closed = 1;
}

SP_UNUSED static void sp_close(const char *reason) { sp_end(0, reason); }
SP_UNUSED static void sp_fail(const char *reason) { sp_end(1, reason); }

SP_UNUSED static void sp_pause(int side, int on) {
	on = !!on;
	if (sp_.closed || sp_.side[side].paused == on) return;
	sp_.side[side].paused = on;
	sp_.said[side] = 1;
	if (!on) sp_.side[side].idle = 0;
	uint8_t *p = sp_command(SP_T_PAUSE, 2);
	p[0] = (uint8_t)side;
	p[1] = (uint8_t)on;
}

/* A note of more than the host takes is cut. */
SP_UNUSED static void sp_note(uint32_t id, struct sp_text name, struct sp_text value) {
	if (name.n > 64) name.n = 64;
	if (value.n > 2048) value.n = 2048;
	uint8_t *p = sp_command(SP_T_NOTE, 4 + 8 + name.n + value.n);
	if (!p) return;
	sp_put(p, id, 4);
	sp_put(p + 4, name.n, 4);
	memcpy(p + 8, name.p, name.n);
	sp_put(p + 8 + name.n, value.n, 4);
	memcpy(p + 12 + name.n, value.p, value.n);
}

/* ---- actions ---- */

static int sp_room(size_t n) { return sp_.action_len + n <= SP_MAX_ACTION; }

static void sp_raw(const void *p, size_t n) {
	memcpy(sp_.action + sp_.action_len, p, n);
	sp_.action_len += n;
}

static void sp_int(uint64_t v, int width) {
	sp_put(sp_.action + sp_.action_len, v, width);
	sp_.action_len += (size_t)width;
}

static void sp_string(struct sp_text t) {
	sp_int(t.n, 4);
	sp_raw(t.p, t.n);
}

SP_UNUSED static void sp_ask(uint16_t family, enum sp_class class, struct sp_text title) {
	if (sp_.asked) __builtin_trap(); /* a second question before the first is decided */
	sp_.action_len = 0;
	sp_int(family, 2);
	sp_int(class, 1);
	if (title.n > SP_MAX_TITLE) title.n = SP_MAX_TITLE;
	sp_string(title);
	sp_.count_at = sp_.action_len;
	sp_.fields = 0;
	sp_int(0, 2);
}

/* Begins a field whose value takes n bytes; 0: there is no room, so that it stays unknown. */
static int sp_field(uint16_t field, size_t n) {
	if (!sp_room(3 + n)) return 0;
	sp_int(field, 2);
	sp_int(1, 1);
	sp_.fields++;
	return 1;
}

SP_UNUSED static void sp_field_bool(uint16_t field, int v) {
	if (sp_field(field, 1)) sp_int(!!v, 1);
}
SP_UNUSED static void sp_field_int(uint16_t field, int64_t v) {
	if (sp_field(field, 8)) sp_int((uint64_t)v, 8);
}
SP_UNUSED static void sp_field_text(uint16_t field, struct sp_text v) {
	if (sp_field(field, 4 + v.n)) sp_string(v);
}
SP_UNUSED static void sp_field_texts(uint16_t field, const struct sp_text *v, size_t count) {
	size_t n = 4;
	for (size_t k = 0; k < count; k++) n += 4 + v[k].n;
	if (!sp_field(field, n)) return;
	sp_int(count, 4);
	for (size_t k = 0; k < count; k++) sp_string(v[k]);
}

static uint32_t sp_finish(uint64_t extent, int flags) {
	sp_put(sp_.action + sp_.count_at, sp_.fields, 2);
	uint32_t id = ++sp_.next_id;
	uint8_t *p = sp_command(SP_T_ASK, 13 + sp_.action_len);
	if (!p) return id;
	sp_put(p, id, 4);
	sp_put(p + 4, extent, 8);
	p[12] = (uint8_t)flags;
	memcpy(p + 13, sp_.action, sp_.action_len);
	if (flags & SP_F_ASIDE) return id;
	sp_.asked = id;
	for (int side = 0; side < 2; side++) {
		sp_.before[side] = sp_.side[side].paused;
		sp_.said[side] = 0;
	}
	return id;
}

SP_UNUSED static uint32_t sp_do(uint64_t extent, int streaming) { return sp_finish(extent, streaming ? SP_F_STREAMING : 0); }
SP_UNUSED static uint32_t sp_do_aside(void) { return sp_finish(0, SP_F_ASIDE); }

/* ---- driving the session ---- */

/* Has the session read once, and reports whether it did. While a question is undecided nothing is read, also not of the upstream, so that a
 * question is the last thing that a step says; unless a person is asked, which takes time: then the upstream is read. A session that has said
 * much goes on when that is fetched. */
static int sp_read(int side) {
	size_t n = sp_.side[side].len - sp_.side[side].from;
	if (sp_.asked && !(sp_.held.on && side == SP_UPSTREAM)) return 0;
	if (sp_.closed || sp_.side[side].idle || sp_.len > SP_CAP) return 0;
	if (n > 0 ? sp_.side[side].paused : !sp_.side[side].ended || sp_.side[side].told) return 0;
	sp_.side[side].told = n == 0;
	size_t read = sp_on_data(side, sp_.side[side].unread + sp_.side[side].from, n, sp_.side[side].ended);
	if (read > n) __builtin_trap();
	sp_.side[side].idle = read == 0;
	sp_.side[side].from += read;
	return read > 0;
}

/* Has the session read for as long as it does, the agent first: what the upstream says may have ended its pause, and how the upstream's
 * bytes were cut must make no difference. */
static void sp_settle(void) {
	while (sp_read(SP_AGENT) || sp_read(SP_UPSTREAM)) {
	}
	for (int side = 0; side < 2; side++) {
		sp_.side[side].len -= sp_.side[side].from;
		memmove(sp_.side[side].unread, sp_.side[side].unread + sp_.side[side].from, sp_.side[side].len);
		sp_.side[side].from = 0;
	}
}

static void sp_data(int side, const uint8_t *p, size_t n, int end) {
	if (end) sp_.side[side].ended = 1;
	if (sp_.side[side].len > SP_MAX_UNREAD || n > SP_CAP) {
		sp_fail("more is left unread than the plugin keeps");
		return;
	}
	memcpy(sp_.side[side].unread + sp_.side[side].len, p, n);
	sp_.side[side].len += n;
	sp_.side[side].idle = 0;
	sp_settle();
}

/* Keeps what stands behind a question that a person is asked: nothing of it is carried out yet, and what the session says meanwhile is at
 * once. */
static void sp_hold(void) {
	sp_.held.on = 1;
	sp_.held.len = sp_.len;
	memmove(sp_.out + SP_STAGE - sp_.len, sp_.out, sp_.len);
	sp_.len = sp_.passed = 0;
	sp_.held.closed = sp_.closed;
	sp_.closed = 0;
	for (int side = 0; side < 2; side++) {
		sp_.held.said[side] = sp_.said[side];
		sp_.held.paused[side] = sp_.side[side].paused;
		sp_.side[side].paused = sp_.before[side];
	}
}

/* Has what was kept follow the verdict, or forgets it. */
static void sp_unhold(int denied) {
	size_t n = sp_.held.len;
	sp_.held.on = 0;
	sp_.held.len = 0;
	if (denied) return;
	memmove(sp_.out + sp_.len, sp_.out + SP_STAGE - n, n);
	sp_.len += n;
	sp_.passed = 0;
	sp_.closed |= sp_.held.closed;
	for (int side = 0; side < 2; side++) {
		if (sp_.held.said[side]) sp_.side[side].paused = sp_.held.paused[side];
	}
}

/* Ends the wait for a verdict. What followed a denied question is void, also what the host has not fetched. */
static void sp_decided(int denied) {
	sp_.asked = 0;
	sp_.side[SP_AGENT].idle = sp_.side[SP_UPSTREAM].idle = 0;
	if (sp_.held.on) {
		sp_unhold(denied);
		return;
	}
	if (!denied) return;
	sp_.len = sp_.passed = 0;
	sp_.closed = 0;
	for (int side = 0; side < 2; side++) sp_.side[side].paused = sp_.before[side];
}

static int sp_take_text(const uint8_t **p, size_t *n, struct sp_text *t) {
	if (*n < 4 || sp_u32(*p) > *n - 4) return 0;
	t->n = sp_u32(*p);
	t->p = (const char *)*p + 4;
	*p += 4 + t->n;
	*n -= 4 + t->n;
	return 1;
}

static void sp_event(const uint8_t *p, size_t n) {
	struct sp_event e = {0};
	if (n == 0) { /* go on */
		sp_settle();
		return;
	}
	e.kind = (enum sp_kind)p[0];
	p++, n--;
	int ok = e.kind == SP_CONNECTED;
	if (e.kind == SP_VERDICT && n >= 5) {
		e.id = sp_u32(p);
		e.denied = p[4] != 0;
		p += 5, n -= 5;
		ok = sp_take_text(&p, &n, &e.reason) && sp_take_text(&p, &n, &e.rule);
	} else if (e.kind == SP_HELD && n >= 4) {
		e.id = sp_u32(p);
		p += 4, n -= 4;
		ok = sp_take_text(&p, &n, &e.hold) && sp_take_text(&p, &n, &e.until) && sp_take_text(&p, &n, &e.reason) && sp_take_text(&p, &n, &e.rule);
	} else if (e.kind == SP_REFUSED) {
		ok = sp_take_text(&p, &n, &e.reason);
	} else if (e.kind > SP_REFUSED && e.kind != SP_HELD) { /* about what this plugin cannot have asked for */
		sp_settle();
		return;
	}
	if (!ok) {
		sp_fail("an event that cannot be read");
		return;
	}
	if (e.kind == SP_VERDICT && e.id == sp_.asked) sp_decided(e.denied);
	if (e.kind == SP_HELD && e.id == sp_.asked && !sp_.held.on) sp_hold(); /* a judge may have been asked before */
	if (!sp_.closed) sp_on_event(&e);
	sp_.side[SP_AGENT].idle = sp_.side[SP_UPSTREAM].idle = 0;
	sp_settle();
}

/* Moves whole commands into out, at most cap bytes, and returns how many; *more is set when the host must come back. */
static size_t sp_fetch(uint8_t *out, size_t cap, int *more) {
	size_t n = 0;
	while (n < sp_.len) {
		size_t size = 5 + sp_u32(sp_.out + n + 1);
		if (n + size > cap) break;
		n += size;
	}
	memcpy(out, sp_.out, n);
	sp_.len -= n;
	memmove(sp_.out, sp_.out + n, sp_.len);
	sp_.passed = 0;
	*more = sp_.len > 0;
	return n;
}

/* ---- the native lane's exports ---- */

#ifndef SP_OTHER_LANE
#define SP_EXPORT(name) __attribute__((export_name(#name), used))

static uint8_t sp_in[SP_CAP], sp_out[SP_CAP];
static uint32_t sp_layout[4];

static uint32_t sp_answer(void) {
	int more;
	uint32_t n = (uint32_t)sp_fetch(sp_out, SP_CAP, &more);
	return more ? n | 1u << 31 : n;
}

SP_EXPORT(sallyport_abi) int32_t sp_export_abi(void) { return 0; }

SP_EXPORT(sallyport_buffers) uint32_t sp_export_buffers(void) {
	sp_layout[0] = (uint32_t)(uintptr_t)sp_in;
	sp_layout[1] = sizeof sp_in;
	sp_layout[2] = (uint32_t)(uintptr_t)sp_out;
	sp_layout[3] = sizeof sp_out;
	return (uint32_t)(uintptr_t)sp_layout;
}

SP_EXPORT(sallyport_describe) int32_t sp_export_describe(void) {
	const char *m = sp_manifest();
	size_t n = strlen(m);
	if (n > sizeof sp_out) __builtin_trap();
	memcpy(sp_out, m, n);
	return (int32_t)n;
}

SP_EXPORT(sallyport_configure) int32_t sp_export_configure(int32_t n) {
	const char *bad = sp_on_configure((const char *)sp_in, (size_t)n);
	if (!bad) return 0;
	size_t k = strlen(bad);
	if (k > 1024) k = 1024;
	memcpy(sp_out, bad, k);
	return -1 - (int32_t)k;
}

SP_EXPORT(sallyport_open) uint32_t sp_export_open(int32_t n) {
	(void)n; /* the facts are the host's names; a plugin decides nothing by them */
	sp_on_open();
	return sp_answer();
}

SP_EXPORT(sallyport_data) uint32_t sp_export_data(int32_t side, int32_t n, int32_t flags) {
	sp_data(side, sp_in, (size_t)n, flags & 1);
	return sp_answer();
}

SP_EXPORT(sallyport_event) uint32_t sp_export_event(int32_t n) {
	sp_event(sp_in, (size_t)n);
	return sp_answer();
}
#endif
