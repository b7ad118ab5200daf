// Package s3test is an S3-compatible server for tests. It verifies each signature by the published algorithm (AWS
// Signature Version 4), without the library that the client signs with.
package s3test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server keeps objects of one bucket in memory.
type Server struct {
	URL                string
	ID, Secret, Region string
	Now                func() time.Time
	PageSize           int

	mu      sync.Mutex
	objects map[string]string
	down    bool
}

// New starts a server, which ends with the test.
func New(t testing.TB, now func() time.Time) *Server {
	s := &Server{ID: "AKIATEST", Secret: "a/secret+key", Region: "eu-test-1", Now: now, PageSize: 2,
		objects: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Objects are the keys and texts that are kept.
func (s *Server) Objects() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.objects)
}

// SetDown lets the server refuse everything with 503, or no more.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "IncompleteBody")
		return
	case s.down:
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
		return
	}
	if err := s.verify(r, body); err != nil {
		refuse(w, http.StatusForbidden, err.Error())
		return
	}
	key, inBucket := strings.CutPrefix(r.URL.Path, "/bucket/")
	switch text, found := s.objects[key]; {
	case r.URL.Path == "/bucket" && r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		s.list(w, r.URL.Query())
	case !inBucket:
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		s.objects[key] = string(body)
	case r.Method == http.MethodGet && found:
		write(w, text)
	case r.Method == http.MethodGet:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}

// list answers with a page of keys.
func (s *Server) list(w http.ResponseWriter, q url.Values) {
	type object struct{ Key string }
	page := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		Contents              []object
		NextContinuationToken string `xml:",omitempty"`
	}{}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= q.Get("continuation-token") {
			continue
		}
		if len(page.Contents) == s.PageSize {
			page.IsTruncated, page.NextContinuationToken = true, page.Contents[s.PageSize-1].Key
			break
		}
		page.Contents = append(page.Contents, object{key})
	}
	text, err := xml.Marshal(page)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError")
		return
	}
	write(w, string(text))
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	write(w, "<Error><Code>"+code+"</Code></Error>")
}

func write(w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		return // the client has gone away
	}
}

// skew is by how much a client's clock may differ.
const skew = 15 * time.Minute

// verify checks the time, the hash of the body and the signature of a request. Its errors are S3's codes.
func (s *Server) verify(r *http.Request, body []byte) error {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if off := s.Now().Sub(at); err != nil || off > skew || off < -skew {
		return errors.New("RequestTimeTooSkewed")
	}
	sum := sha256.Sum256(body)
	if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
		return errors.New("XAmzContentSHA256Mismatch")
	}
	signed := ""
	for part := range strings.SplitSeq(r.Header.Get("Authorization"), ", ") {
		if names, is := strings.CutPrefix(part, "SignedHeaders="); is {
			signed = names
		}
	}
	for _, name := range []string{"host", "x-amz-content-sha256", "x-amz-date"} {
		if !slices.Contains(strings.Split(signed, ";"), name) {
			return errors.New("AccessDenied")
		}
	}
	want := Authorization(r, strings.Split(signed, ";"), s.ID, s.Secret, s.Region)
	if !hmac.Equal([]byte(want), []byte(r.Header.Get("Authorization"))) {
		return errors.New("SignatureDoesNotMatch")
	}
	return nil
}

// Authorization is the header that a request has to have, by the published algorithm.
func Authorization(r *http.Request, signed []string, id, secret, region string) string {
	pairs := strings.Split(r.URL.RawQuery, "&")
	slices.Sort(pairs)
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.Join(pairs, "&") + "\n"
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		canonical += name + ":" + strings.TrimSpace(value) + "\n"
	}
	canonical += "\n" + strings.Join(signed, ";") + "\n" + r.Header.Get("X-Amz-Content-Sha256")
	at := r.Header.Get("X-Amz-Date")
	scope := at[:8] + "/" + region + "/s3/aws4_request"
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + secret)
	for _, part := range []string{at[:8], region, "s3", "aws4_request", "AWS4-HMAC-SHA256\n" + at + "\n" + scope + "\n" +
		hex.EncodeToString(sum[:])} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", id, scope,
		strings.Join(signed, ";"), key)
}
