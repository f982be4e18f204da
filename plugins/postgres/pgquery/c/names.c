/* The functions, operators and columns that a node names by itself. */
#include "names.h"

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

/* record_setting records which variable set_config sets; without a name when that is not a plain literal. */
static void record_setting(const FuncCall *call)
{
	const A_Const *name = call->args != NIL ? linitial(call->args) : NULL;
	const ListCell *cell;

	if (call->funcname == NIL || !IsA(llast(call->funcname), String) || strcmp(strVal(llast(call->funcname)), "set_config") != 0)
		return;
	foreach (cell, call->args)
		if (IsA(lfirst(cell), NamedArgExpr))
			name = NULL;
	if (name != NULL && IsA(name, A_Const) && !name->isnull && nodeTag(&name->val) == T_String)
		record_string('G', name->val.sval.sval, -1);
	else
		record_string('G', "", 0);
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
