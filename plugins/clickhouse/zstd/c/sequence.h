/* ZSTD_decodeSequence of zstd_decompress_block.c, of which ../build makes the one that is used: with one load for each entry of a table, where clang makes four,
 * and without an index into the last offsets, for which they would have to lie in memory. Each access to memory is checked in WebAssembly. It says the same. */
FORCE_INLINE_TEMPLATE seq_t
ZSTD_decodeSequence(seqState_t *state, const ZSTD_longOffset_e unused, const int last)
{
	/* An entry is u16 the next state, u8 how many bits are added to the value, u8 and to the state, u32 the value. */
	const U64 ll = MEM_readLE64(state->stateLL.table + state->stateLL.state);
	const U64 ml = MEM_readLE64(state->stateML.table + state->stateML.state);
	const U64 of = MEM_readLE64(state->stateOffb.table + state->stateOffb.state);
	const U32 ll_bits = (U32) ll >> 16 & 0xff, ml_bits = (U32) ml >> 16 & 0xff, of_bits = (U32) of >> 16 & 0xff;
	size_t *const before = state->prevOffset;
	BIT_DStream_t *const bits = &state->DStream;
	seq_t seq;

	if (of_bits > 1)
	{
		seq.offset = (of >> 32) + BIT_readBitsFast(bits, of_bits);
		before[2] = before[1];
		before[1] = before[0];
		before[0] = seq.offset;
	}
	else
	{
		const size_t none = ll >> 32 == 0; /* there are no literals */
		const size_t first = before[0], second = before[1];
		if (LIKELY(of_bits == 0))
		{
			seq.offset = none ? second : first;
			before[1] = none ? first : second;
		}
		else
		{
			const size_t which = (of >> 32) + none + BIT_readBitsFast(bits, 1);
			size_t offset = which == 3 ? first - 1 : which == 1 ? second : before[2];
			offset -= !offset; /* 0 is corrupt, and refused as what is beyond all that was written */
			if (which != 1)
				before[2] = second;
			before[1] = first;
			seq.offset = offset;
		}
		before[0] = seq.offset;
	}

	seq.matchLength = ml >> 32;
	if (ml_bits > 0)
		seq.matchLength += BIT_readBitsFast(bits, ml_bits);
	if (UNLIKELY(ll_bits + ml_bits + of_bits >= STREAM_ACCUMULATOR_MIN_64 - (LLFSELog + MLFSELog + OffFSELog)))
		BIT_reloadDStream(bits);
	seq.litLength = ll >> 32;
	if (ll_bits > 0)
		seq.litLength += BIT_readBitsFast(bits, ll_bits);

	if (!last)
	{
		state->stateLL.state = ((U32) ll & 0xffff) + BIT_readBits(bits, (U32) ll >> 24);
		state->stateML.state = ((U32) ml & 0xffff) + BIT_readBits(bits, (U32) ml >> 24);
		state->stateOffb.state = ((U32) of & 0xffff) + BIT_readBits(bits, (U32) of >> 24);
		BIT_reloadDStream(bits);
	}
	return seq;
}
