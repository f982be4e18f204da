/* Statements about objects and roles: their names, and the targets that the grammar keeps as lists of strings. */
#include "statement.h"

static bool holds_rows(ObjectType type)
{
	switch (type)
	{
		case OBJECT_TABLE:
		case OBJECT_FOREIGN_TABLE:
		case OBJECT_VIEW:
		case OBJECT_MATVIEW:
		case OBJECT_INDEX:
		case OBJECT_SEQUENCE:
			return true;
		default:
			return false;
	}
}

/* belongs_to_relation: its last part names the object, the parts before it the relation. */
static bool belongs_to_relation(ObjectType type)
{
	switch (type)
	{
		case OBJECT_COLUMN:
		case OBJECT_RULE:
		case OBJECT_TRIGGER:
		case OBJECT_POLICY:
		case OBJECT_TABCONSTRAINT:
			return true;
		default:
			return false;
	}
}

static void relation_of(char role, const List *parts, int count)
{
	const char *schema = NULL, *name = NULL;
	for (int i = 0; i < count; i++)
	{
		const Node *part = list_nth(parts, i);
		if (part == NULL || !IsA(part, String))
			continue;
		schema = name;
		name = strVal(part);
	}
	if (name != NULL)
		record_relation(role, schema, name);
}

static void name_of(const List *parts)
{
	if (parts != NIL && IsA(llast(parts), String))
		record_string('N', strVal(llast(parts)), -1);
}

/* object records a target that the grammar gives as a list, a type name, a function with arguments or a plain string. */
static void object(char role, ObjectType type, const Node *node)
{
	if (node == NULL)
		return;
	switch (nodeTag(node))
	{
		case T_String:
			record_string('N', strVal(node), -1);
			break;
		case T_TypeName:
			name_of(((const TypeName *) node)->names);
			break;
		case T_ObjectWithArgs:
			name_of(((const ObjectWithArgs *) node)->objname);
			break;
		case T_List:
		{
			const List *parts = (const List *) node;
			if (holds_rows(type))
				relation_of(role, parts, list_length(parts));
			else
			{
				name_of(parts);
				if (belongs_to_relation(type))
					relation_of(ROLE_UTILITY, parts, list_length(parts) - 1);
			}
			break;
		}
		default:;
	}
}

static void role_name(const List *roles)
{
	if (roles != NIL && IsA(linitial(roles), RoleSpec))
		record_string('N', ((const RoleSpec *) linitial(roles))->rolename, -1);
}

void record_into(const IntoClause *clause)
{
	if (clause != NULL && clause->rel != NULL)
		record_relation(ROLE_CREATE, clause->rel->schemaname, clause->rel->relname);
}

void record_named(int kind, int flags, int sub, const char *name)
{
	record_verb(kind, flags, sub);
	record_string('N', name, -1);
}

static bool drops_column(const AlterTableStmt *s)
{
	const ListCell *cell;
	foreach (cell, s->cmds)
	{
		const AlterTableCmd *cmd = lfirst(cell);
		if (IsA(cmd, AlterTableCmd) && (cmd->subtype == AT_DropColumn))
			return true;
	}
	return false;
}

static void dropped(const DropStmt *s, int flags)
{
	const ListCell *cell;
	record_verb(K_DropStmt, flags, s->removeType);
	foreach (cell, s->objects)
		object(ROLE_DROP, s->removeType, lfirst(cell));
}

/* statement_objects writes the statements about objects of a type that the statement names. */
static bool statement_objects(const void *node, int flags)
{
	switch (nodeTag(node))
	{
		case T_DropStmt:
			dropped(node, flags);
			return true;
		case T_CommentStmt:
		{
			AS(CommentStmt);
			record_verb(K_CommentStmt, flags, s->objtype);
			object(ROLE_UTILITY, s->objtype, s->object);
			return true;
		}
		case T_SecLabelStmt:
		{
			AS(SecLabelStmt);
			record_verb(K_SecLabelStmt, flags, s->objtype);
			object(ROLE_UTILITY, s->objtype, s->object);
			return true;
		}
		case T_RenameStmt:
		{
			AS(RenameStmt);
			record_verb(K_RenameStmt, flags, s->renameType);
			object(ROLE_UTILITY, s->renameType, s->object);
			return true;
		}
		case T_AlterObjectSchemaStmt:
		{
			AS(AlterObjectSchemaStmt);
			record_verb(K_AlterObjectSchemaStmt, flags, s->objectType);
			object(ROLE_UTILITY, s->objectType, s->object);
			return true;
		}
		case T_AlterObjectDependsStmt:
		{
			AS(AlterObjectDependsStmt);
			record_verb(K_AlterObjectDependsStmt, flags, s->objectType);
			object(ROLE_UTILITY, s->objectType, s->object);
			return true;
		}
		case T_AlterOwnerStmt:
		{
			AS(AlterOwnerStmt);
			record_verb(K_AlterOwnerStmt, flags, s->objectType);
			object(ROLE_UTILITY, s->objectType, s->object);
			return true;
		}
		case T_AlterTableStmt:
		{
			AS(AlterTableStmt);
			record_verb(K_AlterTableStmt, flags | (drops_column(s) ? F_UNBOUNDED : 0), s->objtype);
			return true;
		}
		case T_CreateTableAsStmt:
			record_verb(K_CreateTableAsStmt, flags, ((const CreateTableAsStmt *) node)->objtype);
			record_into(((const CreateTableAsStmt *) node)->into);
			return true;
		case T_DefineStmt:
		{
			AS(DefineStmt);
			record_verb(K_DefineStmt, flags, s->kind);
			name_of(s->defnames);
			return true;
		}
		case T_GrantStmt:
		{
			AS(GrantStmt);
			record_verb(K_GrantStmt, flags | (s->is_grant ? F_POSITIVE : 0), s->objtype);
			role_name(s->grantees);
			return true;
		}
		default:
			return false;
	}
}

static bool statement_roles(const void *node, int flags)
{
	switch (nodeTag(node))
	{
		case T_GrantRoleStmt:
		{
			AS(GrantRoleStmt);
			record_verb(K_GrantRoleStmt, flags | (s->is_grant ? F_POSITIVE : 0), 0);
			role_name(s->grantee_roles);
			return true;
		}
		case T_CreateRoleStmt:
			record_named(K_CreateRoleStmt, flags, 0, ((const CreateRoleStmt *) node)->role);
			return true;
		case T_AlterRoleStmt:
		{
			AS(AlterRoleStmt);
			record_named(K_AlterRoleStmt, flags, 0, s->role ? s->role->rolename : NULL);
			return true;
		}
		case T_AlterRoleSetStmt:
		{
			AS(AlterRoleSetStmt);
			record_named(K_AlterRoleSetStmt, flags, 0, s->role ? s->role->rolename : NULL);
			return true;
		}
		case T_DropRoleStmt:
			record_verb(K_DropRoleStmt, flags, 0);
			role_name(((const DropRoleStmt *) node)->roles);
			return true;
		case T_DropOwnedStmt:
			record_verb(K_DropOwnedStmt, flags, 0);
			role_name(((const DropOwnedStmt *) node)->roles);
			return true;
		default:
			return false;
	}
}

/* statement_named writes the statements of which only the object's name matters. */
static bool statement_named(const void *node, int flags)
{
	switch (nodeTag(node))
	{
#define NAMED(type, field) \
	case T_##type: \
		record_named(K_##type, flags, 0, ((const type *) node)->field); \
		return true
		NAMED(LoadStmt, filename);
		NAMED(CreateSchemaStmt, schemaname);
		NAMED(CreatedbStmt, dbname);
		NAMED(DropdbStmt, dbname);
		NAMED(AlterDatabaseStmt, dbname);
		NAMED(AlterDatabaseSetStmt, dbname);
		NAMED(CreateExtensionStmt, extname);
		NAMED(AlterExtensionStmt, extname);
		NAMED(CreateForeignServerStmt, servername);
		NAMED(AlterForeignServerStmt, servername);
		NAMED(CreateFdwStmt, fdwname);
		NAMED(CreateTableSpaceStmt, tablespacename);
		NAMED(DropTableSpaceStmt, tablespacename);
		NAMED(CreatePublicationStmt, pubname);
		NAMED(AlterPublicationStmt, pubname);
		NAMED(CreateSubscriptionStmt, subname);
		NAMED(AlterSubscriptionStmt, subname);
		NAMED(DropSubscriptionStmt, subname);
		NAMED(CreatePolicyStmt, policy_name);
		NAMED(AlterPolicyStmt, policy_name);
		NAMED(CreateTrigStmt, trigname);
		NAMED(RuleStmt, rulename);
		NAMED(IndexStmt, idxname);
		default:
			return false;
	}
}

/* object_parts writes the statements whose name is a dotted one, and the few others with flags of their own. */
static bool object_parts(const void *node, int flags)
{
	int kind = statement_kind(nodeTag(node));
	switch (nodeTag(node))
	{
		case T_CreateFunctionStmt:
		{
			AS(CreateFunctionStmt);
			record_verb(kind, flags | (s->is_procedure ? F_POSITIVE : 0), 0);
			name_of(s->funcname);
			return true;
		}
		case T_VacuumStmt:
			record_verb(kind, flags | (((const VacuumStmt *) node)->is_vacuumcmd ? F_POSITIVE : 0), 0);
			return true;
		case T_CallStmt:
			record_verb(kind, flags, 0);
			name_of(((const CallStmt *) node)->funccall->funcname);
			return true;
		case T_CreateDomainStmt:
			record_verb(kind, flags, 0);
			name_of(((const CreateDomainStmt *) node)->domainname);
			return true;
		case T_CreateEnumStmt:
			record_verb(kind, flags, 0);
			name_of(((const CreateEnumStmt *) node)->typeName);
			return true;
		default:
			return false;
	}
}

bool object_record(const void *node, int flags)
{
	return statement_objects(node, flags) || statement_roles(node, flags) || statement_named(node, flags) || object_parts(node, flags);
}
