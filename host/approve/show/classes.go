package show

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// hidden reports characters that are not seen, or blank, or obeyed instead of shown.
func hidden(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case r == '\u2800': // the braille pattern without a dot
		return true
	case unicode.IsGraphic(r):
		return r != ' ' && unicode.Is(unicode.Zs, r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	}
	return true // control, format, private, not assigned, line and paragraph separators
}

// draws reports combining marks that draw over what they stand on or enclose it.
func draws(r rune) bool {
	return unicode.Is(unicode.Me, r) || 0x0334 <= r && r <= 0x0338 || 0x20d0 <= r && r <= 0x20ff || 0xfe20 <= r && r <= 0xfe2f
}

// rightToLeft reports characters that turn the order of their neighbours around.
func rightToLeft(r rune) bool {
	if r < 0x0590 {
		return false
	}
	p, _ := bidi.LookupRune(r)
	switch p.Class() {
	case bidi.R, bidi.AL, bidi.AN:
		return true
	}
	return false
}

// variant reports characters that stand for one ASCII character: those that Unicode decomposes to one (NFKC), and signs that look
// like one.
func variant(r rune) bool {
	if r < utf8.RuneSelf {
		return false
	}
	if strings.ContainsRune(asciiSigns, r) {
		return true
	}
	var from, to [utf8.UTFMax * 4]byte
	out := norm.NFKC.Append(to[:0], utf8.AppendRune(from[:0], r)...)
	return len(out) == 1
}

// asciiSigns look like ; : ' , . / | - ! * < > ~ and have no decomposition that says so.
const asciiSigns = "\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u02d0\u02f8\u0375\u055a\u0589\u0701\u0702\u0703\u0704\u1365\u1806" +
	"\u2010\u2011\u2012\u2032\u2035\u2039\u203a\u2041\u2043\u2044\u204e\u2053\u201a\u201b\u2212\u2215\u2216\u2217\u2223\u2236\u223c" +
	"\u29f5\u29f8\u29f9\u01c0\u01c3\u0964\u2d4f\u2758\ua60e\ua4f8\ua4f9\ua4fa\ua4fd\ua4ff\ua789\ua78b\ua78c"

// dash reports the long dashes, which are signs of their own but for two in a row.
func dash(r rune) bool { return r == '-' || r == '\u2013' || r == '\u2014' || r == '\u2015' }

func isDash(r rune) bool { return dash(r) }

// alike are the scripts whose letters look like each other's.
var alike = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic,
	unicode.Lisu, unicode.Georgian, unicode.Gothic, unicode.Old_Italic, unicode.Deseret, unicode.Glagolitic, unicode.Carian,
	unicode.Lycian, unicode.Lydian, unicode.Runic, unicode.Tifinagh, unicode.Canadian_Aboriginal, unicode.Osage, unicode.Elbasan,
	unicode.Caucasian_Albanian, unicode.Warang_Citi, unicode.Old_Permic, unicode.Vai, unicode.Nko, unicode.Bamum, unicode.Medefaidrin}

// wholly are letters of living scripts that look like Latin ones.
const wholly = "АВЕЅЗІЈКМНОРСТУХҮԌԚԜԀӀѴЬаеѕіїјоорсухүһӏԁԛԝѵѡгҽҿ" + // Cyrillic
	"ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿανγικορυχωϲϳϱσ" + // Greek
	"ՍՏՕԼոսհօցզքյգ" // Armenian

// strangers is the test of the letters of a word that come from another script than the word's own: its Latin letters, else those
// of the script with which it begins. Words that only have letters like Latin ones have nothing but strangers.
func strangers(word string) func(rune) bool {
	var own *unicode.RangeTable
	mixed, looks := false, true
	for _, r := range word {
		s := scriptOf(r)
		if s == nil {
			continue
		}
		looks = looks && strings.ContainsRune(wholly, r)
		switch {
		case own == nil:
			own = s
		case own != s:
			mixed = true
			if s == unicode.Latin {
				own = s
			}
		}
	}
	switch {
	case own == nil:
		return func(rune) bool { return false }
	case mixed:
		return func(r rune) bool {
			s := scriptOf(r)
			return s != nil && s != own || own == unicode.Latin && phonetic(r)
		}
	case looks:
		return func(r rune) bool { return scriptOf(r) != nil }
	case own == unicode.Latin:
		return phonetic
	}
	return func(rune) bool { return false }
}

// phonetic reports Latin letters of phonetic notation and other small blocks, which look like ASCII ones and are in no language's
// words.
func phonetic(r rune) bool {
	return 0x0250 <= r && r <= 0x02af || 0x1d00 <= r && r <= 0x1dbf || 0x2c60 <= r && r <= 0x2c7f || 0xa720 <= r && r <= 0xa7ff || 0xab30 <= r && r <= 0xab6f
}

// scriptOf is the script of a letter, if it is one of those that look like each other.
func scriptOf(r rune) *unicode.RangeTable {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return unicode.Latin
		}
		return nil
	}
	if !unicode.IsLetter(r) {
		return nil
	}
	for _, s := range alike {
		if unicode.Is(s, r) {
			return s
		}
	}
	return nil
}
