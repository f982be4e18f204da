/* The walk over the raw tree, generic through libpg_query's generated out-functions: they know each field of each node type, and
 * the macros below turn "write this field" into "visit this child". So nothing is out of sight; what a node adds to the record
 * is decided in one switch, and a node type that libpg_query does not list marks the record as unknown. */
#include "facts.h"
#include "names.h"
#include "statement.h"

#include "nodes/plannodes.h"
#include "nodes/value.h"

/* Deeper trees are marked unknown instead of walked: depth is an attack on the stack of whoever walks. */
#define MAX_DEPTH 2500

/* A level of WITH names. In a list without RECURSIVE a query sees the names before its own only. */
typedef struct Scope
{
	struct Scope *up;
	const List *names;
	int limit;
} Scope;

static Scope *scope;
static NodeTag parent;      /* the node whose field is being visited */
static const void *parent_node;
static const char *field;   /* its name */
static int depth;           /* of nodes */
static int statements;      /* open statements around this node */
static const SelectStmt *selecting; /* the innermost query around this node */
static bool counting;       /* facts_names_column: count columns, record nothing */
static int columns;

static void visit(const void *node);

static void visit_field(const char *name, const void *node)
{
	field = name;
	visit(node);
}

static void visit_list(const char *name, const List *list)
{
	const ListCell *cell;
	foreach (cell, list)
	{
		field = name;
		visit(lfirst(cell));
	}
}

/* enter and leave bracket the fields of one node. */
typedef struct Saved
{
	NodeTag parent;
	const void *node;
	const char *field;
} Saved;

static Saved enter(NodeTag tag, const void *node)
{
	Saved saved = {parent, parent_node, field};
	parent = tag;
	parent_node = node;
	return saved;
}

static void leave(Saved saved)
{
	parent = saved.parent;
	parent_node = saved.node;
	field = saved.field;
}

#define OUT_TYPE(type, c_type) void *
#define WRITE_INT_FIELD(name, json, field)
#define WRITE_UINT_FIELD(name, json, field)
#define WRITE_UINT64_FIELD(name, json, field)
#define WRITE_LONG_FIELD(name, json, field)
#define WRITE_FLOAT_FIELD(name, json, field)
#define WRITE_BOOL_FIELD(name, json, field)
#define WRITE_CHAR_FIELD(name, json, field)
#define WRITE_STRING_FIELD(name, json, field)
#define WRITE_ENUM_FIELD(type, name, json, field)
#define WRITE_BITMAPSET_FIELD(name, json, field)
#define WRITE_LIST_FIELD(name, json, fld) if (node->fld != NULL) visit_list(#fld, (const List *) node->fld);
#define WRITE_NODE_FIELD(name, json, fld) visit_field(#fld, &node->fld);
#define WRITE_NODE_PTR_FIELD(name, json, fld) if (node->fld != NULL) visit_field(#fld, node->fld);
#define WRITE_SPECIFIC_NODE_FIELD(type, under, name, json, fld) \
	{ Saved saved = enter(T_##type, &node->fld); _out##type(out, &node->fld); leave(saved); }
#define WRITE_SPECIFIC_NODE_PTR_FIELD(type, under, name, json, fld) if (node->fld != NULL) visit_field(#fld, node->fld);

/* Functions stay apart: merged into one they would share one huge stack frame at each level. */
#pragma clang attribute push(__attribute__((noinline)), apply_to = function)
static void _outIntList(void *out, const List *node) {}
static void _outOidList(void *out, const List *node) {}
static void _outInteger(void *out, const Integer *node) {}
static void _outBoolean(void *out, const Boolean *node) {}
static void _outFloat(void *out, const Float *node) {}
static void _outString(void *out, const String *node) {}
static void _outBitString(void *out, const BitString *node) {}
static void _outAConst(void *out, const A_Const *node) {}
static void _outList(void *out, const List *node)
{
	const char *name = field;
	visit_list(name, node);
}
#include "pg_query_outfuncs_defs.c"
#pragma clang attribute pop

/* A list is transparent: what is in it belongs to the node that holds the list. */
#define OUT_NODE(type, c_type, under, upper, cast, fld) \
	{ \
		if (T_##cast == T_List) \
			_out##c_type(NULL, (const void *) node); \
		else { Saved saved = enter(T_##cast, node); _out##c_type(NULL, (const cast *) node); leave(saved); } \
	}
#define T_IntList_ T_IntList

static void visit_generic(const void *node)
{
	switch (nodeTag(node))
	{
#include "pg_query_outfuncs_conds.c"
		default:
			record_mark(MARK_UNKNOWN);
	}
}

static bool is_cte(const char *name)
{
	for (const Scope *s = scope; s != NULL; s = s->up)
	{
		int i = 0;
		const ListCell *cell;
		foreach (cell, s->names)
		{
			if (i++ >= s->limit)
				break;
			if (strcmp(((CommonTableExpr *) lfirst(cell))->ctename, name) == 0)
				return true;
		}
	}
	return false;
}

/* role_here says what the node around a RangeVar does with the relation; 0: it is not a relation. What is not listed is a
 * utility's target, which counts as written. */
static char role_here(void)
{
	switch (parent)
	{
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
		case T_MergeStmt:
			return strcmp(field, "relation") == 0 ? ROLE_WRITE : ROLE_READ;
		case T_SelectStmt:
		case T_JoinExpr:
		case T_RangeTableSample:
		case T_TableLikeClause:
		case T_Constraint:
		case T_PublicationTable:
			return ROLE_READ;
		case T_CreateStmt:
			return strcmp(field, "relation") == 0 ? ROLE_CREATE : ROLE_READ;
		case T_CreateTrigStmt:
			return strcmp(field, "relation") == 0 ? ROLE_UTILITY : ROLE_READ;
		case T_IntoClause: /* recorded with its statement */
			return 0;
		case T_ViewStmt:
		case T_CreateSeqStmt:
		case T_CompositeTypeStmt:
		case T_ImportForeignSchemaStmt:
			return ROLE_CREATE;
		case T_CopyStmt:
			return ((const CopyStmt *) parent_node)->is_from ? ROLE_WRITE : ROLE_READ;
		case T_TruncateStmt:
			return ROLE_WRITE;
		case T_LockStmt:
			return ROLE_LOCK;
		case T_LockingClause:      /* FOR UPDATE OF: an alias in FROM, which is recorded there */
		case T_ConstraintsSetStmt: /* names of constraints */
			return 0;
		default:
			return ROLE_UTILITY;
	}
}

static void visit_relation(const RangeVar *relation)
{
	char role = role_here();
	if (role == 0 || (role == ROLE_READ && relation->schemaname == NULL && is_cte(relation->relname)))
		return;
	record_relation(role, relation->schemaname, relation->relname);
	if (relation->alias != NULL && relation->alias->colnames != NIL)
		record_column("*");
}

static void visit_column(const ColumnRef *column)
{
	const Node *last;
	columns++;
	if (counting || column->fields == NIL)
		return;
	last = llast(column->fields);
	if (IsA(last, String))
		record_column(strVal(last));
	else if (IsA(last, A_Star))
		record_column("*");
	else
		record_mark(MARK_UNKNOWN);
}

/* visit_with walks the queries of a WITH list, each seeing the names that it may use. */
static void visit_with(const WithClause *with)
{
	Saved saved = enter(T_WithClause, with);
	int i = 0;
	const ListCell *cell;
	foreach (cell, with->ctes)
	{
		if (!with->recursive && scope != NULL)
			scope->limit = i;
		i++;
		visit_field("ctes", lfirst(cell));
	}
	if (scope != NULL)
		scope->limit = PG_INT32_MAX;
	leave(saved);
}

static bool is_member(const List *list, const void *node)
{
	const ListCell *cell;
	foreach (cell, list)
		if (lfirst(cell) == node)
			return true;
	return false;
}

const char *facts_pinned(const Node *value)
{
	const SelectStmt *s = selecting;
	if (value == NULL || !IsA(value, ColumnRef) || list_length(((const ColumnRef *) value)->fields) != 1)
		return NULL;
	if (s == NULL || parent != T_ResTarget || !is_member(s->targetList, parent_node) || list_length(s->fromClause) != 1)
		return NULL;
	const A_Expr *e = (const A_Expr *) s->whereClause;
	if (e == NULL || !IsA(e, A_Expr) || e->kind != AEXPR_OP || list_length(e->name) != 1 || strcmp(strVal(linitial(e->name)), "=") != 0)
		return NULL;
	const A_Const *c = (const A_Const *) e->rexpr;
	if (!equal(e->lexpr, value) || c == NULL || !IsA(c, A_Const) || c->isnull || nodeTag(&c->val) != T_String)
		return NULL;
	return c->val.sval.sval;
}

static void visit_statement(const void *node, const WithClause *with, bool silent)
{
	Scope level = {scope, NULL, PG_INT32_MAX};
	const SelectStmt *outer = selecting;
	selecting = IsA(node, SelectStmt) ? node : NULL;
	if (with != NULL)
	{
		level.names = with->ctes;
		scope = &level;
	}
	if (!silent && !counting)
		statement_record(node, statements > 0 ? F_NESTED : 0);
	if (!counting)
	{
		if (IsA(node, CopyStmt))
			record_names(((const CopyStmt *) node)->attlist);
		else if (IsA(node, RenameStmt) && ((const RenameStmt *) node)->renameType == OBJECT_COLUMN)
			record_column(((const RenameStmt *) node)->subname);
	}
	statements++;
	visit_generic(node);
	statements--;
	selecting = outer;
	scope = level.up;
}

/* is_arm: the arms of a UNION and the VALUES of an INSERT are parts of the statement around them. */
static bool is_arm(const SelectStmt *select)
{
	if (select->lockingClause != NIL || select->intoClause != NULL)
		return false;
	return (parent == T_SelectStmt && (!strcmp(field, "larg") || !strcmp(field, "rarg"))) ||
		   (parent == T_InsertStmt && select->valuesLists != NIL);
}

static void visit_node(const void *node)
{
	switch (nodeTag(node))
	{
		case T_A_Const:
		case T_ParamRef:
		case T_String:
		case T_Integer:
		case T_Float:
		case T_Boolean:
		case T_BitString:
		case T_A_Star:
			return;
		case T_Alias: /* FROM t AS x(a, b): which columns these are cannot be seen */
			if (!counting && ((const Alias *) node)->colnames != NIL)
				record_column("*");
			return;
		case T_ColumnRef:
			visit_column(node);
			return;
		case T_TypeName:
			if (((const TypeName *) node)->typmods == NIL)
				return;
			break;
		case T_RangeVar:
			if (!counting)
				visit_relation(node);
			return;
		case T_WithClause:
			visit_with(node);
			return;
		case T_SelectStmt:
			visit_statement(node, ((const SelectStmt *) node)->withClause, is_arm(node));
			return;
		case T_InsertStmt:
			visit_statement(node, ((const InsertStmt *) node)->withClause, false);
			return;
		case T_UpdateStmt:
			visit_statement(node, ((const UpdateStmt *) node)->withClause, false);
			return;
		case T_DeleteStmt:
			visit_statement(node, ((const DeleteStmt *) node)->withClause, false);
			return;
		case T_MergeStmt:
			visit_statement(node, ((const MergeStmt *) node)->withClause, false);
			return;
		default:
			if (statement_kind(nodeTag(node)) != NOT_A_STATEMENT)
			{
				visit_statement(node, NULL, false);
				return;
			}
	}
	if (!counting)
	{
		record_calls(node);
		record_columns(node, parent);
	}
	visit_generic(node);
}

static void visit(const void *node)
{
	if (node == NULL)
		return;
	if (depth >= MAX_DEPTH)
	{
		record_mark(MARK_UNKNOWN);
		return;
	}
	depth++;
	visit_node(node);
	depth--;
}

bool facts_names_column(const Node *node)
{
	int before = columns;
	bool outer = counting;
	counting = true;
	visit(node);
	counting = outer;
	return columns != before;
}

void facts_record(const List *list)
{
	const ListCell *cell;
	scope = NULL;
	parent = T_RawStmt;
	field = "stmt";
	depth = statements = columns = 0;
	counting = false;
	selecting = NULL;
	foreach (cell, list)
	{
		record_statement();
		visit(((const RawStmt *) lfirst(cell))->stmt);
	}
}
