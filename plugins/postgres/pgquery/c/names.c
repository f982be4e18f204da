/* The functions, operators and columns that a node names by itself. */
#include "names.h"
#include "facts.h"

/* record_names records columns that the grammar keeps as plain strings: COPY t (a, b), JOIN ... USING (a). */
void record_names(const List *names)
{
	const ListCell *cell;
	foreach (cell, names)
		if (lfirst(cell) != NULL && IsA(lfirst(cell), String))
			record_column(strVal(lfirst(cell)));
}

/* record_operator records what could be a user's operator. The plain ones are left out, because they are everywhere. */
static void record_operator(const List *name)
{
	if (name == NIL)
		return;
	if (list_length(name) == 1)
	{
		const char *op = strVal(linitial(name));
		if (op[0] != 0 && op[1] == 0 && strchr("=<>+-*/%", op[0]))
			return;
		if ((op[0] == '<' || op[0] == '>') && op[2] == 0 && (op[1] == '=' || (op[0] == '<' && op[1] == '>')))
			return;
	}
	record_qualified('P', name);
}

static const char *literal(const Node *node)
{
	const A_Const *c = (const A_Const *) node;
	return c != NULL && IsA(c, A_Const) && !c->isnull && nodeTag(&c->val) == T_String ? c->val.sval.sval : NULL;
}

/* record_setting records which variable set_config sets, and to what; without a name, or a value, when that is computed. */
static void record_setting(const FuncCall *call)
{
	const char *name = NULL, *value = NULL;
	const ListCell *cell;
	bool plain = list_length(call->args) == 3 && !call->func_variadic;

	if (call->funcname == NIL || !IsA(llast(call->funcname), String) || strcmp(strVal(llast(call->funcname)), "set_config") != 0)
		return;
	foreach (cell, call->args)
		if (IsA(lfirst(cell), NamedArgExpr))
			plain = false;
	if (plain)
	{
		name = literal(linitial(call->args));
		if (name == NULL)
			name = facts_pinned(linitial(call->args));
		value = literal(lsecond(call->args));
	}
	record_string('G', name != NULL ? name : "", -1);
	record_string('g', value, -1);
}

/* keyword_call is the function that a node is for servers that do not have its syntax yet: to PostgreSQL 15, json_value(a, 'x') calls a
 * function of that name. NULL: it is no such node. */
static const char *keyword_call(const void *node)
{
	switch (nodeTag(node))
	{
		case T_JsonFuncExpr:
			switch (((const JsonFuncExpr *) node)->op)
			{
				case JSON_EXISTS_OP:
					return "json_exists";
				case JSON_QUERY_OP:
					return "json_query";
				case JSON_VALUE_OP:
					return "json_value";
				default:
					return NULL;
			}
		case T_JsonParseExpr:
			return "json";
		case T_JsonScalarExpr:
			return "json_scalar";
		case T_JsonSerializeExpr:
			return "json_serialize";
		case T_JsonArrayConstructor:
			return "json_array";
		case T_JsonArrayAgg:
			return "json_arrayagg";
		case T_MergeSupportFunc:
			return "merge_action";
		default:
			return NULL;
	}
}

/* record_sampling records the method of TABLESAMPLE, but for the two that every server has: as functions they cannot be called, and who
 * calls a function of their name calls another one (system is the usual name of one that runs a shell). */
static void record_sampling(const List *method)
{
	const char *name = strVal(llast(method));
	bool own = list_length(method) == 1 || (list_length(method) == 2 && strcmp(strVal(linitial(method)), "pg_catalog") == 0);
	if (!own || (strcmp(name, "system") != 0 && strcmp(name, "bernoulli") != 0))
		record_qualified('F', method);
}

void record_calls(const void *node)
{
	const char *keyword = keyword_call(node);
	if (keyword != NULL)
		record_dotted('F', "", keyword);
	switch (nodeTag(node))
	{
		case T_FuncCall:
			record_qualified('F', ((const FuncCall *) node)->funcname);
			record_setting(node);
			break;
		case T_RangeTableSample:
			record_sampling(((const RangeTableSample *) node)->method);
			break;
		case T_A_Expr:
			if (((const A_Expr *) node)->kind <= AEXPR_OP_ALL)
				record_operator(((const A_Expr *) node)->name);
			break;
		case T_SubLink:
			record_operator(((const SubLink *) node)->operName);
			break;
		case T_SortBy:
			record_operator(((const SortBy *) node)->useOp);
			break;
		default:;
	}
}

/* record_columns records the columns that nodes other than ColumnRef name. */
void record_columns(const void *node, NodeTag parent)
{
	switch (nodeTag(node))
	{
		case T_ResTarget:
			if (parent == T_InsertStmt || parent == T_UpdateStmt || parent == T_OnConflictClause || parent == T_MergeWhenClause)
				record_column(((const ResTarget *) node)->name);
			break;
		case T_A_Indirection:
			record_names(((const A_Indirection *) node)->indirection);
			break;
		case T_JoinExpr:
			record_names(((const JoinExpr *) node)->usingClause);
			break;
		case T_IndexElem:
			record_column(((const IndexElem *) node)->name);
			break;
		case T_ColumnDef:
			record_column(((const ColumnDef *) node)->colname);
			break;
		case T_AccessPriv:
			record_names(((const AccessPriv *) node)->cols);
			break;
		case T_VacuumRelation:
			record_names(((const VacuumRelation *) node)->va_cols);
			break;
		case T_Constraint:
			record_names(((const Constraint *) node)->keys);
			record_names(((const Constraint *) node)->fk_attrs);
			record_names(((const Constraint *) node)->pk_attrs);
			break;
		case T_AlterTableCmd:
		{
			const AlterTableCmd *cmd = node;
			if (cmd->subtype == AT_DropColumn || cmd->subtype == AT_AlterColumnType || cmd->subtype == AT_ColumnDefault ||
				cmd->subtype == AT_SetNotNull || cmd->subtype == AT_DropNotNull)
				record_column(cmd->name);
			break;
		}
		default:;
	}
}
