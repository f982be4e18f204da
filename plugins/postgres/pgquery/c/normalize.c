/* libpg_query normalizes what raw_expression_tree_walker knows and catches the error that it raises for the rest. Without longjmp
 * that error would end everything, so the walker is asked first whether it knows a node. */
#include "normalize.h"
#include "nodes/nodes.h"
#include "nodes/nodeFuncs.h"

extern bool pg_query_raw_tree_walker_supports(Node *node);

static bool guarded_walker(Node *node, bool (*walker)(), void *context)
{
	if (node == NULL || !pg_query_raw_tree_walker_supports(node))
		return false;
	return raw_expression_tree_walker_impl(node, (tree_walker_callback) walker, context);
}

#undef raw_expression_tree_walker
#define raw_expression_tree_walker(node, walker, context) guarded_walker((Node *) (node), (bool (*)()) (walker), context)
#include "pg_query_normalize.c"

char *normalize_text(const char *text, int *length, List *tree)
{
	pgssConstLocations state = {0};
	state.clocations_buf_size = 32;
	state.clocations = palloc(state.clocations_buf_size * sizeof(pgssLocationLen));
	state.highest_normalize_param_id = 1;
	state.query = text;
	state.query_len = *length;
	const_record_walker((Node *) tree, &state);
	return generate_normalized_query(&state, 0, length, PG_UTF8);
}
