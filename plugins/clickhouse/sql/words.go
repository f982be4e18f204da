package sql

const (
	keywordSlots = 1 << 11
	longest      = 20 // bytes of a keyword
)

// keywordTable finds a keyword by its hash; a slot that is taken leads to the next.
var keywordTable = func() (t [keywordSlots]keyword) {
	for k := keyword(1); k < keywords; k++ {
		h := hashLower([]byte(keywordNames[k])) % keywordSlots
		for t[h] != kwNone {
			h = (h + 1) % keywordSlots
		}
		t[h] = k
	}
	return t
}()

// hashLower is FNV-1a of the word in lower case.
func hashLower(word []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range word {
		h = (h ^ uint32(c|0x20)) * 16777619
	}
	return h ^ h>>15
}

// keywordOf is the keyword that a bare word is.
func keywordOf(word []byte) keyword {
	if len(word) > longest || len(word) < 2 {
		return kwNone
	}
	for h := hashLower(word) % keywordSlots; ; h = (h + 1) % keywordSlots {
		k := keywordTable[h]
		if k == kwNone || equalFold(word, keywordNames[k]) {
			return k
		}
	}
}

// equalFold reports whether word is lower in any case. ASCII alone folds.
func equalFold[T []byte | string](word T, lower string) bool {
	if len(word) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := word[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isUnit reports whether a keyword is a unit of INTERVAL.
func (k keyword) isUnit() bool { return kwNanosecond <= k && k <= kwSqlTsiYear }

// notAlias reports whether a word cannot be an alias without AS: what may stand behind an expression or a table in the grammar.
func (k keyword) notAlias() bool {
	return int(k) < len(restricted) && restricted[k]
}

// restricted are the words that are no alias without AS. Servers have shorter lists: what they would take for an alias here is opaque.
var restricted = [keywords]bool{kwAll: true, kwAnti: true, kwAnd: true, kwAny: true, kwApply: true, kwArray: true, kwAs: true, kwAsc: true, kwAscending: true, kwAsof: true, kwBetween: true, kwBy: true, kwCollate: true,
	kwCross: true, kwDesc: true, kwDescending: true, kwDiv: true, kwElse: true, kwEnd: true, kwEscape: true, kwExcept: true, kwFetch: true, kwFill: true, kwFilter: true, kwFinal: true,
	kwFormat: true, kwFrom: true, kwFull: true, kwFor: true, kwGlobal: true, kwGroup: true, kwHaving: true, kwIgnore: true, kwIlike: true, kwIn: true, kwInner: true,
	kwInterpolate: true, kwIntersect: true, kwInto: true, kwIs: true, kwJoin: true, kwLeft: true, kwLike: true, kwLimit: true, kwLocal: true, kwMod: true, kwNatural: true, kwNot: true,
	kwNulls: true, kwOffset: true, kwOn: true, kwOnly: true, kwOr: true, kwOrder: true, kwOuter: true, kwOver: true, kwParallel: true, kwPaste: true, kwPlacing: true, kwPrewhere: true, kwQualify: true,
	kwRegexp: true, kwRespect: true, kwRight: true, kwSample: true, kwSelect: true, kwSemi: true, kwSet: true, kwSettings: true, kwStaleness: true, kwStep: true, kwThen: true,
	kwTo: true, kwUnion: true, kwUsing: true, kwValues: true, kwWhen: true, kwWhere: true, kwWindow: true, kwWith: true, kwWithin: true, kwReplace: true, kwStrict: true, kwTrailing: true}

// hard reports whether a word is refused where an expression or a name should stand: it leads a clause, and whoever means a column
// of that name can quote it.
func (k keyword) hard() bool { return int(k) < len(hardWords) && hardWords[k] }

var hardWords = [keywords]bool{kwSelect: true, kwFrom: true, kwWhere: true, kwPrewhere: true, kwJoin: true, kwUnion: true, kwGroup: true, kwOrder: true,
	kwHaving: true, kwLimit: true, kwOn: true, kwUsing: true, kwInto: true, kwAs: true, kwAnd: true, kwOr: true, kwBetween: true, kwLike: true, kwIlike: true, kwIn: true,
	kwThen: true, kwElse: true, kwWhen: true, kwWith: true, kwExcept: true, kwIntersect: true, kwIs: true, kwBy: true}
