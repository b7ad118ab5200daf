package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/s3"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type anchorCmd struct {
	Make anchorMakeCmd `cmd:"" help:"Make the records that are due, and sign them."`
	Key  anchorKeyCmd  `cmd:"" help:"Make the key that records are signed with."`
	List anchorListCmd `cmd:"" help:"List the checkpoints that the books keep."`
}

// anchorFlags say what checkpoints are signed with, and where they are put.
type anchorFlags struct {
	AnchorKey      string `placeholder:"FILE" help:"The private key that checkpoints are signed with, as \"anchor key\" makes it."`
	AnchorCommand  string `placeholder:"COMMAND" help:"Sign with a command instead, for a KMS or an HSM: it gets the text on standard input, and prints the Ed25519 signature of it in base64."`
	AnchorVerifier string `placeholder:"KEY" help:"With --anchor-command, or where another process signs, the public key, NAME+HASH+KEY, or a file that has it: the page /proofs publishes it."`
	AnchorFile     string `placeholder:"FILE" help:"Append each new checkpoint to this file, which is best not on this machine."`
	AnchorPut      string `placeholder:"URL" help:"Send each new checkpoint to this address by HTTP PUT or, as s3+https://HOST/BUCKET/KEY, to an S3-compatible store; {day} and {size} in it are replaced."`
	s3Flags        `embed:""`
}

// given reports whether checkpoints are to be signed.
func (f anchorFlags) given() bool { return f.AnchorKey != "" || f.AnchorCommand != "" }

func (f anchorFlags) check(env *Env) error {
	switch {
	case f.AnchorKey != "" && f.AnchorCommand != "":
		return usage("--anchor-key and --anchor-command exclude each other")
	case f.AnchorCommand != "" && f.AnchorVerifier == "":
		return usage("--anchor-command needs the public key: --anchor-verifier")
	case !f.given() && (f.AnchorFile != "" || f.AnchorPut != ""):
		return usage("say what to sign with: --anchor-key or --anchor-command")
	}
	if strings.HasPrefix(f.AnchorPut, s3.Prefix) {
		if _, _, err := f.open(env, f.AnchorPut); err != nil {
			return usage("--anchor-put: %s", plain(err))
		}
	}
	return nil
}

// signer is what checkpoints are signed with.
func (f anchorFlags) signer(ctx context.Context) (evidence.Signer, error) {
	if f.AnchorCommand != "" {
		v, err := readVerifier(f.AnchorVerifier)
		if err != nil {
			return evidence.Signer{}, err
		}
		return evidence.CommandSigner(ctx, f.AnchorCommand, v), nil
	}
	s, _, err := f.keySigner()
	return s, err
}

// keySigner signs with the key of the file; its public key is returned too.
func (f anchorFlags) keySigner() (s evidence.Signer, public string, err error) {
	text, err := readPrivateKey(f.AnchorKey)
	if err != nil {
		return s, "", fmt.Errorf("read the key that checkpoints are signed with: %w", err)
	}
	return evidence.KeySigner(strings.TrimSpace(string(text)))
}

// public is the public key that the pages publish, or "" where none is known.
func (f anchorFlags) public() (string, error) {
	switch {
	case f.AnchorVerifier != "":
		text, err := readVerifierText(f.AnchorVerifier)
		if err == nil {
			_, err = evidence.ParseVerifier(text)
		}
		return text, err
	case f.AnchorKey == "":
		return "", nil
	}
	_, public, err := f.keySigner()
	return public, err
}

// readPrivateKey reads a file that nobody but its owner may read.
func readPrivateKey(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // which has no such modes
		return nil, fmt.Errorf("others can read %s; keep it to yourself: chmod 600 %s", name, name)
	}
	return os.ReadFile(name)
}

// readVerifier reads a public key, or the file that has it.
func readVerifier(given string) (note.Verifier, error) {
	text, err := readVerifierText(given)
	if err != nil {
		return nil, err
	}
	return evidence.ParseVerifier(text)
}

// anchor makes the records that are due, signs them, and puts the checkpoint where it is to be kept. Repeating it puts
// the same there again: the one before may not have arrived.
func (f anchorFlags) anchor(ctx context.Context, env *Env, db *store.DB, s evidence.Signer) (made int64,
	c evidence.Checkpoint, err error) {
	if made, err = db.Evidence().Make(ctx); err == nil {
		c, _, err = db.Evidence().Sign(ctx, s)
	}
	if err == nil && (f.AnchorFile != "" || f.AnchorPut != "") {
		err = f.put(ctx, env, c)
		err = errors.Join(err, db.Evidence().Delivered(ctx, c.Size, err)) // the console shows it
	}
	return made, c, err
}

// anchoring is anchor for a server.
func (f anchorFlags) anchoring(ctx context.Context, env *Env, db *store.DB) (
	anchor func(context.Context) (int64, staking.Day, error), err error) {
	s, err := f.signer(ctx)
	return func(ctx context.Context) (int64, staking.Day, error) {
		_, c, err := f.anchor(ctx, env, db, s)
		return c.Size, c.Day, err
	}, err
}

// put puts a checkpoint where it is kept, unless the file ends with it.
func (f anchorFlags) put(ctx context.Context, env *Env, c evidence.Checkpoint) error {
	if f.AnchorFile != "" {
		if err := appendNote(f.AnchorFile, c.Note); err != nil {
			return fmt.Errorf("append the checkpoint to %s: %w", f.AnchorFile, err)
		}
	}
	if f.AnchorPut == "" {
		return nil
	}
	address := strings.NewReplacer("{day}", c.Day.String(), "{size}", fmt.Sprint(c.Size)).Replace(f.AnchorPut)
	if err := f.send(ctx, env, address, c.Note); err != nil {
		return fmt.Errorf("send the checkpoint: %w", err)
	}
	return nil
}

// send sends a text to an address. Its error does not have the address: one that is signed in advance is a secret.
func (f anchorFlags) send(ctx context.Context, env *Env, address, text string) (err error) {
	if strings.HasPrefix(address, s3.Prefix) {
		var store *s3.Store
		var key string
		if store, key, err = f.open(env, address); err == nil {
			err = store.Put(ctx, key, text)
		}
	} else {
		err = putNote(ctx, address, text)
	}
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

func appendNote(name, text string) (err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	before, err := io.ReadAll(file)
	if err != nil || bytes.HasSuffix(before, []byte(text)) {
		return err
	}
	if len(before) > 0 {
		text = "\n" + text
	}
	if _, err = io.WriteString(file, text); err != nil {
		return err
	}
	return file.Sync()
}

// putTimeout is how long the other side may take to accept a checkpoint.
const putTimeout = 30 * time.Second

func putNote(ctx context.Context, url, text string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the other side answers %s", response.Status)
	}
	return nil
}

type anchorMakeCmd struct {
	anchorFlags
}

func (c *anchorMakeCmd) Help() string {
	return `A record of each day that is closed, from 15 minutes after its end on, has the hashes of the rows that the day wrote, and what they are chained with. The checkpoint says in a signed note how many records there are, and the hash over them. Keep it where nobody can reach who can reach the books: "audit --anchors" compares the books with it.

"serve" does the same by itself with the same flags. Without a key the records are made, and not signed. Repeating it has no further effect.

Examples:

  softstake anchor make --anchor-key anchor.key --anchor-file /mnt/worm/anchors.txt
  softstake anchor make --anchor-key anchor.key --anchor-put s3+https://s3.eu-central-1.amazonaws.com/anchors/{day}.txt --anchor-region eu-central-1
  softstake anchor make --anchor-command "aws-sign" --anchor-verifier anchor.pub --anchor-put https://anchors.example.com/{day}.txt`
}

func (c *anchorMakeCmd) Run(env *Env) error {
	if err := c.check(env); err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		if !c.given() {
			made, err := db.Evidence().Make(ctx)
			return env.done(err, "Made %s. Nothing is signed without --anchor-key or --anchor-command.\n",
				count(made, "record", "records"))
		}
		s, err := c.signer(ctx)
		if err != nil {
			return err
		}
		made, checkpoint, err := c.anchor(ctx, env, db, s)
		if err != nil {
			return err
		}
		if err := env.warnf("Made %s; %s through %s are signed.", count(made, "record", "records"),
			count(checkpoint.Size, "record", "records"), checkpoint.Day); err != nil {
			return err
		}
		return env.printf("%s", checkpoint.Note)
	})
}

type anchorKeyCmd struct {
	Name   string `arg:"" help:"Name of the key, which stands in each checkpoint, such as books.example.com/softstake."`
	File   string `placeholder:"FILE" default:"anchor.key" help:"New file for the private key, which only you can read. Without it: ${default}."`
	Public string `placeholder:"FILE" help:"Make no key, and print the public key of this file in PEM in the form of checkpoints: for --anchor-command."`
}

func (c *anchorKeyCmd) Help() string {
	return `The public key is printed; keep it with the checkpoints, for "audit --anchors". The private key is best on another machine than the database.

Examples:

  softstake anchor key books.example.com/softstake > anchor.pub
  softstake anchor key books.example.com/softstake --public kms.pem > anchor.pub`
}

func (c *anchorKeyCmd) Run(env *Env) error {
	if c.Public != "" {
		text, err := os.ReadFile(c.Public)
		if err != nil {
			return fmt.Errorf("read the public key: %w", err)
		}
		public, err := evidence.PublicKeyOf(c.Name, text)
		return env.done(err, "%s\n", public)
	}
	private, public, err := evidence.NewKey(env.Random, c.Name)
	if err != nil {
		return err
	}
	if err := writeNewKey(c.File, private); err != nil {
		return fmt.Errorf("make the key that checkpoints are signed with: %w", err)
	}
	return env.printf("%s\n", public)
}

// writeNewKey writes a key into a file that is not there yet, and that only its owner can read.
func writeNewKey(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

type anchorListCmd struct{}

func (c *anchorListCmd) Help() string {
	return `They are as good as the database is. What the audit compares with is kept elsewhere.

Example:

  softstake anchor list > anchors.txt`
}

func (c *anchorListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		notes, err := db.Evidence().Checkpoints(ctx)
		return env.done(err, "%s", strings.Join(notes, "\n"))
	})
}
