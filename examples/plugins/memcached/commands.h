/* commands.h: every command of memcached 1.6's text protocol, its class and the form of its line. */

enum kind {
	GET,     /* keys */
	TOUCHING, /* expires, keys */
	STORE,   /* key flags expires size [noreply], data */
	CAS,     /* key flags expires size cas [noreply], data */
	COUNT,   /* key value [noreply] */
	DELETE,  /* key [0] [noreply] */
	TOUCH,   /* key expires [noreply] */
	META,    /* key flags */
	META_SET, /* key size flags, data */
	NOOP,    /* nothing: mn */
	PLAIN,   /* words that the server takes as they are */
};

static const struct known {
	const char *name;
	enum kind kind;
	enum sp_class class;
} known[] = {
	{"get", GET, SP_READ}, {"gets", GET, SP_READ}, {"bget", GET, SP_READ},
	{"gat", TOUCHING, SP_WRITE}, {"gats", TOUCHING, SP_WRITE},
	{"set", STORE, SP_WRITE}, {"add", STORE, SP_WRITE}, {"replace", STORE, SP_WRITE}, {"append", STORE, SP_WRITE},
	{"prepend", STORE, SP_WRITE}, {"cas", CAS, SP_WRITE},
	{"incr", COUNT, SP_WRITE}, {"decr", COUNT, SP_WRITE}, {"delete", DELETE, SP_DELETE}, {"touch", TOUCH, SP_WRITE},
	{"mg", META, SP_READ}, {"ms", META_SET, SP_WRITE}, {"md", META, SP_DELETE}, {"ma", META, SP_WRITE}, {"me", META, SP_READ},
	{"mn", NOOP, SP_SESSION},
	{"version", PLAIN, SP_SESSION}, {"quit", PLAIN, SP_SESSION},
	{"stats", PLAIN, SP_READ},           /* admin: stats reset, stats detail on|off */
	{"lru_crawler", PLAIN, SP_ADMIN},    /* read: metadump, mgdump */
	{"flush_all", PLAIN, SP_DELETE},
	{"verbosity", PLAIN, SP_ADMIN}, {"cache_memlimit", PLAIN, SP_ADMIN}, {"slabs", PLAIN, SP_ADMIN}, {"lru", PLAIN, SP_ADMIN},
	{"watch", PLAIN, SP_ADMIN}, {"shutdown", PLAIN, SP_ADMIN}, {"refresh_certs", PLAIN, SP_ADMIN}, {"extstore", PLAIN, SP_ADMIN},
	{"debugtime", PLAIN, SP_ADMIN}, {"misbehave", PLAIN, SP_ADMIN},
};
