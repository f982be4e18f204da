package sql

import (
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// SettingClass is how grave it is to change a setting to a value, in the text, beside it in a packet, or in a URL; the name in any
// case, the value "*" if it is not known. Session is what only shapes the output, or how and where a query is computed. Admin is
// what widens what a query may do or read, lifts a limit, hides it from the server's log, and whatever is not known here. Opaque is
// what changes how texts are read, so that nothing of what follows can be said to be what it looks like.
func SettingClass(name, value string) Class {
	var low [maxSetting]byte
	if len(name) > maxSetting {
		return abi.ClassAdmin
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	return settingClass(string(low[:len(name)]), value)
}

// maxSetting bounds the name of a setting that can be known, in bytes.
const maxSetting = 96

func settingClass(name, value string) Class {
	switch name {
	case "dialect", "implicit_select", "polyglot_dialect", "implicit_table_at_top_level", "allow_experimental_kusto_dialect", "allow_experimental_prql_dialect",
		"allow_experimental_polyglot_dialect":
		if name == "dialect" && equalFold(value, "clickhouse") || value == "0" || equalFold(value, "false") {
			return abi.ClassSession
		}
		return abi.ClassOpaque
	case "readonly": // A server lets nobody lower it, and 1 and 2 take rights away.
		if value == "1" || value == "2" {
			return abi.ClassSession
		}
		return abi.ClassAdmin
	case "max_execution_time", "max_result_rows", "max_result_bytes", "max_execution_time_leaf", "max_estimated_execution_time":
		if !aboveZero(value) {
			return abi.ClassAdmin // no limit at all: 0, false, DEFAULT, 1e-9
		}
		return abi.ClassSession
	case "output_format_schema", "input_format_record_errors_file_path":
		return abi.ClassExecute // the server writes a file of this name
	case "allow_experimental_analyzer", "enable_analyzer", "result_overflow_mode", "format_display_secrets_in_show_and_select":
		if name == "format_display_secrets_in_show_and_select" && value != "0" {
			return abi.ClassAdmin
		}
		return abi.ClassSession
	}
	if harmlessSetting(name) {
		return abi.ClassSession
	}
	return abi.ClassAdmin
}

// aboveZero reports whether a value is a number of at least one, in digits and perhaps a point.
func aboveZero(value string) bool {
	if value == "" || value[0] < '1' {
		return false
	}
	for _, c := range []byte(value) {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return true
}

// harmlessSetting reports whether a setting shapes only output and computation.
func harmlessSetting(name string) bool {
	switch name {
	case "max_threads", "max_final_threads", "max_block_size", "preferred_block_size_bytes", "max_insert_block_size", "min_insert_block_size_rows", "min_insert_block_size_bytes",
		"max_insert_threads", "max_compress_block_size", "min_compress_block_size", "max_joined_block_size_rows", "max_read_buffer_size", "max_streams_to_max_threads_ratio",
		"max_alter_threads", "max_download_threads", "max_parsing_threads", "max_threads_for_indexes", "interactive_delay", "poll_interval", "connect_timeout", "receive_timeout", "send_timeout",
		"connect_timeout_with_failover_ms", "tcp_keep_alive_timeout", "http_connection_timeout", "http_send_timeout", "http_receive_timeout", "http_headers_progress_interval_ms", "send_progress_in_http_headers",
		"wait_end_of_query", "http_wait_end_of_query", "http_response_buffer_size", "buffer_size", "enable_http_compression", "http_zlib_compression_level", "http_native_compression_disable_checksumming_on_decompress",
		"cancel_http_readonly_queries_on_client_close", "add_http_cors_header", "compress", "decompress", "network_compression_method", "network_zstd_compression_level", "client_protocol_version",
		"extremes", "totals_mode", "totals_auto_threshold", "log_comment", "send_logs_level", "session_timezone", "timezone", "use_client_time_zone", "exact_rows_before_limit",
		"join_algorithm", "join_use_nulls", "join_default_strictness", "join_any_take_last_row", "partial_merge_join_optimizations", "partial_merge_join_rows_in_right_blocks", "cross_to_inner_join_rewrite",
		"any_join_distinct_right_table_keys", "transform_null_in", "aggregate_functions_null_for_empty", "group_by_use_nulls", "union_default_mode", "except_default_mode",
		"intersect_default_mode", "prefer_column_name_to_alias", "enable_positional_arguments", "enable_order_by_all", "empty_result_for_aggregation_by_empty_set",
		"empty_result_for_aggregation_by_constant_keys_on_empty_set", "decimal_check_overflow", "cast_keep_nullable", "cast_ipv4_ipv6_default_on_conversion_error", "cast_string_to_dynamic_use_inference",
		"data_type_default_nullable", "date_time_input_format", "date_time_output_format", "date_time_overflow_behavior", "bool_true_representation", "bool_false_representation",
		"low_cardinality_allow_in_native_format", "low_cardinality_max_dictionary_size", "low_cardinality_use_single_dictionary_for_part",
		"group_by_two_level_threshold", "group_by_two_level_threshold_bytes", "distributed_aggregation_memory_efficient", "aggregation_memory_efficient_merge_threads", "min_count_to_compile_expression",
		"min_count_to_compile_aggregate_expression", "compile_expressions", "compile_aggregate_expressions", "compile_sort_description", "use_uncompressed_cache", "use_skip_indexes", "use_skip_indexes_if_final",
		"force_index_by_date", "force_primary_key", "force_data_skipping_indices", "use_index_for_in_with_subqueries", "convert_query_to_cnf", "short_circuit_function_evaluation",
		"max_bytes_before_external_group_by", "max_bytes_before_external_sort", "max_bytes_ratio_before_external_group_by", "max_bytes_ratio_before_external_sort", "local_filesystem_read_method",
		"min_bytes_to_use_direct_io", "min_bytes_to_use_mmap_io", "prefer_localhost_replica", "load_balancing", "max_replica_delay_for_distributed_queries", "fallback_to_stale_replicas_for_distributed_queries",
		"skip_unavailable_shards", "optimize_skip_unused_shards", "force_optimize_skip_unused_shards", "select_sequential_consistency", "insert_quorum", "insert_quorum_timeout", "insert_deduplicate",
		"insert_deduplication_token", "deduplicate_blocks_in_dependent_materialized_views", "async_insert", "wait_for_async_insert", "wait_for_async_insert_timeout", "async_insert_deduplicate",
		"insert_null_as_default", "insert_distributed_sync", "distributed_foreground_insert", "mutations_sync", "alter_sync", "lightweight_deletes_sync", "final", "do_not_merge_across_partitions_select_final",
		"multiple_joins_rewriter_version", "joined_subquery_requires_alias", "asterisk_include_materialized_columns", "asterisk_include_alias_columns", "read_in_order_two_level_merge_threshold",
		"prefer_global_in_and_join", "distributed_product_mode", "distributed_group_by_no_merge", "query_plan_enable_optimizations", "merge_tree_min_rows_for_concurrent_read",
		"merge_tree_min_bytes_for_concurrent_read", "merge_tree_max_rows_to_use_cache", "merge_tree_coarse_index_granularity", "use_query_cache", "query_cache_ttl", "query_cache_tag", "query_cache_min_query_runs",
		"query_cache_min_query_duration", "enable_reads_from_query_cache", "enable_writes_to_query_cache", "stream_like_engine_insert_queue", "use_hedged_requests", "use_page_cache_for_disks_without_file_cache",
		"count_distinct_implementation", "describe_include_subcolumns", "describe_compact_output", "describe_extend_object_types", "show_table_uuid_in_table_create_query_if_not_nil",
		"print_pretty_type_names", "create_table_empty_primary_key_by_default", "formatdatetime_f_prints_single_zero", "formatdatetime_parsedatetime_m_is_month_name", "parsedatetime_parse_without_leading_zeros",
		"splitby_max_substrings_includes_remaining_string", "regexp_max_matches_per_row", "limit", "offset", "prefer_external_sort_block_bytes", "min_external_sort_block_bytes",
		"replace_running_query_max_wait_ms", "parallel_view_processing", "background_task_preferred_step_execution_time_ms", "normalize_function_names", "least_greatest_legacy_null_behavior",
		"rewrite_count_distinct_if_with_count_distinct_implementation", "enable_filesystem_cache", "enable_multiple_prewhere_read_steps", "move_all_conditions_to_prewhere", "enable_lightweight_delete":
		return true
	}
	for _, begin := range [...]string{"output_format_", "optimize_", "query_plan_", "allow_prefetched_read_pool_", "merge_tree_read_split_", "format_csv_delimiter", "format_tsv_null_representation",
		"format_csv_null_representation", "format_custom_", "format_regexp_", "format_binary_", "input_format_csv_", "input_format_tsv_", "input_format_json_", "input_format_null_as_default", "input_format_skip_unknown_fields",
		"input_format_defaults_for_omitted_fields", "input_format_with_names_use_header", "input_format_with_types_use_header", "input_format_import_nested_json", "input_format_parallel_parsing",
		"input_format_arrow_", "input_format_parquet_", "input_format_orc_", "input_format_native_", "input_format_try_infer_", "input_format_allow_errors_", "schema_inference_make_columns_nullable", "param_"} {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}
