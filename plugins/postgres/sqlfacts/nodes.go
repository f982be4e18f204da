package sqlfacts

import "github.com/sallyport-dev/sallyport/sdk/abi"

// node is a kind of statement as the companion numbers them (pgquery/c/kinds.h). Zero is one that it does not know.
type node uint8

// The nodes that something here treats by name.
const (
	_ node = iota
	nSelect
	nInsert
	nUpdate
	nDelete
	nMerge
	nTransaction
	nVariableSet
	nVariableShow
	nPrepare
	nExecute
	nDeallocate
	nDeclareCursor
	nFetch
	nClosePortal
	nCopy
	nExplain
	nListen
	nUnlisten
	nNotify
	nDiscard
	nConstraintsSet
	nLock
	nTruncate
	nDrop
	nDo
	nCall
	nLoad
	nCreateFunction
	nAlterSystem
	nCreate
	nCreateTableAs
	nCreateSchema
	nAlterTable
	nIndex
	nView
	nRefreshMatView
	nRule
	nCreateTrig
	nCreatePolicy
	nAlterPolicy
	nCreateSeq
	nAlterSeq
	nRename
	nComment
	nSecLabel
	nGrant
	nGrantRole
	nAlterDefaultPrivileges
	nCreateRole
	nAlterRole
	nAlterRoleSet
	nDropRole
	nDropOwned
	nReassignOwned
	nVacuum
	nCluster
	nReindex
	nCheckPoint
	nCreatedb
	nAlterDatabase
	nAlterDatabaseRefreshColl
	nAlterDatabaseSet
	nDropdb
	nCreateTableSpace
	nDropTableSpace
	nAlterTableSpaceOptions
	nAlterTableMoveAll
	nCreateExtension
	nAlterExtension
	nAlterExtensionContents
	nCreateFdw
	nAlterFdw
	nCreateForeignServer
	nAlterForeignServer
	nCreateForeignTable
	nCreateUserMapping
	nAlterUserMapping
	nDropUserMapping
	nImportForeignSchema
	nCreateAm
	nCreateEventTrig
	nAlterEventTrig
	nCreatePLang
	nDefine
	nCreateDomain
	nAlterDomain
	nCreateOpClass
	nCreateOpFamily
	nAlterOpFamily
	nCreateStats
	nAlterStats
	nAlterFunction
	nAlterObjectDepends
	nAlterObjectSchema
	nAlterOwner
	nAlterOperator
	nAlterType
	nCompositeType
	nCreateEnum
	nCreateRange
	nAlterEnum
	nAlterCollation
	nCreateConversion
	nCreateCast
	nCreateTransform
	nAlterTSDictionary
	nAlterTSConfiguration
	nCreatePublication
	nAlterPublication
	nCreateSubscription
	nAlterSubscription
	nDropSubscription
	nodes
)

// nodeInfo says what a statement is called and how grave it is by itself. What is inside it counts as well, and classOf
// looks closer at some of them.
type nodeInfo struct {
	name  string // the type in PostgreSQL's parser
	verb  string
	class Class
}

var nodeTable = [nodes]nodeInfo{
	{"", "unknown statement", abi.ClassOpaque},
	{"SelectStmt", "select", abi.ClassRead},
	{"InsertStmt", "insert", abi.ClassWrite},
	{"UpdateStmt", "update", abi.ClassWrite},
	{"DeleteStmt", "delete", abi.ClassDelete},
	{"MergeStmt", "merge", abi.ClassWrite},
	{"TransactionStmt", "transaction", abi.ClassSession},
	{"VariableSetStmt", "set", abi.ClassSession},
	{"VariableShowStmt", "show", abi.ClassSession},
	{"PrepareStmt", "prepare", abi.ClassSession},
	{"ExecuteStmt", "execute", abi.ClassOpaque},
	{"DeallocateStmt", "deallocate", abi.ClassSession},
	{"DeclareCursorStmt", "declare cursor", abi.ClassSession},
	{"FetchStmt", "fetch", abi.ClassRead},
	{"ClosePortalStmt", "close", abi.ClassSession},
	{"CopyStmt", "copy", abi.ClassRead},
	{"ExplainStmt", "explain", abi.ClassRead},
	{"ListenStmt", "listen", abi.ClassSession},
	{"UnlistenStmt", "unlisten", abi.ClassSession},
	{"NotifyStmt", "notify", abi.ClassWrite},
	{"DiscardStmt", "discard", abi.ClassSession},
	{"ConstraintsSetStmt", "set constraints", abi.ClassSession},
	{"LockStmt", "lock", abi.ClassWrite},
	{"TruncateStmt", "truncate", abi.ClassDelete},
	{"DropStmt", "drop", abi.ClassAdmin},
	{"DoStmt", "do", abi.ClassOpaque},
	{"CallStmt", "call", abi.ClassExecute},
	{"LoadStmt", "load", abi.ClassExecute},
	{"CreateFunctionStmt", "create function", abi.ClassOpaque},
	{"AlterSystemStmt", "alter system", abi.ClassAdmin},
	{"CreateStmt", "create table", abi.ClassAdmin},
	{"CreateTableAsStmt", "create table as", abi.ClassAdmin},
	{"CreateSchemaStmt", "create schema", abi.ClassAdmin},
	{"AlterTableStmt", "alter table", abi.ClassAdmin},
	{"IndexStmt", "create index", abi.ClassAdmin},
	{"ViewStmt", "create view", abi.ClassAdmin},
	{"RefreshMatViewStmt", "refresh materialized view", abi.ClassAdmin},
	{"RuleStmt", "create rule", abi.ClassAdmin},
	{"CreateTrigStmt", "create trigger", abi.ClassAdmin},
	{"CreatePolicyStmt", "create policy", abi.ClassAdmin},
	{"AlterPolicyStmt", "alter policy", abi.ClassAdmin},
	{"CreateSeqStmt", "create sequence", abi.ClassAdmin},
	{"AlterSeqStmt", "alter sequence", abi.ClassAdmin},
	{"RenameStmt", "rename", abi.ClassAdmin},
	{"CommentStmt", "comment", abi.ClassAdmin},
	{"SecLabelStmt", "security label", abi.ClassAdmin},
	{"GrantStmt", "grant", abi.ClassAdmin},
	{"GrantRoleStmt", "grant role", abi.ClassAdmin},
	{"AlterDefaultPrivilegesStmt", "alter default privileges", abi.ClassAdmin},
	{"CreateRoleStmt", "create role", abi.ClassAdmin},
	{"AlterRoleStmt", "alter role", abi.ClassAdmin},
	{"AlterRoleSetStmt", "alter role", abi.ClassAdmin},
	{"DropRoleStmt", "drop role", abi.ClassAdmin},
	{"DropOwnedStmt", "drop owned", abi.ClassAdmin},
	{"ReassignOwnedStmt", "reassign owned", abi.ClassAdmin},
	{"VacuumStmt", "vacuum", abi.ClassAdmin},
	{"ClusterStmt", "cluster", abi.ClassAdmin},
	{"ReindexStmt", "reindex", abi.ClassAdmin},
	{"CheckPointStmt", "checkpoint", abi.ClassAdmin},
	{"CreatedbStmt", "create database", abi.ClassAdmin},
	{"AlterDatabaseStmt", "alter database", abi.ClassAdmin},
	{"AlterDatabaseRefreshCollStmt", "alter database", abi.ClassAdmin},
	{"AlterDatabaseSetStmt", "alter database", abi.ClassAdmin},
	{"DropdbStmt", "drop database", abi.ClassAdmin},
	{"CreateTableSpaceStmt", "create tablespace", abi.ClassAdmin},
	{"DropTableSpaceStmt", "drop tablespace", abi.ClassAdmin},
	{"AlterTableSpaceOptionsStmt", "alter tablespace", abi.ClassAdmin},
	{"AlterTableMoveAllStmt", "alter table", abi.ClassAdmin},
	{"CreateExtensionStmt", "create extension", abi.ClassExecute},
	{"AlterExtensionStmt", "alter extension", abi.ClassExecute},
	{"AlterExtensionContentsStmt", "alter extension", abi.ClassAdmin},
	{"CreateFdwStmt", "create foreign data wrapper", abi.ClassAdmin},
	{"AlterFdwStmt", "alter foreign data wrapper", abi.ClassAdmin},
	{"CreateForeignServerStmt", "create server", abi.ClassAdmin},
	{"AlterForeignServerStmt", "alter server", abi.ClassAdmin},
	{"CreateForeignTableStmt", "create foreign table", abi.ClassAdmin},
	{"CreateUserMappingStmt", "create user mapping", abi.ClassAdmin},
	{"AlterUserMappingStmt", "alter user mapping", abi.ClassAdmin},
	{"DropUserMappingStmt", "drop user mapping", abi.ClassAdmin},
	{"ImportForeignSchemaStmt", "import foreign schema", abi.ClassAdmin},
	{"CreateAmStmt", "create access method", abi.ClassAdmin},
	{"CreateEventTrigStmt", "create event trigger", abi.ClassAdmin},
	{"AlterEventTrigStmt", "alter event trigger", abi.ClassAdmin},
	{"CreatePLangStmt", "create language", abi.ClassExecute},
	{"DefineStmt", "create", abi.ClassAdmin},
	{"CreateDomainStmt", "create domain", abi.ClassAdmin},
	{"AlterDomainStmt", "alter domain", abi.ClassAdmin},
	{"CreateOpClassStmt", "create operator class", abi.ClassAdmin},
	{"CreateOpFamilyStmt", "create operator family", abi.ClassAdmin},
	{"AlterOpFamilyStmt", "alter operator family", abi.ClassAdmin},
	{"CreateStatsStmt", "create statistics", abi.ClassAdmin},
	{"AlterStatsStmt", "alter statistics", abi.ClassAdmin},
	{"AlterFunctionStmt", "alter function", abi.ClassAdmin},
	{"AlterObjectDependsStmt", "alter", abi.ClassAdmin},
	{"AlterObjectSchemaStmt", "alter", abi.ClassAdmin},
	{"AlterOwnerStmt", "alter", abi.ClassAdmin},
	{"AlterOperatorStmt", "alter operator", abi.ClassAdmin},
	{"AlterTypeStmt", "alter type", abi.ClassAdmin},
	{"CompositeTypeStmt", "create type", abi.ClassAdmin},
	{"CreateEnumStmt", "create type", abi.ClassAdmin},
	{"CreateRangeStmt", "create type", abi.ClassAdmin},
	{"AlterEnumStmt", "alter type", abi.ClassAdmin},
	{"AlterCollationStmt", "alter collation", abi.ClassAdmin},
	{"CreateConversionStmt", "create conversion", abi.ClassAdmin},
	{"CreateCastStmt", "create cast", abi.ClassAdmin},
	{"CreateTransformStmt", "create transform", abi.ClassAdmin},
	{"AlterTSDictionaryStmt", "alter text search dictionary", abi.ClassAdmin},
	{"AlterTSConfigurationStmt", "alter text search configuration", abi.ClassAdmin},
	{"CreatePublicationStmt", "create publication", abi.ClassAdmin},
	{"AlterPublicationStmt", "alter publication", abi.ClassAdmin},
	{"CreateSubscriptionStmt", "create subscription", abi.ClassExecute},
	{"AlterSubscriptionStmt", "alter subscription", abi.ClassExecute},
	{"DropSubscriptionStmt", "drop subscription", abi.ClassAdmin},
}

// objectNouns names PostgreSQL's ObjectType, in its order.
var objectNouns = [...]string{
	"access method", "aggregate", "operator", "function",
	"attribute", "cast", "column", "collation",
	"conversion", "database", "default", "default privileges",
	"domain", "domain constraint", "event trigger", "extension",
	"foreign data wrapper", "server", "foreign table", "function",
	"index", "language", "large object", "materialized view",
	"operator class", "operator", "operator family", "parameter",
	"policy", "procedure", "publication", "publication schema",
	"publication table", "role", "routine", "rule",
	"schema", "sequence", "subscription", "statistics",
	"constraint", "table", "tablespace", "transform",
	"trigger", "text search configuration", "text search dictionary", "text search parser",
	"text search template", "type", "user mapping", "view",
}

func noun(object uint8) string {
	if int(object) < len(objectNouns) {
		return objectNouns[object]
	}
	return "object"
}
