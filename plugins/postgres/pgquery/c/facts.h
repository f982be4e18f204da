/* Walking the raw tree. */
#pragma once
#include "record.h"

/* facts_record writes the record of a list of RawStmt. */
void facts_record(const List *statements);

/* facts_names_column says whether a column is named anywhere below node. Nothing is recorded. */
bool facts_names_column(const Node *node);

/* condition_admits_all says whether a WHERE clause is missing, constant true, or names no column of any row, so that what it
 * admits does not depend on the row: all or nothing. A plainly false one does not count. */
bool condition_admits_all(const Node *where);
