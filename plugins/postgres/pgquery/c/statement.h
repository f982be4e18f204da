/* What one statement adds to the record by itself, before its parts are walked. */
#pragma once
#include "record.h"

#define NOT_A_STATEMENT (-1)

/* AS gives a node its type. */
#define AS(type) const type *s = node

enum
{
#define KIND(code, type) K_##type = code,
#include "kinds.h"
#undef KIND
};

/* statement_kind gives the code of kinds.h, NOT_A_STATEMENT for a node that is not listed there. */
int statement_kind(NodeTag tag);

/* statement_record writes the 'V' of a statement, its name and value, and the targets that are not RangeVars. */
void statement_record(const void *node, int flags);

/* object_record writes a statement about an object or a role; false: it has neither name nor flags. */
bool object_record(const void *node, int flags);

/* record_named writes a 'V' with its name, which may be missing. */
void record_named(int kind, int flags, int sub, const char *name);

/* record_into writes the relation that SELECT INTO or CREATE TABLE AS makes. */
void record_into(const IntoClause *clause);
