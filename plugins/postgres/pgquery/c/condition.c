/* Is a condition constant true? Not every tautology is found (no prover would), but the usual ones are: a missing clause, TRUE,
 * 1=1, NOT FALSE, id = id, t.id = id, f(id) = f(id), id IN (id), id BETWEEN id AND id, 'a' <> 'b', x LIKE '%', x ~ '', x IS NULL OR x IS NOT NULL, ctid IS NOT NULL, EXISTS of what is there in any
 * case, their combinations, and whatever names no column. What is true of each row that there is (length(x) >= 0, IS NOT NULL of a column that never is null) is not known here. */
#include "facts.h"

typedef enum Truth
{
	TRUTH_FALSE, /* plainly false or null */
	TRUTH_TRUE,  /* plainly true */
	TRUTH_CONST, /* the same for each row, but not known here: a parameter, now() > '2020-01-01' */
	TRUTH_ROW,   /* depends on the row */
} Truth;

static Truth truth(const Node *node, int depth);

static Truth other(const Node *node) { return facts_names_column(node) ? TRUTH_ROW : TRUTH_CONST; }
static Truth of(bool value) { return value ? TRUTH_TRUE : TRUTH_FALSE; }

static Truth negated(Truth t)
{
	return t == TRUTH_TRUE ? TRUTH_FALSE : t == TRUTH_FALSE ? TRUTH_TRUE : t;
}

static Truth of_constant(const A_Const *c)
{
	if (c->isnull)
		return TRUTH_FALSE;
	switch (nodeTag(&c->val))
	{
		case T_Boolean:
			return of(c->val.boolval.boolval);
		case T_Integer:
			return of(c->val.ival.ival != 0);
		case T_String:
		{
			const char *s = c->val.sval.sval;
			while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
				s++;
			bool off = (s[0] == 'o' || s[0] == 'O') && (s[1] == 'f' || s[1] == 'F');
			return of(!(off || *s == 'f' || *s == 'F' || *s == 'n' || *s == 'N' || *s == '0'));
		}
		default:
			return TRUTH_CONST;
	}
}

/* same_column compares names, of which one may have its table or schema before it. */
static bool same_column(const Node *a, const Node *b)
{
	if (!a || !b || !IsA(a, ColumnRef) || !IsA(b, ColumnRef))
		return false;
	const List *x = ((ColumnRef *) a)->fields, *y = ((ColumnRef *) b)->fields;
	int n = list_length(x), m = list_length(y);
	for (int i = 1; i <= n && i <= m; i++)
		if (!equal(list_nth(x, n - i), list_nth(y, m - i)))
			return false;
	return n > 0 && m > 0;
}

/* same: two expressions of the row that have the same value, but for functions that are never twice the same. */
static bool same(const Node *a, const Node *b) { return same_column(a, b) || (a && b && equal(a, b)); }

static bool any_same(const Node *a, const List *list)
{
	const ListCell *cell;
	foreach (cell, list)
		if (same(a, lfirst(cell)))
			return true;
	return false;
}

static const char *operator_of(const A_Expr *e) { return e->name && list_length(e->name) == 1 ? strVal(linitial(e->name)) : ""; }

/* opposite: where one of them is not true the other one is, or a value is null. */
static bool opposite(const Node *a, const Node *b)
{
	static const char *const pairs[][2] = {{"=", "<>"}, {"<", ">="}, {">", "<="}, {"~", "!~"}, {"~*", "!~*"}, {"~~", "!~~"}, {"~~*", "!~~*"}};
	if (IsA(a, NullTest) && IsA(b, NullTest))
		return ((NullTest *) a)->nulltesttype != ((NullTest *) b)->nulltesttype && same((Node *) ((NullTest *) a)->arg, (Node *) ((NullTest *) b)->arg);
	if (IsA(b, BoolExpr) && ((BoolExpr *) b)->boolop == NOT_EXPR && same(a, linitial(((BoolExpr *) b)->args)))
		return true;
	if (!IsA(a, A_Expr) || !IsA(b, A_Expr) || ((A_Expr *) a)->kind != ((A_Expr *) b)->kind)
		return false;
	const A_Expr *x = (A_Expr *) a, *y = (A_Expr *) b;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (!strcmp(operator_of(x), pairs[i][0]) && !strcmp(operator_of(y), pairs[i][1]))
			return same(x->lexpr, y->lexpr) && same(x->rexpr, y->rexpr);
	return false;
}

/* admits_opposites: an OR of two that are opposite. */
static bool admits_opposites(const List *args)
{
	const ListCell *a, *b;
	if (list_length(args) > 32)
		return false;
	foreach (a, args)
		foreach (b, args)
			if (a != b && opposite(lfirst(a), lfirst(b)))
				return true;
	return false;
}

static Truth of_bool_expr(const BoolExpr *e, int depth)
{
	const ListCell *cell;
	bool all_true = true, all_false = true, any_true = false, any_false = false, any_const = false, any_row = false;

	foreach (cell, e->args)
	{
		Truth t = truth(lfirst(cell), depth + 1);
		if (e->boolop == NOT_EXPR)
			return negated(t);
		all_true &= t == TRUTH_TRUE;
		all_false &= t == TRUTH_FALSE;
		any_true |= t == TRUTH_TRUE;
		any_false |= t == TRUTH_FALSE;
		any_const |= t == TRUTH_CONST;
		any_row |= t == TRUTH_ROW;
	}
	if (e->boolop == AND_EXPR)
		return any_false ? TRUTH_FALSE : any_row ? TRUTH_ROW : all_true ? TRUTH_TRUE : TRUTH_CONST;
	/* OR: one constant part that may be true is enough to admit all. */
	if (admits_opposites(e->args))
		return TRUTH_TRUE;
	return any_true ? TRUTH_TRUE : any_const ? TRUTH_CONST : all_false ? TRUTH_FALSE : TRUTH_ROW;
}

/* compare orders two literals of one kind: -1, 0, 1; 2 when it cannot. */
static int compare(const Node *a, const Node *b)
{
	if (a == NULL || b == NULL || !IsA(a, A_Const) || !IsA(b, A_Const))
		return 2;
	const A_Const *x = (A_Const *) a, *y = (A_Const *) b;
	if (x->isnull || y->isnull || nodeTag(&x->val) != nodeTag(&y->val))
		return 2;
	if (nodeTag(&x->val) == T_Integer)
		return x->val.ival.ival < y->val.ival.ival ? -1 : x->val.ival.ival > y->val.ival.ival;
	if (nodeTag(&x->val) == T_String && strcmp(x->val.sval.sval, y->val.sval.sval) == 0)
		return 0;
	return 2;
}

/* text_of is a constant text, or NULL. */
static const char *text_of(const Node *node)
{
	while (node && IsA(node, TypeCast))
		node = ((TypeCast *) node)->arg;
	const A_Const *c = (A_Const *) node;
	return node && IsA(node, A_Const) && !c->isnull && nodeTag(&c->val) == T_String ? c->val.sval.sval : NULL;
}

/* all_percent: a pattern of LIKE and SIMILAR TO that every text matches. */
static bool all_percent(const Node *pattern)
{
	if (pattern && IsA(pattern, FuncCall) && ((FuncCall *) pattern)->args) /* similar_to_escape, like_escape */
		pattern = linitial(((FuncCall *) pattern)->args);
	const char *s = text_of(pattern);
	return s && *s && s[strspn(s, "%")] == 0;
}

/* any_text: the usual regular expressions that every text matches. */
static bool any_text(const Node *pattern)
{
	static const char *const all[] = {"", ".*", "^", "$", "^.*", ".*$", "^.*$", "(.*)", "^(.*)$"};
	const char *s = text_of(pattern);
	for (size_t i = 0; s && i < sizeof all / sizeof *all; i++)
		if (!strcmp(s, all[i]))
			return true;
	return false;
}

/* of_same is an operator between a value and itself, or one of several of which it is one. */
static Truth of_same(const A_Expr *e, const char *op)
{
	const List *list = e->rexpr && IsA(e->rexpr, List) ? (List *) e->rexpr : NULL;
	switch (e->kind)
	{
		case AEXPR_IN:
			return !strcmp(op, "=") && any_same(e->lexpr, list) ? TRUTH_TRUE : TRUTH_ROW;
		case AEXPR_OP_ANY:
			return !strcmp(op, "=") && e->rexpr && IsA(e->rexpr, A_ArrayExpr) && any_same(e->lexpr, ((A_ArrayExpr *) e->rexpr)->elements) ? TRUTH_TRUE : TRUTH_ROW;
		case AEXPR_NOT_DISTINCT:
			return same(e->lexpr, e->rexpr) ? TRUTH_TRUE : TRUTH_ROW;
		case AEXPR_BETWEEN:
		case AEXPR_BETWEEN_SYM:
			return list && list_length(list) == 2 && same(e->lexpr, linitial(list)) && same(e->lexpr, lsecond(list)) ? TRUTH_TRUE : TRUTH_ROW;
		default:
			return TRUTH_ROW;
	}
}

static Truth of_operator(const A_Expr *e)
{
	const char *op = operator_of(e);
	if (e->kind == AEXPR_LIKE || e->kind == AEXPR_ILIKE || e->kind == AEXPR_SIMILAR)
		return op[0] == '~' && all_percent(e->rexpr) ? TRUTH_TRUE : other((Node *) e);
	if (e->kind != AEXPR_OP)
		return of_same(e, op) == TRUTH_TRUE ? TRUTH_TRUE : other((Node *) e);
	if ((!strcmp(op, "~") || !strcmp(op, "~*")) && any_text(e->rexpr))
		return TRUTH_TRUE;

	bool less = !strcmp(op, "<"), more = !strcmp(op, ">"), equals = !strcmp(op, "=");
	bool differs = !strcmp(op, "<>"), at_most = !strcmp(op, "<="), at_least = !strcmp(op, ">=");
	if (!(less || more || equals || differs || at_most || at_least))
		return other((Node *) e);
	if (same_column(e->lexpr, e->rexpr))
		return of(equals || at_most || at_least);
	int order = compare(e->lexpr, e->rexpr);
	if (order != 2)
		return of(order < 0 ? less || at_most || differs : order > 0 ? more || at_least || differs : equals || at_most || at_least);
	if ((equals || at_most || at_least) && same(e->lexpr, e->rexpr))
		return TRUTH_TRUE;
	return other((Node *) e);
}

/* of_null_test: what is never null is found by its name or its kind. */
static Truth of_null_test(const NullTest *e)
{
	static const char *const system[] = {"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"};
	const Node *arg = (Node *) e->arg;
	bool never = arg && (IsA(arg, NullTest) || IsA(arg, BooleanTest));
	if (arg && IsA(arg, ColumnRef))
	{
		const Node *last = llast(((ColumnRef *) arg)->fields);
		for (size_t i = 0; IsA(last, String) && i < sizeof system / sizeof *system; i++)
			never |= !strcmp(strVal(last), system[i]);
	}
	return never ? of(e->nulltesttype == IS_NOT_NULL) : other((Node *) e);
}

/* of_exists: a query of tables without a condition has a row for each row or for none. */
static Truth of_exists(const SubLink *e, int depth)
{
	const SelectStmt *q = (SelectStmt *) e->subselect;
	if (e->subLinkType != EXISTS_SUBLINK || !q || !IsA(q, SelectStmt) || q->op != SETOP_NONE || q->havingClause || q->limitOffset || q->limitCount || q->withClause || q->groupClause)
		return other((Node *) e);
	const ListCell *cell;
	foreach (cell, q->fromClause)
		if (!IsA(lfirst(cell), RangeVar))
			return other((Node *) e);
	Truth t = truth(q->whereClause, depth + 1);
	return t == TRUTH_TRUE ? TRUTH_CONST : t;
}

static Truth of_boolean_test(const BooleanTest *e, int depth)
{
	Truth t = truth((Node *) e->arg, depth + 1);
	if (t == TRUTH_ROW || t == TRUTH_CONST)
		return t;
	switch (e->booltesttype)
	{
		case IS_TRUE:
		case IS_NOT_FALSE:
			return t;
		case IS_NOT_TRUE:
		case IS_FALSE:
			return negated(t);
		default:
			return TRUTH_CONST;
	}
}

static Truth truth(const Node *node, int depth)
{
	if (node == NULL)
		return TRUTH_TRUE;
	if (depth > 200)
		return TRUTH_CONST;
	switch (nodeTag(node))
	{
		case T_A_Const:
			return of_constant((A_Const *) node);
		case T_TypeCast:
		{
			const TypeCast *cast = (TypeCast *) node;
			const List *type = cast->typeName ? cast->typeName->names : NULL;
			if (cast->arg && IsA(cast->arg, A_Const) && type && !strcmp(strVal(llast(type)), "bool"))
				return of_constant((A_Const *) cast->arg);
			return other(node);
		}
		case T_BoolExpr:
			return of_bool_expr((BoolExpr *) node, depth);
		case T_A_Expr:
			return of_operator((A_Expr *) node);
		case T_BooleanTest:
			return of_boolean_test((BooleanTest *) node, depth);
		case T_NullTest:
			return of_null_test((NullTest *) node);
		case T_SubLink:
			return of_exists((SubLink *) node, depth);
		case T_CurrentOfExpr:
			return TRUTH_ROW;
		default:
			return other(node);
	}
}

bool condition_admits_all(const Node *where)
{
	Truth t = truth(where, 0);
	return t == TRUTH_TRUE || t == TRUTH_CONST;
}
