// Package sql says what a text of ClickHouse's SQL would do. It has an exact lexer (package lex) and a grammar that recognises
// statements completely: what it does not recognise from the first token to the last is class opaque. It runs inside the plugin's
// sandbox for each statement: no reflection, no regular expressions, no maps, and once a Reader is warm no allocations.
//
// # Classes
//
// A text is as grave as the gravest of all that it contains: each subquery, CTE, function, table function and setting, in each clause.
//
//	session  USE, SET of harmless settings, BEGIN, COMMIT, ROLLBACK
//	read     SELECT, SHOW, DESCRIBE, EXISTS, EXPLAIN of what reads, CHECK GRANT; table functions that compute, or read the server's tables
//	write    INSERT, UPDATE, ALTER … UPDATE, CHECK TABLE (which restores what it misses), functions that change a counter
//	delete   DELETE, ALTER … DELETE, TRUNCATE TABLE
//	admin    CREATE, ALTER, DROP, ATTACH, DETACH, UNDROP, RENAME, EXCHANGE, OPTIMIZE, MOVE, KILL, SYSTEM, GRANT, REVOKE, WATCH, EXECUTE AS, SET
//	         ROLE, users, roles, policies, quotas, named collections, settings that widen access or are not known as harmless
//	execute  what leaves the server or reaches its files or programs: table functions and engines (url, s3, file, remote, mysql,
//	         executable …), BACKUP, RESTORE, INTO OUTFILE, FROM INFILE, functions such as file and catboostEvaluate, CREATE FUNCTION
//	opaque   whatever is not recognised completely: no statement, a second one, trailing text, an unknown keyword at the head, an unknown
//	         table function, too much depth, functions that are IN in disguise, a setting that changes how texts are read (dialect)
//
// SELECT, INSERT, UPDATE, DELETE, mutations, SHOW and their like are read token by token. Of the statements of class admin the head and the
// names are, and their rest is searched: any call, engine or query in it can make them graver, nothing less grave. [SettingClass] says how
// grave a setting is, wherever it comes from.
//
// # Names
//
// A table written with a database is listed under both spellings, "db.t" and "t"; without one only as "t". Names are as written, quotes
// and escapes undone; ClickHouse tells upper from lower case. Functions are listed as written and, if that differs, in lower case too,
// because some of them are found in any case. Where a table is named by a computed text (merge, remote tables behind IN, dictGet of an
// expression) the list is unknown (ReadsUnknown).
//
// # Versions
//
// Comments inside comments, and heredocs, are read differently by old servers. A text in which that matters is opaque unless the
// server's version is known (Version).
//
// # What cannot be seen
//
// Views, materialized views, dictionaries, row policies, engines of existing tables (a table of engine URL leaves the server when it is
// read), and user-defined functions do what their definitions say. Rights inside the server have to bound them.
package sql
