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

void record_calls(const void *node)
{
	switch (nodeTag(node))
	{
		case T_FuncCall:
			record_qualified('F', ((const FuncCall *) node)->funcname);
			record_setting(node);
			break;
		case T_RangeTableSample:
			record_qualified('F', ((const RangeTableSample *) node)->method);
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
