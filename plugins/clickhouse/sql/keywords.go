package sql

// keyword is a word that the grammar knows, in any case; 0 is none.
type keyword uint16

// The keywords.
const (
	kwNone keyword = iota
	kwAccess
	kwAdd
	kwAfter
	kwAlias
	kwAll
	kwAlter
	kwAnd
	kwAnti
	kwAny
	kwAppend
	kwApply
	kwArray
	kwAs
	kwAsc
	kwAscending
	kwAsof
	kwAst
	kwAsync
	kwAttach
	kwBackup
	kwBegin
	kwBetween
	kwBoth
	kwBy
	kwCache
	kwCaches
	kwCase
	kwCast
	kwChanged
	kwCheck
	kwClear
	kwCluster
	kwClusters
	kwCollate
	kwCollection
	kwColumn
	kwColumns
	kwComment
	kwCommit
	kwCompression
	kwCreate
	kwCross
	kwCube
	kwCurrent
	kwDatabase
	kwDatabases
	kwDate
	kwDeduplicate
	kwDefault
	kwDelete
	kwDesc
	kwDescending
	kwDescribe
	kwDetach
	kwDictionaries
	kwDictionary
	kwDistinct
	kwDiv
	kwDrop
	kwElse
	kwEnabled
	kwEnd
	kwEngine
	kwEngines
	kwEscape
	kwEstimate
	kwExcept
	kwExchange
	kwExecute
	kwExists
	kwExplain
	kwExtended
	kwFetch
	kwFields
	kwFilesystem
	kwFill
	kwFilter
	kwFinal
	kwFirst
	kwFollowing
	kwFor
	kwFormat
	kwFrom
	kwFull
	kwFunction
	kwFunctions
	kwGlobal
	kwGrant
	kwGrants
	kwGroup
	kwGrouping
	kwGroups
	kwHaving
	kwIf
	kwIgnore
	kwIlike
	kwIn
	kwIndex
	kwIndexes
	kwIndices
	kwInfile
	kwInner
	kwInsert
	kwInterpolate
	kwIntersect
	kwInterval
	kwInto
	kwIs
	kwJoin
	kwKeys
	kwKill
	kwLast
	kwLeading
	kwLeft
	kwLevel
	kwLike
	kwLimit
	kwLocal
	kwLive
	kwMaterialized
	kwMerges
	kwMod
	kwMove
	kwNamed
	kwNatural
	kwNext
	kwNo
	kwNot
	kwNull
	kwNulls
	kwOffset
	kwOn
	kwOnly
	kwOptimize
	kwOr
	kwOrder
	kwOuter
	kwOutfile
	kwOver
	kwOverride
	kwParallel
	kwPart
	kwPartition
	kwPaste
	kwPermanently
	kwPipeline
	kwPlacing
	kwPlan
	kwPolicies
	kwPolicy
	kwPreceding
	kwPrewhere
	kwPrimary
	kwProcesslist
	kwProfile
	kwProfiles
	kwQualify
	kwQuery
	kwQuota
	kwQuotas
	kwRange
	kwRecursive
	kwRegexp
	kwRename
	kwReplace
	kwRespect
	kwRestore
	kwRevoke
	kwRight
	kwRole
	kwRoles
	kwRollback
	kwRollup
	kwRow
	kwRows
	kwSample
	kwSelect
	kwSemi
	kwSet
	kwSets
	kwSetting
	kwSettings
	kwShow
	kwSnapshot
	kwSource
	kwStaleness
	kwStart
	kwStdout
	kwStep
	kwStrict
	kwSync
	kwSyntax
	kwSystem
	kwTable
	kwTables
	kwTemporary
	kwThen
	kwTies
	kwTimestamp
	kwTo
	kwTop
	kwTotals
	kwTrailing
	kwTransaction
	kwTree
	kwTruncate
	kwUnbounded
	kwUndrop
	kwUnion
	kwUpdate
	kwUse
	kwUser
	kwUsers
	kwUsing
	kwValues
	kwView
	kwWatch
	kwWhen
	kwWhere
	kwWindow
	kwWith
	kwWithin
	kwWorkload
	kwWorkloads
	kwResource
	kwResources
	kwXor
	kwNanosecond
	kwNanoseconds
	kwMicrosecond
	kwMicroseconds
	kwMillisecond
	kwMilliseconds
	kwSecond
	kwSeconds
	kwMinute
	kwMinutes
	kwHour
	kwHours
	kwDay
	kwDays
	kwWeek
	kwWeeks
	kwMonth
	kwMonths
	kwQuarter
	kwQuarters
	kwYear
	kwYears
	kwSqlTsiNanosecond
	kwSqlTsiMicrosecond
	kwSqlTsiMillisecond
	kwSqlTsiSecond
	kwSqlTsiMinute
	kwSqlTsiHour
	kwSqlTsiDay
	kwSqlTsiWeek
	kwSqlTsiMonth
	kwSqlTsiQuarter
	kwSqlTsiYear
	kwTrue
	kwFalse
	kwNan
	kwInf
	kwInfinity
	kwPrivileges
	kwOverlay
	kwDatetime
	kwPrecision
	kwVarying
	kwUnsigned
	kwSigned
	kwLarge
	kwObject
	kwCharacter
	kwChar
	kwNational
	kwDouble
	kwNchar
	kwBinary
	kwRevision
	kwConstraint
	kwProjection
	kwTtl
	kwModify
	kwFreeze
	kwUnfreeze
	kwExtract
	kwCharset
	kwSkip
	kwImplicit
	kwWarnings
	kwAuthentication
	kwMasking
	kwField
	keywords // their number
)

// keywordNames are the keywords in lower case.
var keywordNames = [keywords]string{
	kwAccess:            "access",
	kwAdd:               "add",
	kwAfter:             "after",
	kwAlias:             "alias",
	kwAll:               "all",
	kwAlter:             "alter",
	kwAnd:               "and",
	kwAnti:              "anti",
	kwAny:               "any",
	kwAppend:            "append",
	kwApply:             "apply",
	kwArray:             "array",
	kwAs:                "as",
	kwAsc:               "asc",
	kwAscending:         "ascending",
	kwAsof:              "asof",
	kwAst:               "ast",
	kwAsync:             "async",
	kwAttach:            "attach",
	kwBackup:            "backup",
	kwBegin:             "begin",
	kwBetween:           "between",
	kwBoth:              "both",
	kwBy:                "by",
	kwCache:             "cache",
	kwCaches:            "caches",
	kwCase:              "case",
	kwCast:              "cast",
	kwChanged:           "changed",
	kwCheck:             "check",
	kwClear:             "clear",
	kwCluster:           "cluster",
	kwClusters:          "clusters",
	kwCollate:           "collate",
	kwCollection:        "collection",
	kwColumn:            "column",
	kwColumns:           "columns",
	kwComment:           "comment",
	kwCommit:            "commit",
	kwCompression:       "compression",
	kwCreate:            "create",
	kwCross:             "cross",
	kwCube:              "cube",
	kwCurrent:           "current",
	kwDatabase:          "database",
	kwDatabases:         "databases",
	kwDate:              "date",
	kwDeduplicate:       "deduplicate",
	kwDefault:           "default",
	kwDelete:            "delete",
	kwDesc:              "desc",
	kwDescending:        "descending",
	kwDescribe:          "describe",
	kwDetach:            "detach",
	kwDictionaries:      "dictionaries",
	kwDictionary:        "dictionary",
	kwDistinct:          "distinct",
	kwDiv:               "div",
	kwDrop:              "drop",
	kwElse:              "else",
	kwEnabled:           "enabled",
	kwEnd:               "end",
	kwEngine:            "engine",
	kwEngines:           "engines",
	kwEscape:            "escape",
	kwEstimate:          "estimate",
	kwExcept:            "except",
	kwExchange:          "exchange",
	kwExecute:           "execute",
	kwExists:            "exists",
	kwExplain:           "explain",
	kwExtended:          "extended",
	kwFetch:             "fetch",
	kwFields:            "fields",
	kwFilesystem:        "filesystem",
	kwFill:              "fill",
	kwFilter:            "filter",
	kwFinal:             "final",
	kwFirst:             "first",
	kwFollowing:         "following",
	kwFor:               "for",
	kwFormat:            "format",
	kwFrom:              "from",
	kwFull:              "full",
	kwFunction:          "function",
	kwFunctions:         "functions",
	kwGlobal:            "global",
	kwGrant:             "grant",
	kwGrants:            "grants",
	kwGroup:             "group",
	kwGrouping:          "grouping",
	kwGroups:            "groups",
	kwHaving:            "having",
	kwIf:                "if",
	kwIgnore:            "ignore",
	kwIlike:             "ilike",
	kwIn:                "in",
	kwIndex:             "index",
	kwIndexes:           "indexes",
	kwIndices:           "indices",
	kwInfile:            "infile",
	kwInner:             "inner",
	kwInsert:            "insert",
	kwInterpolate:       "interpolate",
	kwIntersect:         "intersect",
	kwInterval:          "interval",
	kwInto:              "into",
	kwIs:                "is",
	kwJoin:              "join",
	kwKeys:              "keys",
	kwKill:              "kill",
	kwLast:              "last",
	kwLeading:           "leading",
	kwLeft:              "left",
	kwLevel:             "level",
	kwLike:              "like",
	kwLimit:             "limit",
	kwLocal:             "local",
	kwLive:              "live",
	kwMaterialized:      "materialized",
	kwMerges:            "merges",
	kwMod:               "mod",
	kwMove:              "move",
	kwNamed:             "named",
	kwNatural:           "natural",
	kwNext:              "next",
	kwNo:                "no",
	kwNot:               "not",
	kwNull:              "null",
	kwNulls:             "nulls",
	kwOffset:            "offset",
	kwOn:                "on",
	kwOnly:              "only",
	kwOptimize:          "optimize",
	kwOr:                "or",
	kwOrder:             "order",
	kwOuter:             "outer",
	kwOutfile:           "outfile",
	kwOver:              "over",
	kwOverride:          "override",
	kwParallel:          "parallel",
	kwPart:              "part",
	kwPartition:         "partition",
	kwPaste:             "paste",
	kwPermanently:       "permanently",
	kwPipeline:          "pipeline",
	kwPlacing:           "placing",
	kwPlan:              "plan",
	kwPolicies:          "policies",
	kwPolicy:            "policy",
	kwPreceding:         "preceding",
	kwPrewhere:          "prewhere",
	kwPrimary:           "primary",
	kwProcesslist:       "processlist",
	kwProfile:           "profile",
	kwProfiles:          "profiles",
	kwQualify:           "qualify",
	kwQuery:             "query",
	kwQuota:             "quota",
	kwQuotas:            "quotas",
	kwRange:             "range",
	kwRecursive:         "recursive",
	kwRegexp:            "regexp",
	kwRename:            "rename",
	kwReplace:           "replace",
	kwRespect:           "respect",
	kwRestore:           "restore",
	kwRevoke:            "revoke",
	kwRight:             "right",
	kwRole:              "role",
	kwRoles:             "roles",
	kwRollback:          "rollback",
	kwRollup:            "rollup",
	kwRow:               "row",
	kwRows:              "rows",
	kwSample:            "sample",
	kwSelect:            "select",
	kwSemi:              "semi",
	kwSet:               "set",
	kwSets:              "sets",
	kwSetting:           "setting",
	kwSettings:          "settings",
	kwShow:              "show",
	kwSnapshot:          "snapshot",
	kwSource:            "source",
	kwStaleness:         "staleness",
	kwStart:             "start",
	kwStdout:            "stdout",
	kwStep:              "step",
	kwStrict:            "strict",
	kwSync:              "sync",
	kwSyntax:            "syntax",
	kwSystem:            "system",
	kwTable:             "table",
	kwTables:            "tables",
	kwTemporary:         "temporary",
	kwThen:              "then",
	kwTies:              "ties",
	kwTimestamp:         "timestamp",
	kwTo:                "to",
	kwTop:               "top",
	kwTotals:            "totals",
	kwTrailing:          "trailing",
	kwTransaction:       "transaction",
	kwTree:              "tree",
	kwTruncate:          "truncate",
	kwUnbounded:         "unbounded",
	kwUndrop:            "undrop",
	kwUnion:             "union",
	kwUpdate:            "update",
	kwUse:               "use",
	kwUser:              "user",
	kwUsers:             "users",
	kwUsing:             "using",
	kwValues:            "values",
	kwView:              "view",
	kwWatch:             "watch",
	kwWhen:              "when",
	kwWhere:             "where",
	kwWindow:            "window",
	kwWith:              "with",
	kwWithin:            "within",
	kwWorkload:          "workload",
	kwWorkloads:         "workloads",
	kwResource:          "resource",
	kwResources:         "resources",
	kwXor:               "xor",
	kwNanosecond:        "nanosecond",
	kwNanoseconds:       "nanoseconds",
	kwMicrosecond:       "microsecond",
	kwMicroseconds:      "microseconds",
	kwMillisecond:       "millisecond",
	kwMilliseconds:      "milliseconds",
	kwSecond:            "second",
	kwSeconds:           "seconds",
	kwMinute:            "minute",
	kwMinutes:           "minutes",
	kwHour:              "hour",
	kwHours:             "hours",
	kwDay:               "day",
	kwDays:              "days",
	kwWeek:              "week",
	kwWeeks:             "weeks",
	kwMonth:             "month",
	kwMonths:            "months",
	kwQuarter:           "quarter",
	kwQuarters:          "quarters",
	kwYear:              "year",
	kwYears:             "years",
	kwSqlTsiNanosecond:  "sql_tsi_nanosecond",
	kwSqlTsiMicrosecond: "sql_tsi_microsecond",
	kwSqlTsiMillisecond: "sql_tsi_millisecond",
	kwSqlTsiSecond:      "sql_tsi_second",
	kwSqlTsiMinute:      "sql_tsi_minute",
	kwSqlTsiHour:        "sql_tsi_hour",
	kwSqlTsiDay:         "sql_tsi_day",
	kwSqlTsiWeek:        "sql_tsi_week",
	kwSqlTsiMonth:       "sql_tsi_month",
	kwSqlTsiQuarter:     "sql_tsi_quarter",
	kwSqlTsiYear:        "sql_tsi_year",
	kwTrue:              "true",
	kwFalse:             "false",
	kwNan:               "nan",
	kwInf:               "inf",
	kwInfinity:          "infinity",
	kwPrivileges:        "privileges",
	kwOverlay:           "overlay",
	kwDatetime:          "datetime",
	kwPrecision:         "precision",
	kwVarying:           "varying",
	kwUnsigned:          "unsigned",
	kwSigned:            "signed",
	kwLarge:             "large",
	kwObject:            "object",
	kwCharacter:         "character",
	kwChar:              "char",
	kwNational:          "national",
	kwDouble:            "double",
	kwNchar:             "nchar",
	kwBinary:            "binary",
	kwRevision:          "revision",
	kwConstraint:        "constraint",
	kwProjection:        "projection",
	kwTtl:               "ttl",
	kwModify:            "modify",
	kwFreeze:            "freeze",
	kwUnfreeze:          "unfreeze",
	kwExtract:           "extract",
	kwCharset:           "charset",
	kwSkip:              "skip",
	kwImplicit:          "implicit",
	kwWarnings:          "warnings",
	kwAuthentication:    "authentication",
	kwMasking:           "masking",
	kwField:             "field",
}
