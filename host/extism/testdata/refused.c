/* Modules that are refused, one for each flag, and their benign twin. */
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
IMPORT("extism:host/env", "alloc") uint64_t env_alloc(uint64_t n);
IMPORT("extism:host/env", "store_u8") void env_store_u8(uint64_t at, uint32_t v);
IMPORT("extism:host/env", "output_set") void env_output_set(uint64_t at, uint64_t n);
IMPORT("extism:host/env", "log_info") void env_log_info(uint64_t at);

#ifdef HTTP
IMPORT("extism:host/env", "http_request") uint64_t forbidden(uint64_t a, uint64_t b);
#define USE forbidden(0, 0)
#elif defined RESET
IMPORT("extism:host/env", "reset") void forbidden(void);
#define USE forbidden()
#elif defined USER
IMPORT("extism:host/user", "secrets") uint32_t forbidden(void);
#define USE forbidden()
#elif defined NATIVE
IMPORT("sallyport", "log") void forbidden(uint32_t a, uint32_t b);
#define USE forbidden(0, 0)
#elif defined WASI
IMPORT("wasi_snapshot_preview1", "open_everything") uint32_t forbidden(void);
#define USE forbidden()
#elif defined WASI_TYPE
IMPORT("wasi_snapshot_preview1", "fd_sync") uint32_t forbidden(uint32_t a, uint32_t b);
#define USE forbidden(1, 2)
#elif defined ENV_TYPE
IMPORT("extism:host/env", "load_u8") uint64_t forbidden(uint32_t a);
#define USE forbidden(1)
#else
#define USE (void)0
#endif

#define EXPORT(name) __attribute__((export_name(#name), used)) int32_t

static uint64_t block(const char *p, size_t n) {
	uint64_t at = env_alloc(n);
	for (size_t k = 0; k < n; k++) env_store_u8(at + k, (uint8_t)p[k]);
	return at;
}

static void output(const char *p, size_t n) { env_output_set(block(p, n), n); }

#ifdef BIG
char big[8 << 20] = {1};
#endif

EXPORT(sallyport_abi) abi(void) {
#ifdef VERSION
	output("\7\0\0\0", 4);
#elif defined SPIN
	for (volatile int k = 0;;) k++;
#elif defined EXIT
	exit(3);
#elif !defined EMPTY
	output("\0\0\0\0", 4);
#endif
#ifdef BIG
	output(big, sizeof big);
#endif
	USE;
	return 0;
}

EXPORT(sallyport_describe) describe(void) {
#ifdef CURIOUS
	struct timespec now[2];
	clock_gettime(CLOCK_REALTIME, &now[0]);
	clock_gettime(CLOCK_MONOTONIC, &now[1]);
	char seen[sizeof now + 16];
	memcpy(seen, now, sizeof now);
	getentropy(seen + sizeof now, 16);
	output(seen, sizeof seen);
	for (int k = 0; k < 3000; k++) env_log_info(block("logged by a guest", 17));
#else
	output("{}", 2);
#endif
	return 0;
}

EXPORT(sallyport_configure) configure(void) { return 7; }
EXPORT(sallyport_open) open_(void) { return 0; }
#ifdef ARGUMENT
EXPORT(sallyport_data) data(int32_t n) { return n; }
#elif !defined NO_DATA
EXPORT(sallyport_data) data(void) { return 0; }
#endif
EXPORT(sallyport_event) event(void) { return 0; }

#ifdef CURIOUS
__attribute__((constructor)) static void begin(void) {
	fputs("written by a guest\n", stdout);
	fflush(stdout);
}
#endif
