/* The text of a statement with its constants replaced by parameters. */
#pragma once
#include "postgres.h"
#include "nodes/pg_list.h"

char *normalize_text(const char *text, int *length, List *tree);
