/* The companion's exports, see ../doc.go, and zstd's decompressor. */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* From here on sizes have 64 bits, and so do the numbers in which zstd reads bits. Pointers have 32. */
#define size_t unsigned long long

#define ZSTD_STATIC_LINKING_ONLY
#include "error_private.c"
#include "entropy_common.c"
#include "fse_decompress.c"
#include "huf_decompress.c"
#include "xxhash.c"
#include "zstd_common.c"
#include "zstd_ddict.c"
#include "zstd_decompress.c"
#include "zstd_decompress_block.c"

#define EXPORT(name) __attribute__((export_name(name)))

#define HEAD 4
#define MAX_SIZE (16 << 20)

static ZSTD_DCtx *decoder;

/* What every call touches stands at the front. */
static _Alignas(16) unsigned char workspace[192 << 10];
static _Alignas(16) unsigned char in[HEAD + MAX_SIZE];
static _Alignas(16) unsigned char out[MAX_SIZE];

/* The five words that sallyport_buffers points at. */
static struct
{
	uint32_t in, in_capacity, out, out_capacity, error_length;
} buffers;

static int32_t fail(const char *text)
{
	uint32_t n = 0;
	for (; text[n] != 0; n++)
		out[n] = text[n];
	return -1 - (int32_t) n;
}

EXPORT("sallyport_buffers") uint32_t sallyport_buffers(void)
{
	buffers.in = (uint32_t) in;
	buffers.in_capacity = sizeof in;
	buffers.out = (uint32_t) out;
	buffers.out_capacity = sizeof out;
	return (uint32_t) &buffers;
}

EXPORT("sallyport_warm") void sallyport_warm(void)
{
	decoder = ZSTD_initStaticDCtx(workspace, sizeof workspace);
	if (decoder == NULL)
		__builtin_trap(); /* the workspace is too small for this version */
}

EXPORT("sallyport_call") int32_t sallyport_call(int32_t n)
{
	if (n < HEAD || n > (int32_t) sizeof in)
		return fail("an input that is too short or too long");
	uint32_t want = MEM_readLE32(in);
	size_t have = n - HEAD;
	if (want > MAX_SIZE)
		return fail("it becomes too large");

	ZSTD_FrameHeader head;
	size_t result = ZSTD_getFrameHeader(&head, in + HEAD, have);
	if (ZSTD_isError(result))
		return fail(ZSTD_getErrorName(result));
	if (result != 0 || head.frameType != ZSTD_frame)
		return fail("no frame");
	if (head.dictID != 0)
		return fail("a frame that wants a dictionary");
	if (head.frameContentSize != ZSTD_CONTENTSIZE_UNKNOWN && head.frameContentSize != want)
		return fail("a frame of another size");
	size_t whole = ZSTD_findFrameCompressedSize(in + HEAD, have);
	if (ZSTD_isError(whole))
		return fail(ZSTD_getErrorName(whole));
	if (whole != have)
		return fail("more than one frame");

	result = ZSTD_decompressDCtx(decoder, out, want, in + HEAD, have);
	if (ZSTD_isError(result))
		return fail(ZSTD_getErrorName(result));
	if (result != want)
		return fail("a frame of another size");
	return (int32_t) want;
}
