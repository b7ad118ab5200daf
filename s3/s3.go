// Package s3 keeps small texts in an S3-compatible store. It knows no books.
package s3

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Credentials are what requests are signed with. They are never part of an error.
type Credentials struct{ ID, Secret, Token string }

// Store is a bucket of a store, and how it is reached. It is safe for concurrent use.
type Store struct {
	endpoint    url.URL // scheme and host
	bucket      string
	region      string
	credentials Credentials
	now         func() time.Time
}

// Prefix is what the address of an object begins with: s3+https://HOST/BUCKET/KEY.
const Prefix = "s3+"

// timeout is how long a request may take.
const timeout = 30 * time.Second

// largest is how many bytes an answer has at most that is read.
const largest = 16 << 20

// Open reads the address of an object, s3+https://HOST/BUCKET/KEY, and returns its store and its key. Buckets are part
// of the path, as every S3-compatible store takes them. region "" is us-east-1.
func Open(address, region string, c Credentials, now func() time.Time) (s *Store, key string, err error) {
	u, err := url.Parse(strings.TrimPrefix(address, Prefix))
	if err != nil || !strings.HasPrefix(address, Prefix) || u.Scheme != "https" && u.Scheme != "http" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" {
		return nil, "", errors.New("the address is not " + Prefix + "https://HOST/BUCKET/KEY")
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if u.Host == "" || bucket == "" || key == "" {
		return nil, "", errors.New("the address has no host, no bucket or no key: " + Prefix + "https://HOST/BUCKET/KEY")
	}
	if c.ID == "" || c.Secret == "" {
		return nil, "", errors.New("no credentials are given")
	}
	return &Store{url.URL{Scheme: u.Scheme, Host: u.Host}, bucket, cmp.Or(region, "us-east-1"), c, now}, key, nil
}

// Put keeps a text under a key. Repeating has no further effect.
func (s *Store) Put(ctx context.Context, key, text string) error {
	_, err := s.do(ctx, http.MethodPut, key, nil, text)
	return err
}

// Get is the text that is kept under a key.
func (s *Store) Get(ctx context.Context, key string) (string, error) {
	return s.do(ctx, http.MethodGet, key, nil, "")
}

// List are the keys that begin so, in their order.
func (s *Store) List(ctx context.Context, prefix string) (keys []string, err error) {
	for token := ""; ; {
		query := url.Values{"list-type": {"2"}, "prefix": {prefix}}
		if token != "" {
			query.Set("continuation-token", token)
		}
		text, err := s.do(ctx, http.MethodGet, "", query, "")
		if err != nil {
			return nil, err
		}
		var page struct {
			Contents []struct{ Key string }
			Next     string `xml:"NextContinuationToken"`
		}
		if err := xml.Unmarshal([]byte(text), &page); err != nil {
			return nil, fmt.Errorf("read the list of objects: %w", err)
		}
		for _, o := range page.Contents {
			keys = append(keys, o.Key)
		}
		if page.Next == "" || page.Next == token {
			return keys, nil
		}
		token = page.Next
	}
}

// client follows no redirect: what is signed is for one host.
var client = &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}}

// do sends a signed request, and returns the body of the answer.
func (s *Store) do(ctx context.Context, method, key string, query url.Values, body string) (text string, err error) {
	at := s.endpoint
	at.Path, at.RawQuery = "/"+s.bucket+"/"+key, strings.ReplaceAll(query.Encode(), "+", "%20")
	if key == "" {
		at.Path = "/" + s.bucket
	}
	request, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	if method == http.MethodPut {
		request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	c := aws.Credentials{AccessKeyID: s.credentials.ID, SecretAccessKey: s.credentials.Secret,
		SessionToken: s.credentials.Token}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // as S3 has it
	if err := signer.SignHTTP(ctx, c, request, hash, "s3", s.region, s.now()); err != nil {
		return "", err
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	read, err := io.ReadAll(io.LimitReader(answer.Body, largest+1))
	if answer.StatusCode != http.StatusOK {
		return "", refused(answer.Status, read)
	}
	if err == nil && len(read) > largest {
		err = fmt.Errorf("the store answers with more than %d bytes", largest)
	}
	return string(read), err
}

// refused is the error of an answer: its status, and the code that S3 names in it.
func refused(status string, body []byte) error {
	var e struct{ Code string }
	if err := xml.Unmarshal(body, &e); err != nil || e.Code == "" {
		return fmt.Errorf("the store answers %s", status)
	}
	return fmt.Errorf("the store answers %s, %.60q", status, e.Code)
}
