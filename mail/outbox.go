package mail

import (
	"context"
	"errors"
	"log/slog"
	"net/mail"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
)

const (
	// firstRetry and longestRetry are the waits before a mail is retried: the backoff doubles the first up to the other.
	firstRetry, longestRetry = time.Minute, 6 * time.Hour
	// firstPause and longestPause are how long no mail is sent after the server did not work: doubled too.
	firstPause, longestPause = 5 * time.Second, 5 * time.Minute
	// noteWait is how long to wait before what became of a mail is written again.
	noteWait = time.Second
)

// Queue is where mails wait.
type Queue interface {
	ClaimMail(ctx context.Context) (m people.Mail, found bool, err error)
	EndMail(ctx context.Context, m people.Mail, problem string) error
	RetryMail(ctx context.Context, m people.Mail, next time.Time, problem string) error
}

// Options are what an Outbox needs.
type Options struct {
	Queue       Queue
	Server      Server
	From        string // "Example <no-reply@example.com>"
	Site        string // URL of the pages, for the links
	Unsubscribe access.Unsubscriber
	Now         func() time.Time
	Log         *slog.Logger
	Poll        time.Duration // how often to look for mail
}

// Outbox sends the mail that waits. Several processes may send the mail of the same books: each mail is claimed by one.
type Outbox struct {
	Options
	writer writer
	pause  time.Duration // after the next failure of the server; firstPause: it works
}

// New returns an Outbox, or an error for a server or a sender that cannot be.
func New(o Options) (*Outbox, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, err
	}
	if err := o.Server.Check(); err != nil {
		return nil, err
	}
	all, err := readTexts()
	if err != nil {
		return nil, err
	}
	w := writer{texts: all, from: *from, site: strings.TrimSuffix(o.Site, "/"), unsubscribe: o.Unsubscribe}
	return &Outbox{Options: o, writer: w, pause: firstPause}, nil
}

// Run sends mail until the context ends. The mail in hand is finished.
func (o *Outbox) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := o.sendNext(ctx)
		if err != nil && ctx.Err() == nil {
			o.Log.Error("the outbox of mail cannot be read; retrying", "error", err, "in", o.Poll)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// sendNext sends the mail that is due, if any, and returns how long to wait before the next.
func (o *Outbox) sendNext(ctx context.Context) (wait time.Duration, err error) {
	m, found, err := o.Queue.ClaimMail(ctx)
	if err != nil || !found {
		return o.Poll, err
	}
	// A mail that was claimed is finished, so that nobody has to find out whether it was sent.
	ctx = context.WithoutCancel(ctx)
	switch {
	case o.Now().Sub(m.Notice.At) > people.MailLife:
		return 0, o.end(ctx, m, "it is too old")
	case m.Notice.Kind.Optional() && !m.Optional:
		return 0, o.end(ctx, m, "unsubscribed")
	}
	msg, err := o.writer.message(m)
	if err != nil {
		return 0, o.end(ctx, m, "it cannot be written: "+err.Error())
	}
	again := backoff(m.Tries)
	err = o.Server.send(ctx, msg)
	if !errors.Is(err, errServer) {
		o.pause = firstPause
	}
	switch {
	case err == nil:
		return 0, o.end(ctx, m, "")
	case errors.Is(err, errRecipient):
		o.Log.Warn("a mail is refused for good", "kind", m.Notice.Kind, "error", err)
		return 0, o.end(ctx, m, err.Error())
	case errors.Is(err, errServer):
		wait = o.pause
		if o.pause == firstPause {
			o.Log.Error("the mail server does not work; retrying", "error", err, "in", wait)
		}
		o.pause = min(2*o.pause, longestPause)
		again = min(again, longestPause) // it is not the mail's fault
	}
	return wait, o.note(ctx, func() error { return o.Queue.RetryMail(ctx, m, o.Now().Add(again), err.Error()) })
}

// backoff is how long to wait after a number of tries.
func backoff(tries int) time.Duration {
	wait := firstRetry
	for range tries - 1 {
		wait = min(2*wait, longestRetry)
	}
	return wait
}

func (o *Outbox) end(ctx context.Context, m people.Mail, problem string) error {
	return o.note(ctx, func() error { return o.Queue.EndMail(ctx, m, problem) })
}

// note writes what became of a mail, and again where that fails: nothing else is sent before, or it might be sent
// twice.
func (o *Outbox) note(ctx context.Context, write func() error) error {
	const most = 10 // within the claim
	for i := 1; ; i++ {
		err := write()
		if err == nil || i == most {
			return err
		}
		o.Log.Error("it cannot be kept what became of a mail; retrying", "error", err, "in", noteWait)
		timer := time.NewTimer(noteWait)
		<-timer.C
		timer.Stop()
	}
}
