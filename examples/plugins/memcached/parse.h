/* parse.h: from a line to cmd. Each function returns NULL, or what is wrong with the line. */

static int is(struct sp_text w, const char *s) { return w.n == strlen(s) && memcmp(w.p, s, w.n) == 0; }

/* A decimal number of up to max; nothing before or behind the digits, and no more of them than needed. */
static int number(struct sp_text w, uint64_t max, uint64_t *v) {
	*v = 0;
	if (w.n == 0 || w.n > 20) return 0;
	for (size_t k = 0; k < w.n; k++) {
		uint64_t digit = (uint64_t)(w.p[k] - '0');
		if (w.p[k] < '0' || w.p[k] > '9' || *v > (max - digit) / 10) return 0;
		*v = *v * 10 + digit;
	}
	return 1;
}

static int expires(struct sp_text w) {
	uint64_t v;
	int negative = w.n > 1 && w.p[0] == '-';
	if (!number((struct sp_text){w.p + negative, w.n - (size_t)negative}, INT32_MAX, &v)) return 0;
	cmd.expires = negative ? -(int64_t)v : (int64_t)v;
	cmd.has_expires = 1;
	return 1;
}

static const char *keys(const struct sp_text *w, size_t n) {
	if (n == 0) return "a command without a key";
	for (size_t k = 0; k < n; k++) {
		if (w[k].n > MAX_KEY) return "a key that is too long";
		cmd.keys[k] = w[k];
	}
	cmd.key_count = n;
	return NULL;
}

static int noreply(struct sp_text w) { return cmd.noreply = is(w, "noreply"); }

static const char *data_block(struct sp_text w) {
	if (!number(w, INT32_MAX - 2, &cmd.size)) return "a size that is no number";
	cmd.length += cmd.size + 2;
	return NULL;
}

static const char *store(const struct sp_text *w, size_t n) {
	size_t want = cmd.known->kind == CAS ? 5 : 4;
	uint64_t v;
	if (n == want + 1 && noreply(w[want])) n--;
	if (n != want) return "a command with other words than it has";
	if (!number(w[1], UINT32_MAX, &v)) return "flags that are no number";
	if (!expires(w[2])) return "a time to live that is no number";
	if (want == 5 && !number(w[4], UINT64_MAX, &v)) return "a cas value that is no number";
	const char *bad = keys(w, 1);
	return bad ? bad : data_block(w[3]);
}

/* key, then what is left of n words: the numbers that the command takes, and noreply. */
static const char *one_key(const struct sp_text *w, size_t n) {
	uint64_t v;
	if (n >= 2 && noreply(w[n - 1])) n--;
	switch (cmd.known->kind) {
	case DELETE:
		if (n == 2 && is(w[1], "0")) n--; /* the one time that old clients still send */
		if (n != 1) return "a delete with other words than it has";
		break;
	case COUNT:
		if (n != 2 || !number(w[1], UINT64_MAX, &v)) return "a number that is none";
		break;
	default:
		if (n != 2 || !expires(w[1])) return "a time to live that is no number";
	}
	return keys(w, 1);
}

/* Decodes a key in base64, in place of the key. What does not fit into a rule's text is left out, and so unknown. */
static const char *decode_key(void) {
	static char decoded[MAX_KEY];
	struct sp_text in = cmd.keys[0];
	size_t n = 0, padding = 0;
	uint32_t bits = 0;
	if (in.n == 0 || in.n % 4) return "a key that is not base64";
	for (size_t k = 0; k < in.n; k++) {
		char c = in.p[k];
		uint32_t v = c >= 'A' && c <= 'Z' ? (uint32_t)(c - 'A') : c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a') + 26 : c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 52
		    : c == '+' ? 62 : c == '/' ? 63 : 64;
		if (c == '=' && k + 2 >= in.n) padding++, v = 0;
		else if (v == 64 || padding) return "a key that is not base64";
		bits = bits << 6 | v;
		if (k % 4 == 3) {
			for (int shift = 16; shift >= 0; shift -= 8) decoded[n++] = (char)(bits >> shift);
			bits = 0;
		}
	}
	cmd.keys[0] = (struct sp_text){decoded, n - padding};
	return NULL;
}

/* A time in a meta flag. */
static int meta_time(struct sp_text w) { return expires((struct sp_text){w.p + 1, w.n - 1}); }

/* Flags of a meta command: a letter and what belongs to it, none twice. */
static const char *meta_flags(const struct sp_text *w, size_t n) {
	uint64_t seen[2] = {0}, v;
	int base64 = 0;
	if (n > 12) return "more flags than may be"; /* the server takes a line with too many for one without data */
	for (size_t k = 0; k < n; k++) {
		char c = w[k].p[0];
		struct sp_text rest = {w[k].p + 1, w[k].n - 1};
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return "a flag that is no letter";
		if (seen[c >> 6] & 1ull << (c & 63)) return "a flag that is there twice";
		seen[c >> 6] |= 1ull << (c & 63);
		switch (c) {
		case 'T':
			if (!meta_time(w[k])) return "a time to live that is no number";
			break;
		case 'N': case 'R':
			if (rest.n == 0 || !meta_time(w[k])) return "a time to live that is no number";
			break;
		case 'F': if (!number(rest, UINT32_MAX, &v)) return "flags that are no number"; break;
		case 'C': case 'E': case 'D': case 'J':
			if (!number(rest, UINT64_MAX, &v)) return "a flag whose number is none";
			break;
		case 'O': if (rest.n == 0 || rest.n > 32) return "an opaque that is empty or too long"; break;
		case 'M': if (rest.n != 1) return "a mode that is none"; break;
		case 'q': cmd.quiet = 1; goto bare;
		case 'b': base64 = 1; goto bare;
		case 'c': case 'f': case 'h': case 'k': case 'l': case 's': case 't': case 'v': case 'x': case 'I':
		bare:
			if (rest.n) return "a flag with something behind it";
			break;
		default:
			return "a flag that is not known";
		}
		if (cmd.known->class == SP_READ && (c == 'T' || c == 'N' || c == 'R' || c == 'E')) cmd.class = SP_WRITE;
	}
	return base64 ? decode_key() : NULL;
}

static const char *meta(const struct sp_text *w, size_t n) {
	const char *bad = keys(w, n ? 1 : 0);
	if (bad) return bad;
	if (cmd.known->kind == META) return meta_flags(w + 1, n - 1);
	if (n < 2) return "a command with other words than it has";
	bad = data_block(w[1]);
	return bad ? bad : meta_flags(w + 2, n - 2);
}

static const char *plain(const struct sp_text *w, size_t n) {
	if (n > 15) return "more words than the server reads";
	if (n > 0) noreply(w[n - 1]);
	if (is(sp_str(cmd.known->name), "stats") && n > 0 && (is(w[0], "reset") || (is(w[0], "detail") && !(n > 1 && is(w[1], "dump"))))) cmd.class = SP_ADMIN;
	if (is(sp_str(cmd.known->name), "lru_crawler") && n > 0 && (is(w[0], "metadump") || is(w[0], "mgdump"))) cmd.class = SP_READ;
	return NULL;
}

/* Splits a line at spaces. Control characters are not what clients send, and servers differ in what they make of them. */
static const char *split(const char *p, size_t n, struct sp_text *w, size_t *count) {
	*count = 0;
	if (n > 0 && p[n - 1] == '\r') n--;
	for (size_t k = 0; k < n;) {
		size_t from = k;
		while (k < n && p[k] != ' ') {
			if ((unsigned char)p[k] < ' ' || p[k] == 0x7f) return "a control character in a line";
			k++;
		}
		if (k > from) w[(*count)++] = (struct sp_text){p + from, k - from};
		else k++;
	}
	return NULL;
}

static const char *parse(const char *line, size_t n) {
	static struct sp_text w[MAX_WORDS + 1];
	size_t count;
	const char *bad = split(line, n - 1, w, &count);
	if (bad) return bad;
	cmd.known = NULL;
	for (size_t k = 0; count > 0 && k < sizeof known / sizeof known[0]; k++)
		if (is(w[0], known[k].name)) cmd.known = &known[k];
	if (!cmd.known) return "an unknown command";
	cmd.class = cmd.known->class;
	cmd.length = n;
	cmd.key_count = 0;
	cmd.size = 0;
	cmd.has_expires = cmd.noreply = cmd.quiet = 0;
	switch (cmd.known->kind) {
	case GET: return keys(w + 1, count - 1);
	case TOUCHING:
		if (count < 2 || !expires(w[1])) return "a time to live that is no number";
		return keys(w + 2, count - 2);
	case STORE: case CAS: return store(w + 1, count - 1);
	case COUNT: case DELETE: case TOUCH: return count > 1 ? one_key(w + 1, count - 1) : "a command without a key";
	case META: case META_SET: return meta(w + 1, count - 1);
	case NOOP: return count == 1 ? NULL : "mn takes no words";
	case PLAIN: return plain(w + 1, count - 1);
	}
	return "an unknown command";
}
