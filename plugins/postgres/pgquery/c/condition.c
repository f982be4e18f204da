/* Is a condition constant true? Not every tautology is found (no prover would), but the usual ones are: a missing clause, TRUE,
 * 1=1, NOT FALSE, id = id, 'a' <> 'b', x LIKE '%', their combinations, and whatever names no column. */
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
	return any_true ? TRUTH_TRUE : any_const ? TRUTH_CONST : all_false ? TRUTH_FALSE : TRUTH_ROW;
}

static bool same_column(const Node *a, const Node *b)
{
	return a && b && IsA(a, ColumnRef) && IsA(b, ColumnRef) && equal(((ColumnRef *) a)->fields, ((ColumnRef *) b)->fields);
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

static Truth of_operator(const A_Expr *e)
{
	const char *op = e->name && list_length(e->name) == 1 ? strVal(linitial(e->name)) : "";
	if (e->kind == AEXPR_LIKE || e->kind == AEXPR_ILIKE)
	{
		const A_Const *pattern = (A_Const *) e->rexpr;
		if (pattern && IsA(pattern, A_Const) && !pattern->isnull && nodeTag(&pattern->val) == T_String &&
			strcmp(pattern->val.sval.sval, "%") == 0 && op[0] == '~')
			return TRUTH_TRUE;
		return other((Node *) e);
	}
	if (e->kind != AEXPR_OP)
		return other((Node *) e);

	bool less = !strcmp(op, "<"), more = !strcmp(op, ">"), equals = !strcmp(op, "=");
	bool differs = !strcmp(op, "<>"), at_most = !strcmp(op, "<="), at_least = !strcmp(op, ">=");
	if (!(less || more || equals || differs || at_most || at_least))
		return other((Node *) e);
	if (same_column(e->lexpr, e->rexpr))
		return of(equals || at_most || at_least);
	int order = compare(e->lexpr, e->rexpr);
	if (order != 2)
		return of(order < 0 ? less || at_most || differs : order > 0 ? more || at_least || differs : equals || at_most || at_least);
	return other((Node *) e);
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
