package ui

import "testing"

func TestWhoTakesGzip(t *testing.T) {
	for accepted, want := range map[string]bool{
		"": false, "gzip": true, "br;q=1, GZIP ; q=0.5": true, "gzip;q=0": false, "gzip;q=0.000,br": false,
		"x-gzip": false,
	} {
		if takesGzip([]string{accepted}) != want {
			t.Errorf("%q takes gzip: %t", accepted, !want)
		}
	}
}
