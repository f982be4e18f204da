/*
 * lane.h: a plugin written against sallyport.h as a module of the Extism lane, so that tests can run the same plugin in both lanes.
 * What is here is what a plugin development kit of Extism does.
 */
#ifdef LANE_EXTISM
#define SP_OTHER_LANE
#endif
#include "sallyport.h"
#ifdef LANE_EXTISM

#define ENV(name) __attribute__((import_module("extism:host/env"), import_name(#name)))
ENV(input_length) uint64_t env_input_length(void);
ENV(input_load_u8) uint32_t env_input_load_u8(uint64_t at);
ENV(input_load_u64) uint64_t env_input_load_u64(uint64_t at);
ENV(alloc) uint64_t env_alloc(uint64_t n);
ENV(store_u8) void env_store_u8(uint64_t at, uint32_t v);
ENV(store_u64) void env_store_u64(uint64_t at, uint64_t v);
ENV(output_set) void env_output_set(uint64_t at, uint64_t n);
ENV(error_set) void env_error_set(uint64_t at);

#define EXPORT(name) __attribute__((export_name(#name), used))

static uint8_t lane_in[SP_CAP + 16], lane_out[SP_CAP + 16];

static size_t lane_input(void) {
	size_t n = (size_t)env_input_length(), k = 0;
	if (n > sizeof lane_in) __builtin_trap();
	for (; k + 8 <= n; k += 8) sp_put(lane_in + k, env_input_load_u64(k), 8);
	for (; k < n; k++) lane_in[k] = (uint8_t)env_input_load_u8(k);
	return n;
}

static uint64_t lane_block(const void *p, size_t n) {
	uint64_t at = env_alloc(n);
	const uint8_t *b = p;
	size_t k = 0;
	for (; k + 8 <= n; k += 8) env_store_u64(at + k, sp_u32(b + k) | (uint64_t)sp_u32(b + k + 4) << 32);
	for (; k < n; k++) env_store_u8(at + k, b[k]);
	return at;
}

static void lane_output(const void *p, size_t n) { env_output_set(lane_block(p, n), n); }

static int32_t lane_answer(void) {
	int more;
	size_t n = sp_fetch(lane_out + 4, SP_CAP, &more);
	sp_put(lane_out, (uint64_t)more, 4);
	lane_output(lane_out, 4 + n);
	return 0;
}

EXPORT(sallyport_abi) int32_t lane_abi(void) {
	lane_output("\0\0\0\0", 4);
	return 0;
}

EXPORT(sallyport_describe) int32_t lane_describe(void) {
	const char *m = sp_manifest();
	lane_output(m, strlen(m));
	return 0;
}

EXPORT(sallyport_configure) int32_t lane_configure(void) {
	size_t n = lane_input();
	const char *bad = sp_on_configure((const char *)lane_in, n);
	if (!bad) return 0;
	env_error_set(lane_block(bad, strlen(bad)));
	return 1;
}

EXPORT(sallyport_open) int32_t lane_open(void) {
	sp_on_open();
	return lane_answer();
}

EXPORT(sallyport_data) int32_t lane_data(void) {
	size_t n = lane_input();
	if (n < 5) __builtin_trap();
	sp_data(lane_in[0], lane_in + 5, n - 5, lane_in[1] & 1);
	return lane_answer();
}

EXPORT(sallyport_event) int32_t lane_event(void) {
	sp_event(lane_in, lane_input());
	return lane_answer();
}
#endif
