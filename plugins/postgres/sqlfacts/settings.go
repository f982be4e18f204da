package sqlfacts

import (
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// settingClass is how grave it is to set a variable. Those that only shape the session's own output, limits and plans are
// session; what a policy may rest on (role, an application's own variables that row policies read) is admin, and
// so is each variable that is not listed.
//
// search_path, client_encoding and standard_conforming_strings are session too, although they change how later texts read: the
// session knows them by name and looks after them (see the package comment).
//
// row_security is harmless in both positions: off makes a query fail that a policy would have filtered, and policies hold for the
// same roles as before. pg_dump turns it off.
func settingClass(name string) Class {
	switch name {
	case "application_name", "client_min_messages", "datestyle", "intervalstyle", "timezone", "extra_float_digits",
		"bytea_output", "xmloption", "xmlbinary", "lc_messages", "lc_monetary", "lc_numeric", "lc_time", "timezone_abbreviations",
		"gin_fuzzy_search_limit", "array_nulls", "quote_all_identifiers", "escape_string_warning",
		"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
		"transaction_timeout", "deadlock_timeout", "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count",
		"tcp_user_timeout", "client_connection_check_interval",
		"transaction", "session characteristics", "transaction snapshot", "transaction_isolation", "transaction_read_only",
		"transaction_deferrable", "default_transaction_isolation", "default_transaction_read_only",
		"default_transaction_deferrable", "synchronous_commit", "seed",
		"search_path", "client_encoding", "standard_conforming_strings",
		"work_mem", "maintenance_work_mem", "temp_buffers", "hash_mem_multiplier", "logical_decoding_work_mem", "jit",
		"plan_cache_mode", "cursor_tuple_fraction", "random_page_cost", "seq_page_cost", "cpu_tuple_cost",
		"cpu_index_tuple_cost", "cpu_operator_cost", "effective_cache_size", "effective_io_concurrency",
		"from_collapse_limit", "join_collapse_limit", "geqo", "geqo_threshold", "constraint_exclusion",
		"default_statistics_target", "parallel_setup_cost", "parallel_tuple_cost", "max_parallel_workers_per_gather",
		"max_parallel_workers", "min_parallel_table_scan_size", "min_parallel_index_scan_size", "debug_print_plan",
		"row_security", "synchronize_seqscans", "default_text_search_config", "track_io_timing", "default_toast_compression":
		return abi.ClassSession
	}
	if strings.HasPrefix(name, "enable_") && !strings.Contains(name, ".") { // with a dot it is an application's own
		return abi.ClassSession
	}
	return abi.ClassAdmin
}

// restricts says whether a value of a variable that is admin otherwise takes rights away and gives none: pg_dump keeps views and
// foreign tables from running code while it reads.
func restricts(name, value string) bool {
	return name == "restrict_nonsystem_relation_kind" && strings.ReplaceAll(lower(value), " ", "") == "view,foreign-table"
}
