package s3_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/s3"
	"github.com/softstake/softstake/s3/s3test"
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// TestTheServerKnowsTheAlgorithm: the server of the tests agrees with an example that is published (AWS, Signature
// Calculations for the Authorization Header, "GET Object").
func TestTheServerKnowsTheAlgorithm(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, "https://examplebucket.s3.amazonaws.com/test.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Range": "bytes=0-9", "X-Amz-Date": "20130524T000000Z",
		"X-Amz-Content-Sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"} {
		r.Header.Set(name, value)
	}
	got := s3test.Authorization(r, []string{"host", "range", "x-amz-content-sha256", "x-amz-date"},
		"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
	if !strings.HasSuffix(got, "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") {
		t.Error(got)
	}
}

// TestObjects: texts are put, listed over several pages and read again, under names that have to be escaped too.
func TestObjects(t *testing.T) {
	server := s3test.New(t, now)
	s, key, err := s3.Open("s3+"+server.URL+"/bucket/a b/{size}ä+&.txt", server.Region,
		s3.Credentials{ID: server.ID, Secret: server.Secret, Token: "session/+="}, now)
	if err != nil || key != "a b/{size}ä+&.txt" {
		t.Fatal(key, err)
	}
	names := []string{"a b/1ä+&.txt", "a b/2.txt", "a b/3.txt", "a b/4.txt", "a b/5.txt", "b/1.txt"}
	for _, name := range names {
		for range 2 {
			if err := s.Put(t.Context(), name, "text of "+name); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := s.List(t.Context(), "a b/")
	if err != nil || !slices.Equal(got, names[:5]) {
		t.Errorf("listed are %q, %v", got, err)
	}
	if text, err := s.Get(t.Context(), names[0]); err != nil || text != "text of "+names[0] {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := s.Get(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("an object that is not there: %v", err)
	}
	if err := s.Put(t.Context(), "large", strings.Repeat("x", 16<<20+1)); err != nil {
		t.Fatal(err)
	}
	if text, err := s.Get(t.Context(), "large"); err == nil {
		t.Errorf("%d bytes of a text that is too large are the text", len(text))
	}
}

// TestRefused: what is not signed as it should be is refused, and no error has a secret.
func TestRefused(t *testing.T) {
	server := s3test.New(t, now)
	good := s3.Credentials{ID: server.ID, Secret: server.Secret}
	for code, c := range map[string]struct {
		credentials s3.Credentials
		region      string
		at          time.Duration
	}{
		"SignatureDoesNotMatch": {s3.Credentials{ID: server.ID, Secret: "other-secret"}, server.Region, 0},
		"RequestTimeTooSkewed":  {good, server.Region, time.Hour},
	} {
		s, key, err := s3.Open("s3+"+server.URL+"/bucket/1.txt", c.region, c.credentials,
			func() time.Time { return now().Add(c.at) })
		if err != nil {
			t.Fatal(err)
		}
		err = s.Put(t.Context(), key, "x")
		if err == nil || !strings.Contains(err.Error(), code) || strings.Contains(err.Error(), c.credentials.Secret) {
			t.Errorf("%s: %v", code, err)
		}
	}
	s, key, err := s3.Open("s3+"+server.URL+"/bucket/1.txt", "", good, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), key, "x"); err == nil { // another region is another key
		t.Error("a request of another region is accepted")
	}
	if len(server.Objects()) > 0 {
		t.Errorf("kept are %v", server.Objects())
	}
	for _, address := range []string{"", "s3+", "https://host/bucket/key", "s3+ftp://host/bucket/key", "s3+https://host",
		"s3+https://host/bucket", "s3+https://host/bucket/", "s3+https:///bucket/key", "s3+https://me:secret@host/b/k",
		"s3+https://host/b/k?x=1", "s3+https://host/b/k#x"} {
		if _, _, err := s3.Open(address, "", good, now); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, _, err := s3.Open("s3+https://host/b/k", "", s3.Credentials{ID: "x"}, now); err == nil {
		t.Error("no secret is needed")
	}
}
