/* The record: what a text would do, as one compact stream.
 *
 *   record    = version(u8) marks(u8) entry*
 *   marks     = 1 cut: the record did not fit | 2 unknown: a node that the walker does not know, or nested too deeply
 *   entry     = 'S'                                  a top-level statement begins
 *             | 'V' kind(u8) flags(u8) sub(u8)       a statement, top-level or nested; what follows belongs to it
 *             | 'N' string                           its name: savepoint, cursor, prepared statement, variable, object
 *             | 'W' string                           its value: SET
 *             | 'R' role(u8) dotted                  a relation
 *             | 'F' dotted                           a function called
 *             | 'G' string                           set_config sets this variable; empty: one that is not written as a literal
 *             | 'g' string                           and gives it this value; missing when that is not a literal
 *             | 'P' dotted                           an operator that is not one of the plain arithmetic ones
 *             | 'C' name                             a column named
 *             | 'H' fingerprint(u64)                 only when asked
 *             | 'T' string                           the normalized text, only when asked
 *             | 't' string                           the beginning of one that is too long
 *   string    = length(varint, little endian base 128) bytes
 *   dotted    = skip(varint) string                  "schema.name", where name begins skip bytes in; skip 0: no schema
 */
#pragma once
#include "postgres.h"
#include "nodes/parsenodes.h"

#define RECORD_VERSION 1
#define MARK_CUT 1
#define MARK_UNKNOWN 2

/* Flags of 'V'. */
#define F_NESTED 1     /* inside another statement */
#define F_UNBOUNDED 2  /* UPDATE or DELETE of all rows, or an ALTER TABLE that drops a column */
#define F_RETURNING 4  /* a writing statement that returns rows */
#define F_LOCKS 8      /* FOR UPDATE and its kin */
#define F_INTO 16      /* SELECT INTO */
#define F_LOCAL 32     /* SET LOCAL; CURSOR WITH HOLD; COMMIT AND CHAIN */
#define F_ALL 64       /* ALL was written in place of a name */
#define F_POSITIVE 128 /* GRANT rather than REVOKE; PROCEDURE rather than FUNCTION; VACUUM rather than ANALYZE */

/* Roles of 'R'. */
#define ROLE_READ 'r'
#define ROLE_WRITE 'w'
#define ROLE_CREATE 'c'
#define ROLE_DROP 'd'
#define ROLE_LOCK 'l'
#define ROLE_UTILITY 'u'

void record_begin(unsigned char *out, int capacity);
int record_end(void);
/* record_forget comes between two records. */
void record_forget(void);
bool record_marked(void);
void record_mark(int mark);
void record_statement(void);
void record_verb(int kind, int flags, int sub);
void record_string(char tag, const char *s, int length);
void record_relation(char role, const char *schema, const char *name);
void record_dotted(char tag, const char *schema, const char *name);
void record_qualified(char tag, const List *name);
void record_column(const char *name);
void record_normalized(const char *text, int length);
void record_fingerprint(uint64_t fingerprint);
