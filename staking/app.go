package staking

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/softstake/softstake/ledger"
)

// oldestApp is the oldest mobile app that may activate [guide].
var oldestApp = appVersion{numbers: [4]int{3, 1, 0}}

// appWords begin the words by which mobile systems and their devices are named, in small
// letters: "iOS 18", "Apple iPhone15,2", "iPadOS", "Android TV".
var appWords = map[string]string{"ios": "ios", "iphone": "ios", "ipad": "ios", "ipod": "ios", "android": "android"}

// Platform normalizes the platform that a client reports: "ios" or "android" if a word of
// it names a mobile system or device, else the whole in small letters.
func Platform(reported string) string {
	name := strings.ToLower(strings.TrimSpace(reported))
	for word := range strings.FieldsFuncSeq(name, func(c rune) bool { return !unicode.IsLetter(c) }) {
		for begin, platform := range appWords {
			if strings.HasPrefix(word, begin) {
				return platform
			}
		}
	}
	return name
}

// Mobile reports whether the client is a mobile app.
func (c Client) Mobile() bool {
	platform := Platform(c.Platform)
	return platform == "ios" || platform == "android"
}

// CheckVersion refuses activation with ErrUpdateApp from a mobile app that is older than
// 3.1.0 or whose version cannot be read.
func (c Client) CheckVersion() error {
	if !c.Mobile() {
		return nil
	}
	version, err := parseAppVersion(c.Version)
	if err != nil || version.before(oldestApp) {
		return ErrUpdateApp.In("", "this is version %q; Soft Staking needs %s or later",
			ledger.Clip(c.Version), oldestApp)
	}
	return nil
}

// appForm is how stores and systems write an app's version: v3.1.0, 3.1, 3.1.0.5,
// 3.1.0-beta.2, 3.1.0+7, 3.1.0 (1234), 3.1.0 build 1234. What follows the numbers names
// a build of them; a "-" marks a pre-release, which is older than the version it names.
var appForm = regexp.MustCompile(`^[vV]?((?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,3})` +
	`(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?(?: ?\([0-9A-Za-z ._-]+\)| (?:[bB]uild )?\d+)?$`)

// appVersion is the version of an app.
type appVersion struct {
	numbers [4]int // the first is the most important; those that were not written are 0
	early   bool   // it came before the version of these numbers
}

// String is the version as most write it: 3.1.0.
func (v appVersion) String() string {
	return fmt.Sprintf("%d.%d.%d", v.numbers[0], v.numbers[1], v.numbers[2])
}

// before reports whether a version is older than another.
func (v appVersion) before(other appVersion) bool {
	if c := slices.Compare(v.numbers[:], other.numbers[:]); c != 0 {
		return c < 0
	}
	return v.early && !other.early
}

// parseAppVersion reads an app's version. Its error is ledger.ErrInvalid.
func parseAppVersion(s string) (v appVersion, err error) {
	parts := appForm.FindStringSubmatch(strings.TrimSpace(s))
	if parts == nil {
		return v, ledger.ErrInvalid.In("", "%q is not an app's version such as 3.1.0", ledger.Clip(s))
	}
	for i, digits := range strings.Split(parts[1], ".") {
		if v.numbers[i], err = strconv.Atoi(digits); err != nil {
			return v, ledger.ErrInvalid.In("", "%q is not an app's version: %w", ledger.Clip(s), err)
		}
	}
	v.early = parts[2] != ""
	return v, nil
}
