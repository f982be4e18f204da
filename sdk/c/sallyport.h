/*
 * sallyport.h: the Sallyport plugin interface, version 0, for plugins written in C.
 *
 * A plugin is one C file that includes this header once, defines the five functions below, and is built with
 *
 *     clang-16 --target=wasm32-wasi -O2 -I sdk/c -c NAME.c
 *     clang-16 --target=wasm32-wasi -mexec-model=reactor -Wl,--stack-first -Wl,--strip-all -o NAME.wasm NAME.o
 *
 * The model is that of the Go package sdk. A session is given all unread bytes of a side and returns how many it has read.
 * Reading a message means one of: sp_pass it, sp_drop it, or ask about it (sp_ask … sp_do) and sp_pass it under the action's id.
 * What was asked is decided before sp_on_data is called with anything behind it. After a denial everything that the step
 * said behind the question is void: sp_on_event is called with the verdict, drops the denied bytes and answers in the
 * protocol's own words.
 *
 * One instance serves one connection, so state may stand in static variables. Everything must follow from the options and the
 * order of calls: there is no clock and no randomness. How the stream is cut into deliveries must make no difference.
 *
 * Text is a pointer and a length; nothing needs to end in a zero byte. Nothing here allocates.
 *
 * A person may be asked. Then sp_on_event is told that the action is held, the upstream is read as usual, and the verdict follows.
 *
 * Of the commands in sdk/ABI.md these are here: ASK, PASS, DROP, SEND to the agent, STOCK, DIAL, SHUT, CLOSE, NOTE, DONE, PAUSE and
 * WITHDRAW. What a plugin needs to end TLS, to log in, to have the host walk frames and to hold answers back (TLS, AUTH, ALIAS, UNALIAS, SECRET,
 * SIGN, SCAN, KEEP, VALUES, TEXT, RELEASE, ANSWERED) is in the Go package only; events about these are not told.
 */
#ifndef SALLYPORT_H
#define SALLYPORT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* SP_MAX_UNREAD bounds what a session may leave unread of each side when more comes, in bytes; past it the connection is closed. */
#ifndef SP_MAX_UNREAD
#define SP_MAX_UNREAD (64 << 10)
#endif

enum sp_side { SP_AGENT = 0, SP_UPSTREAM = 1 };
enum sp_class { SP_SESSION, SP_READ, SP_WRITE, SP_DELETE, SP_ADMIN, SP_EXECUTE, SP_OPAQUE };
enum sp_kind { SP_VERDICT = 1, SP_CONNECTED = 2, SP_REFUSED = 3, SP_HELD = 7 };

struct sp_text {
	const char *p;
	size_t n;
};

/* An event. id and rule belong to a verdict and to what is held, denied to a verdict, hold (what people call it) and until (RFC 3339, UTC)
 * to what is held, reason to all three and to a refused upstream. */
struct sp_event {
	enum sp_kind kind;
	uint32_t id;
	int denied;
	struct sp_text reason, rule, hold, until;
};

/* ---- What a plugin defines ---- */

/* The manifest, JSON: see sdk/ABI.md. */
const char *sp_manifest(void);
/* Takes the endpoint's options, a JSON object with every declared option in it. NULL, or a text that says what is wrong. */
const char *sp_on_configure(const char *options, size_t n);
/* Begins the connection, usually by asking for it and dialing. */
void sp_on_open(void);
/* Is given everything unread of side, with end set when nothing will follow, and returns how many bytes it has read. With end set
 * and nothing unread it says what becomes of the half-closed connection; it is called once for that. */
size_t sp_on_data(int side, const uint8_t *p, size_t n, int end);
/* Is told of every verdict, that a person is asked, and that the upstream is connected or refused. */
void sp_on_event(const struct sp_event *e);

/* ---- What a plugin calls ---- */

static void sp_pass(int side, uint32_t id, uint64_t n); /* the next n bytes go on; id 0 for the upstream's */
static void sp_drop(int side, uint64_t n);              /* forget the next n bytes, delivered or not */
static void sp_send(const void *p, size_t n);           /* write to the agent */
static void sp_stock(uint16_t k);                       /* write constant k of the manifest to the upstream */
static void sp_dial(uint32_t id);                       /* connect, under an allowed action of family connect */
static void sp_shut(int side);                          /* nothing more is written to side */
static void sp_close(const char *reason);               /* end in good order */
static void sp_fail(const char *reason);                /* end because something was not understood: fail_closed */
static void sp_done(uint32_t id);                       /* a streaming action ends here */
static void sp_pause(int side, int on);                 /* deliver nothing of side until it is undone */
static void sp_note(uint32_t id, struct sp_text name, struct sp_text value); /* what became of an action */

/* A question: sp_ask, then its fields in any order, then sp_do, which returns the id. A field that is not given is unknown, and so
 * is one that does not fit; both count against the agent. extent is how many of the agent's next bytes the action covers;
 * streaming instead: everything until sp_done. */
static void sp_ask(uint16_t family, enum sp_class class, struct sp_text title);
static void sp_field_bool(uint16_t field, int v);
static void sp_field_int(uint16_t field, int64_t v);
static void sp_field_text(uint16_t field, struct sp_text v);
static void sp_field_texts(uint16_t field, const struct sp_text *v, size_t count);
static uint32_t sp_do(uint64_t extent, int streaming);
/* Asks aside, for protocols that carry several things at once: the action has no extent and stops nothing. What is passed under its id, whole
 * messages, waits for the verdict at the host, until sp_done. */
static uint32_t sp_do_aside(void);
/* The agent took back what waits for a person: the verdict follows, denied unless it was decided before. */
static void sp_withdraw(uint32_t id);

static inline struct sp_text sp_str(const char *s) { return (struct sp_text){s, strlen(s)}; }

/* ---- How it works ---- */

#include "sallyport_impl.h"

#endif
