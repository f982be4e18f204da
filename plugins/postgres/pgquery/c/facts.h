/* Walking the raw tree. */
#pragma once
#include "record.h"

/* facts_record writes the record of a list of RawStmt. */
void facts_record(const List *statements);

/* facts_names_column says whether a column is named anywhere below node. Nothing is recorded. */
bool facts_names_column(const Node *node);

/* facts_pinned gives the only value that a column can have in the target list around the node that is being visited: with
 * SELECT f(a) FROM t WHERE a = 'x' that is x. NULL: it can have several, or value is not a column. */
const char *facts_pinned(const Node *value);

/* condition_admits_all says whether a WHERE clause is missing, constant true, or names no column of any row, so that what it
 * admits does not depend on the row: all or nothing. A plainly false one does not count. */
bool condition_admits_all(const Node *where);
