/* Statements on rows, and those that the session keeps books about. */
#include "statement.h"
#include "facts.h"

int statement_kind(NodeTag tag)
{
	switch (tag)
	{
#define KIND(code, type) \
	case T_##type: \
		return code;
#include "kinds.h"
#undef KIND
		default:
			return NOT_A_STATEMENT;
	}
}

static int merge_flags(const MergeStmt *s)
{
	bool all = condition_admits_all(s->joinCondition);
	int flags = s->returningList ? F_RETURNING : 0;
	const ListCell *cell;
	foreach (cell, s->mergeWhenClauses)
	{
		const MergeWhenClause *when = lfirst(cell);
		if (when->commandType != CMD_DELETE && when->commandType != CMD_UPDATE)
			continue;
		if ((all || when->matchKind == MERGE_WHEN_NOT_MATCHED_BY_SOURCE) && condition_admits_all(when->condition))
			flags |= F_UNBOUNDED;
	}
	return flags;
}

static int merge_actions(const MergeStmt *s)
{
	int actions = 0;
	const ListCell *cell;
	foreach (cell, s->mergeWhenClauses)
		if (((const MergeWhenClause *) lfirst(cell))->commandType == CMD_DELETE)
			actions |= 1;
	return actions;
}

static bool has_option(const List *options, const char *name)
{
	const ListCell *cell;
	foreach (cell, options)
	{
		const DefElem *option = lfirst(cell);
		if (IsA(option, DefElem) && option->defname && strcmp(option->defname, name) == 0)
			return true;
	}
	return false;
}

/* variable records the name and value of SET. */
static void variable(const VariableSetStmt *s, int flags)
{
	StringInfoData value;
	const ListCell *cell;

	flags |= (s->is_local ? F_LOCAL : 0) | (s->kind == VAR_RESET_ALL ? F_ALL : 0);
	record_verb(K_VariableSetStmt, flags, s->kind);
	record_string('N', s->name, -1);
	if (s->kind != VAR_SET_VALUE || s->args == NIL)
		return;
	initStringInfo(&value);
	foreach (cell, s->args)
	{
		const Node *arg = lfirst(cell);
		if (value.len > 0)
			appendStringInfoString(&value, ", ");
		if (IsA(arg, TypeCast))
			arg = ((const TypeCast *) arg)->arg;
		if (!IsA(arg, A_Const))
			continue;
		const A_Const *c = (const A_Const *) arg;
		if (c->isnull)
			continue;
		switch (nodeTag(&c->val))
		{
			case T_String:
				appendStringInfoString(&value, c->val.sval.sval);
				break;
			case T_Integer:
				appendStringInfo(&value, "%d", c->val.ival.ival);
				break;
			case T_Float:
				appendStringInfoString(&value, c->val.fval.fval);
				break;
			case T_Boolean:
				appendStringInfoString(&value, c->val.boolval.boolval ? "on" : "off");
				break;
			default:;
		}
	}
	record_string('W', value.data, value.len);
}

/* statement_session writes the statements that the session keeps books about; false: it is none of them. */
static bool statement_session(const void *node, int flags)
{
	switch (nodeTag(node))
	{
		case T_TransactionStmt:
		{
			AS(TransactionStmt);
			record_named(K_TransactionStmt, flags | (s->chain ? F_LOCAL : 0), s->kind, s->savepoint_name ? s->savepoint_name : s->gid);
			return true;
		}
		case T_VariableSetStmt:
			variable(node, flags);
			return true;
		case T_VariableShowStmt:
			record_named(K_VariableShowStmt, flags, 0, ((const VariableShowStmt *) node)->name);
			return true;
		case T_PrepareStmt:
			record_named(K_PrepareStmt, flags, 0, ((const PrepareStmt *) node)->name);
			return true;
		case T_ExecuteStmt:
			record_named(K_ExecuteStmt, flags, 0, ((const ExecuteStmt *) node)->name);
			return true;
		case T_DeallocateStmt:
		{
			AS(DeallocateStmt);
			record_named(K_DeallocateStmt, flags | (s->name ? 0 : F_ALL), 0, s->name);
			return true;
		}
		case T_DeclareCursorStmt:
		{
			AS(DeclareCursorStmt);
			record_named(K_DeclareCursorStmt, flags | (s->options & CURSOR_OPT_HOLD ? F_LOCAL : 0), 0, s->portalname);
			return true;
		}
		case T_FetchStmt:
			record_named(K_FetchStmt, flags, ((const FetchStmt *) node)->ismove, ((const FetchStmt *) node)->portalname);
			return true;
		case T_ClosePortalStmt:
		{
			AS(ClosePortalStmt);
			record_named(K_ClosePortalStmt, flags | (s->portalname ? 0 : F_ALL), 0, s->portalname);
			return true;
		}
		case T_CopyStmt:
		{
			AS(CopyStmt);
			record_verb(K_CopyStmt, flags, (s->is_from ? 1 : 0) | (s->is_program ? 2 : 0) | (s->filename ? 4 : 0));
			return true;
		}
		case T_LockStmt:
			record_verb(K_LockStmt, flags, ((const LockStmt *) node)->mode);
			return true;
		case T_ListenStmt:
			record_named(K_ListenStmt, flags, 0, ((const ListenStmt *) node)->conditionname);
			return true;
		case T_UnlistenStmt:
		{
			AS(UnlistenStmt);
			record_named(K_UnlistenStmt, flags | (s->conditionname ? 0 : F_ALL), 0, s->conditionname);
			return true;
		}
		case T_NotifyStmt:
			record_named(K_NotifyStmt, flags, 0, ((const NotifyStmt *) node)->conditionname);
			return true;
		case T_DiscardStmt:
			record_verb(K_DiscardStmt, flags, ((const DiscardStmt *) node)->target);
			return true;
		default:
			return false;
	}
}

/* statement_data writes the statements that work on rows; false: it is none of them. */
static bool statement_data(const void *node, int flags)
{
	switch (nodeTag(node))
	{
		case T_SelectStmt:
		{
			AS(SelectStmt);
			record_verb(K_SelectStmt, flags | (s->lockingClause ? F_LOCKS : 0) | (s->intoClause ? F_INTO : 0), 0);
			record_into(s->intoClause);
			return true;
		}
		case T_InsertStmt:
		{
			AS(InsertStmt);
			record_verb(K_InsertStmt, flags | (s->returningList ? F_RETURNING : 0), 0);
			return true;
		}
		case T_UpdateStmt:
		{
			AS(UpdateStmt);
			flags |= condition_admits_all(s->whereClause) ? F_UNBOUNDED : 0;
			record_verb(K_UpdateStmt, flags | (s->returningList ? F_RETURNING : 0), s->whereClause != NULL);
			return true;
		}
		case T_DeleteStmt:
		{
			AS(DeleteStmt);
			flags |= condition_admits_all(s->whereClause) ? F_UNBOUNDED : 0;
			record_verb(K_DeleteStmt, flags | (s->returningList ? F_RETURNING : 0), s->whereClause != NULL);
			return true;
		}
		case T_MergeStmt:
			record_verb(K_MergeStmt, flags | merge_flags(node), merge_actions(node));
			return true;
		case T_ExplainStmt:
			record_verb(K_ExplainStmt, flags, has_option(((const ExplainStmt *) node)->options, "analyze"));
			return true;
		default:
			return false;
	}
}

void statement_record(const void *node, int flags)
{
	if (!statement_data(node, flags) && !statement_session(node, flags) && !object_record(node, flags))
		record_verb(statement_kind(nodeTag(node)), flags, 0);
}
