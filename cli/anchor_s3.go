package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/softstake/softstake/s3"
)

// s3Flags are what an S3-compatible store is reached with.
type s3Flags struct {
	AnchorRegion      string `placeholder:"REGION" help:"The region of an S3-compatible store. Without it: AWS_REGION, or us-east-1."`
	AnchorCredentials string `placeholder:"FILE" help:"The credentials of an S3-compatible store, which only you can read: aws_access_key_id, aws_secret_access_key and aws_session_token, each with = and its value on a line. Without it: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment."`
}

// open opens the store of an address, and returns the key of the address too.
func (f s3Flags) open(env *Env, address string) (*s3.Store, string, error) {
	c := s3.Credentials{ID: env.Getenv("AWS_ACCESS_KEY_ID"), Secret: env.Getenv("AWS_SECRET_ACCESS_KEY"),
		Token: env.Getenv("AWS_SESSION_TOKEN")}
	if f.AnchorCredentials != "" {
		text, err := readPrivateKey(f.AnchorCredentials)
		if err != nil {
			return nil, "", fmt.Errorf("read the credentials of the store: %w", err)
		}
		c = parseCredentials(text)
	}
	region := f.AnchorRegion
	if region == "" {
		region = env.Getenv("AWS_REGION")
	}
	return s3.Open(address, region, c, env.Now)
}

// parseCredentials reads the lines NAME = VALUE of the section [default], or of a file without sections.
func parseCredentials(text []byte) (c s3.Credentials) {
	section := "default"
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if name, is := strings.CutPrefix(line, "["); is {
			section = strings.TrimSuffix(name, "]")
		}
		name, value, _ := strings.Cut(line, "=")
		if section != "default" {
			continue
		}
		switch value = strings.TrimSpace(value); strings.TrimSpace(name) {
		case "aws_access_key_id":
			c.ID = value
		case "aws_secret_access_key":
			c.Secret = value
		case "aws_session_token":
			c.Token = value
		}
	}
	return c
}

// readAnchors reads the checkpoints of a file, or of a store: of the one object of an address or, where {day} or {size}
// is in it, of all that begin and end like it.
func (f s3Flags) readAnchors(ctx context.Context, env *Env, from string) ([]byte, error) {
	if !strings.HasPrefix(from, s3.Prefix) {
		return os.ReadFile(from)
	}
	store, key, err := f.open(env, from)
	if err != nil {
		return nil, err
	}
	keys, end := []string{key}, ""
	if i := strings.Index(key, "{"); i >= 0 {
		end = key[strings.LastIndex(key, "}")+1:]
		if keys, err = store.List(ctx, key[:i]); err != nil {
			return nil, err
		}
	}
	var all []byte
	for _, key := range keys {
		if !strings.HasSuffix(key, end) {
			continue
		}
		text, err := store.Get(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		all = append(append(all, text...), '\n')
	}
	return all, nil
}
