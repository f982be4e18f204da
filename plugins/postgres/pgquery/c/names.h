/* What a node names by itself. */
#pragma once
#include "record.h"

/* record_calls records the functions and operators that a node calls. */
void record_calls(const void *node);

/* record_columns records the columns that a node names; ColumnRef is not its business. */
void record_columns(const void *node, NodeTag parent);

/* record_names records columns that the grammar keeps as plain strings: COPY t (a, b), JOIN ... USING (a). */
void record_names(const List *names);
