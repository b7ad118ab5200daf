package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/softstake/softstake/access"
)

// Security is how the connection to the mail server is encrypted.
type Security string

// The ways, as a flag names them.
const (
	StartTLS  Security = "starttls" // it becomes TLS before anything is said; a server without it gets no mail
	TLS       Security = "tls"      // it is TLS from the start, usually at port 465
	Plaintext Security = "none"     // for a server on this machine only
)

// Server is the mail server that notices are sent through.
type Server struct {
	Host     string
	Port     int
	Security Security
	User     string // "": it wants no log-in
	Password access.Hidden
	TLS      *tls.Config   // nil: the machine's certificates
	Timeout  time.Duration // of one mail, from the connection on
}

// errRecipient means that the server does not take the mail, now or later: another server would not do better.
var errRecipient = errors.New("the mail server refused the mail")

// errServer means that the server does not take any mail at the moment: it is not reached, or refuses the log-in.
var errServer = errors.New("the mail server does not work")

// client connects to the server.
func (s Server) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(s.Port), gomail.WithTimeout(s.Timeout)}
	switch s.Security {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case TLS:
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.TLS != nil {
		options = append(options, gomail.WithTLSConfig(s.TLS))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User),
			gomail.WithPassword(string(s.Password)))
	}
	return gomail.NewClient(s.Host, options...)
}

// Check returns an error unless the fields can be those of a server.
func (s Server) Check() error {
	_, err := s.client()
	return err
}

// send sends a message: nil when the server has accepted it, whatever it says after that. The error is errRecipient or
// errServer, or neither where the mail is to be tried later.
func (s Server) send(ctx context.Context, msg *gomail.Msg) error {
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	err = c.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	refusal, is := errors.AsType[*gomail.SendError](err)
	if !is {
		return fmt.Errorf("%w: %w", errServer, err)
	}
	const permanent = 500 // from this code on [RFC 5321, 4.2.1]
	switch refusal.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		if refusal.ErrorCode() >= permanent {
			return fmt.Errorf("%w: %w", errRecipient, err)
		}
	case gomail.ErrSMTPMailFrom: // it is about the sender, who is the same in each mail
		return fmt.Errorf("%w: %w", errServer, err)
	}
	return err
}
