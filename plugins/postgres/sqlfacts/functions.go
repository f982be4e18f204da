package sqlfacts

import (
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// functionClass is how grave a call of a function is. A name without schema, or with pg_catalog, is taken for PostgreSQL's own:
// with a search_path that puts another schema before pg_catalog that need not be so, and a session that has changed its
// search_path has to treat each function called without a schema as a user's. Any other function is a user's, and what it does
// cannot be known: execute at least.
func functionClass(schema, name string) Class {
	class, special := specialFunction(name)
	switch {
	case schema != "" && schema != "pg_catalog":
		if special && class == abi.ClassOpaque {
			return class // dblink.dblink, public.dblink: an extension's, wherever it was put
		}
		return abi.ClassExecute
	case special:
		return class
	case isHarmless(name):
		return abi.ClassRead
	}
	return abi.ClassExecute
}

func isHarmless(name string) bool {
	if _, found := slices.BinarySearch(harmlessFunctions[:], name); found {
		return true
	}
	return isNewer(name)
}

// specialFunction lists the functions that are worth more than a guess from their volatility.
func specialFunction(name string) (Class, bool) {
	switch name {
	// Volatile, but only because each call answers anew.
	case "amvalidate", "clock_timestamp", "current_query", "currtid2", "currval", "lastval",
		"gen_random_uuid", "pg_blocking_pids", "pg_collation_actual_version", "pg_control_checkpoint", "pg_control_init",
		"pg_control_recovery", "pg_control_system", "pg_current_wal_flush_lsn", "pg_current_wal_insert_lsn",
		"pg_current_wal_lsn", "pg_database_collation_actual_version", "pg_database_size", "pg_get_backend_memory_contexts",
		"pg_get_multixact_members", "pg_get_shmem_allocations", "pg_get_wal_replay_pause_state",
		"pg_get_wal_resource_managers", "pg_indexes_size", "pg_is_in_recovery", "pg_is_wal_replay_paused",
		"pg_isolation_test_session_is_blocked", "pg_jit_available", "pg_last_committed_xact", "pg_last_wal_receive_lsn",
		"pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp", "pg_lock_status", "pg_notification_queue_usage",
		"pg_partition_ancestors", "pg_partition_tree", "pg_prepared_xact", "pg_relation_size",
		"pg_replication_origin_progress", "pg_replication_origin_session_is_setup", "pg_replication_origin_session_progress",
		"pg_safe_snapshot_blocking_pids", "pg_sequence_last_value", "pg_show_replication_origin_status", "pg_sleep",
		"pg_sleep_for", "pg_sleep_until", "pg_stat_clear_snapshot", "pg_stat_get_recovery_prefetch",
		"pg_stat_get_xact_blocks_fetched", "pg_stat_get_xact_blocks_hit", "pg_stat_get_xact_function_calls",
		"pg_stat_get_xact_function_self_time", "pg_stat_get_xact_function_total_time", "pg_stat_get_xact_numscans",
		"pg_stat_get_xact_tuples_deleted", "pg_stat_get_xact_tuples_fetched", "pg_stat_get_xact_tuples_hot_updated",
		"pg_stat_get_xact_tuples_inserted", "pg_stat_get_xact_tuples_returned", "pg_stat_get_xact_tuples_updated",
		"pg_stat_have_stats", "pg_table_size", "pg_tablespace_size", "pg_total_relation_size", "pg_xact_commit_timestamp",
		"pg_xact_commit_timestamp_origin", "pg_xact_status", "random", "random_normal", "setseed", "timeofday", "txid_status",
		"lo_get", "loread", "lo_tell", "lo_tell64", "lo_lseek", "lo_lseek64", "lo_open", "lo_close":
		return abi.ClassRead, true

	// They change data, or what other sessions see.
	case "nextval", "setval", "pg_notify", "pg_export_snapshot", "pg_logical_emit_message",
		"pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_all",
		"pg_advisory_unlock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_try_advisory_lock",
		"pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared",
		"lo_creat", "lo_create", "lo_from_bytea", "lo_put", "lowrite", "lo_truncate", "lo_truncate64":
		return abi.ClassWrite, true

	case "lo_unlink":
		return abi.ClassDelete, true

	// set_config is as grave as what it sets, which the companion records beside the call.
	case "set_config":
		return abi.ClassRead, true

	// They administer the server.
	case "pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile",
		"pg_rotate_logfile_old", "pg_switch_wal", "pg_create_restore_point", "pg_backup_start", "pg_backup_stop",
		"pg_start_backup", "pg_stop_backup", "pg_promote", "pg_wal_replay_pause", "pg_wal_replay_resume", "pg_stat_reset",
		"pg_stat_reset_shared", "pg_stat_reset_single_table_counters", "pg_stat_reset_single_function_counters",
		"pg_stat_reset_slru", "pg_stat_reset_replication_slot", "pg_stat_reset_subscription_stats",
		"pg_stat_force_next_flush", "pg_log_backend_memory_contexts", "brin_summarize_new_values", "brin_summarize_range",
		"brin_desummarize_range", "gin_clean_pending_list", "pg_import_system_collations", "pg_drop_replication_slot",
		"pg_create_physical_replication_slot", "pg_copy_physical_replication_slot", "pg_replication_slot_advance":
		return abi.ClassAdmin, true

	// They run SQL text, or read tables named in text.
	case "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "cursor_to_xml", "cursor_to_xmlschema",
		"table_to_xml", "table_to_xmlschema", "table_to_xml_and_xmlschema", "schema_to_xml", "schema_to_xmlschema",
		"schema_to_xml_and_xmlschema", "database_to_xml", "database_to_xmlschema", "database_to_xml_and_xmlschema",
		"ts_stat", "ts_rewrite", "xpath_table", "crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby":
		return abi.ClassOpaque, true

	// Files and programs of the server; internals that nobody calls for a good reason.
	case "lo_import", "lo_export", "pg_read_file", "pg_read_binary_file", "pg_read_file_old", "pg_ls_dir", "pg_stat_file",
		"pg_current_logfile", "pg_hba_file_rules", "pg_ident_file_mappings", "pg_show_all_file_settings",
		"pg_relation_filepath", "fmgr_c_validator", "fmgr_internal_validator", "fmgr_sql_validator":
		return abi.ClassExecute, true
	}
	if strings.HasPrefix(name, "dblink") {
		return abi.ClassOpaque, true
	}
	if strings.HasPrefix(name, "pg_ls_") || strings.HasPrefix(name, "binary_upgrade_") || strings.HasPrefix(name, "pg_file_") {
		return abi.ClassExecute, true
	}
	return 0, false
}

// isNewer lists harmless functions that came after the server that the table was made from.
func isNewer(name string) bool {
	switch name {
	case "any_value", "array_sample", "array_shuffle", "array_sort", "array_reverse", "casefold", "crc32", "crc32c",
		"date_add", "date_subtract", "erf", "erfc", "gamma", "lgamma", "has_largeobject_privilege", "json_array",
		"json_object", "json_arrayagg", "json_objectagg", "json_scalar", "json_serialize", "json_exists", "json_query",
		"json_value", "json_strip_nulls", "jsonb_path_query", "max_identifier_length", "pg_basetype",
		"pg_column_toast_chunk_id", "pg_get_acl", "pg_get_loaded_modules", "pg_input_error_info", "pg_input_is_valid",
		"pg_stat_get_backend_subxact", "pg_wait_events", "range_agg", "to_bin", "to_oct", "to_regtypemod",
		"json", "merge_action", "unicode_assigned", "unicode_version", "icu_unicode_version", "uuid_extract_timestamp", "uuid_extract_version",
		"uuidv4", "uuidv7", "xmltext", "bytea", "system_user":
		return true
	}
	return false
}

// operatorClass is read for PostgreSQL's own operators and execute for all others, which run a user's function.
func operatorClass(schema, name string) Class {
	if schema == "" || schema == "pg_catalog" {
		if _, found := slices.BinarySearch(catalogOperators[:], name); found {
			return abi.ClassRead
		}
	}
	return abi.ClassExecute
}
