// Package sqlfacts says what a text of SQL would do. It reads the record that the companion (plugins/postgres/pgquery) makes with
// PostgreSQL's own parser, and classifies it. It runs inside the plugin's sandbox for each statement, so it uses no reflection and
// allocates a handful of times for a text.
//
// # Classes
//
// A text is as grave as the gravest of all that it contains: each statement of a multi-statement text, each writing CTE, the
// statement inside EXPLAIN (with or without ANALYZE: planning runs functions), PREPARE, DECLARE CURSOR, COPY (…), CREATE RULE,
// CREATE SCHEMA, and each function and operator in each clause.
//
//	session  BEGIN, COMMIT, ROLLBACK, savepoints, SET and RESET of harmless variables (settings.go), SHOW, DISCARD, PREPARE (of
//	         nothing graver), DEALLOCATE, DECLARE, CLOSE, LISTEN, UNLISTEN, SET CONSTRAINTS, an empty text
//	read     SELECT, VALUES, TABLE, also FOR UPDATE (a fact of its own: locks), EXPLAIN, COPY … TO STDOUT, FETCH, MOVE,
//	         LOCK … IN ACCESS SHARE MODE (the lock of a SELECT), functions of the catalog that change nothing, set_config of a
//	         harmless variable, of a search_path that is written down and does not name pg_catalog among them
//	write    INSERT, UPDATE, MERGE, COPY … FROM STDIN, LOCK, NOTIFY, PREPARE TRANSACTION and its COMMIT and ROLLBACK PREPARED,
//	         nextval, setval, advisory locks, pg_notify, writing to a large object
//	delete   DELETE, TRUNCATE, MERGE with a DELETE, lo_unlink
//	admin    CREATE, ALTER and DROP of everything (also temporary tables, SELECT INTO and CREATE TABLE AS), GRANT, REVOKE, roles,
//	         ALTER SYSTEM, SET ROLE, SET SESSION AUTHORIZATION, SET and set_config of any variable that is not known as
//	         harmless, writing to a relation of PostgreSQL's own (pg_settings, pg_authid),
//	         VACUUM, ANALYZE, REINDEX, CLUSTER, CHECKPOINT, COMMENT, pg_terminate_backend and its like
//	execute  CALL, functions and operators that are not the catalog's, COPY from or to a file or a program of the server, functions
//	         that read or write the server's files (pg_read_file, lo_import), LOAD, CREATE EXTENSION, LANGUAGE and SUBSCRIPTION
//	opaque   DO, CREATE FUNCTION and PROCEDURE, EXECUTE (unless the session knows the name, see Statement.Rest), functions that run
//	         text or read a table named in text (query_to_xml, table_to_xml, dblink, ts_stat, crosstab …), whatever the companion
//	         could not read
//
// DROP TABLE destroys data, as DELETE and TRUNCATE do, and is not class delete: it is the graver admin, because it takes the table
// with its rights, constraints and dependants as well. Bounded is false for all three, so a rule on either catches it.
//
// # Names
//
// A relation or function written with a schema is listed under both spellings, "public.users" and "users"; without one only as
// "users". So `"users" in sql.writes` fires however the table is written, and "public.users" only where that was said. A database
// before the schema is left out, PostgreSQL allows only the current one.
//
// # What cannot be seen
//
// The text does not say what names mean. So these run unseen, and rights inside the database have to bound them: what views, rules,
// triggers, policies, defaults and constraints of existing tables call; casts and domains of user-defined types; a function of one
// row written like a column (t.f); user-defined operators and functions that overload PostgreSQL's own names. A function called
// without a schema counts as PostgreSQL's own if it has one of that name: a session whose search_path was changed (see Settings)
// must treat each such call as execute, as soon as Facts.Shadows was allowed once. Columns lists what is named; a whole row
// (t, t.*, NATURAL JOIN) reads columns that are not. Bounded finds the usual tautologies, not all of them.
package sqlfacts
