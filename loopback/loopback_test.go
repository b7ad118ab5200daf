package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "localhost.": true,
		"127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, ".": false, "localhost..": false, "localhost.example.com": false, "notlocalhost": false,
		"127.0.0.1.": false, "127.1": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "::ffff:10.0.0.1": false,
		"127.0.0.1:80": false, "[::1]": false,
	} {
		if Host(host) != want {
			t.Errorf("Host(%q) = %t, want %t", host, !want, want)
		}
	}
}
