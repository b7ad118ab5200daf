package staking_test

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/softstake/softstake/staking"
)

// An app's version in each way that stores, systems and builds write it.
func TestCheckVersion(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.1.0": true, "3.1": true, "3.1.1": true, "3.10.0": true, "3.2": true, "4": true, "10.0.0": true,
		"3.1.0+7": true, "3.1.1-beta": true,
		"v3.1.0": true, "V3.1.0": true, " 3.1.0": true, "3.1.0 ": true, "\t3.1.0\n": true, "v3.1.0 (1234)": true,
		"3.1.0(1234)": true, "3.1.0 (build 12.3)": true,
		"3.1.0 1234": true, "3.1.0 build 1234": true, "3.1.0 Build 1234": true, "3.1.0.5": true, "3.1.0.0": true,
		"v3.1.0.5 (77)": true, "3.1.0.1-beta": true, "3.1.1-rc.1+7 (9)": true,
		"3.0.9": false, "3.0.99": false, "3": false, "2.9.9": false, "0": false, "": false, "abc": false,
		"3.1.0-beta": false, "-3.1.0": false,
		"v3.0.9": false, "3.0.9 (3100)": false, "3.0.9.9": false, "3.0.99.99 (4)": false, "3.1-beta": false,
		"3.1.0-beta (9)": false, "3.0.9 build 310": false,
		"3,1,0": false, "03.1.0": false, "3.1.x": false, "∞": false, "v": false, "vv3.1.0": false, "v 3.1.0": false,
		"3.1.0.5.6": false, "3.1.": false, ".3.1": false, "3..1": false,
		"3.1.0 (": false, "3.1.0 ()": false, "3.1.0 (1) (2)": false, "3.1.0 beta": false, "3.1.0 9.9": false,
		"9999999999.0": false, "(3.1.0)": false, "3 1 0": false, "4 (<b>)": false, "٣.1.0": false,
	} {
		for _, platform := range []string{
			"ios", "android", "iOS", "ANDROID", "iPhone", "iPad", "iPadOS", "iPod touch", "iOS 18.1", " Android TV",
			"iphone os",
		} {
			err := staking.Client{Platform: platform, Version: version}.CheckVersion()
			if (err == nil) != ok || (err != nil && !errors.Is(err, staking.ErrUpdateApp)) {
				t.Errorf("%s %q: %v", platform, version, err)
			}
		}
		for _, platform := range []string{"", "web", "Web", "windows", "macOS", "linux"} {
			if err := (staking.Client{Platform: platform, Version: version}).CheckVersion(); err != nil {
				t.Errorf("%q has no version gate: %q: %v", platform, version, err)
			}
		}
	}
	err := staking.Client{Platform: "ios", Version: strings.Repeat("9", 10_000) + "x"}.CheckVersion()
	if err == nil || len(err.Error()) > 300 || !strings.Contains(err.Error(), "3.1.0") {
		t.Errorf("the message is short and says what is needed: %.400v", err)
	}
}

func TestPlatform(t *testing.T) {
	for said, want := range map[string]string{
		"ios": "ios", "iOS": "ios", "iPhone": "ios", "iPad": "ios", "iPadOS": "ios", "IPADOS 18": "ios", "iPod": "ios",
		"Android": "android", " android ": "android", "Apple iPhone": "ios", "iPhone15,2": "ios", "\"iOS\"": "ios",
		"Android;14": "android", "Google-Android": "android", "iOS,": "ios", "Android 15": "android", "web": "web",
		"Web ": "web", "Windows": "windows", "": "", "macOS": "macos", "notios": "notios",
	} {
		if got := staking.Platform(said); got != want {
			t.Errorf("%q is %q, not %q", said, got, want)
		}
		if again := staking.Platform(staking.Platform(said)); again != want {
			t.Errorf("%q is %q the second time", said, again)
		}
	}
}

// Of plain numbers, those count as new enough that are.
func FuzzCheckVersion(f *testing.F) {
	for _, seed := range []string{
		"3.1.0", "v3.1.0", "3.1.0 (1234)", "3.1.0.5", "3.0.999999999", "3.1.0-beta", "03.1", "3.1.0 +7", "1e9.1",
	} {
		f.Add(seed)
	}
	plain := regexp.MustCompile(`^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}$`)
	f.Fuzz(func(t *testing.T, version string) {
		err := staking.Client{Platform: "ios", Version: version}.CheckVersion()
		if err != nil && (!errors.Is(err, staking.ErrUpdateApp) || len(err.Error()) > 400) {
			t.Errorf("%q: %v", version, err)
		}
		if !plain.MatchString(version) {
			return
		}
		var a, b, c int64
		if _, err := fmt.Sscanf(version, "%d.%d.%d", &a, &b, &c); err != nil {
			t.Fatal(err)
		}
		weight := func(a, b, c int64) *big.Int {
			n := big.NewInt(a)
			n.Mul(n, big.NewInt(1_000_000_000)).Add(n, big.NewInt(b))
			return n.Mul(n, big.NewInt(1_000_000_000)).Add(n, big.NewInt(c))
		}
		if newEnough := weight(a, b, c).Cmp(weight(3, 1, 0)) >= 0; newEnough != (err == nil) {
			t.Errorf("%q: %v", version, err)
		}
	})
}
