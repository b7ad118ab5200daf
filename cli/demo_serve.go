package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/console"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/serve"
	"github.com/softstake/softstake/web"
)

const (
	// demoListen is where the town is served unless it is said where.
	demoListen = "127.0.0.1:8080"
	// demoPassword opens every account of a town that is thrown away.
	demoPassword = "soft-staking"
	// demoSession is how long one stays logged in to a town: its clock jumps by weeks.
	demoSession = 100 * 366 * 24 * time.Hour
)

// serve opens the town to visitors, shows where it is, and serves it until the person interrupts.
func (c *demoCmd) serve(env *Env, v visit, sealer *access.Sealer) (err error) {
	// A reader that goes away (| head) must not end the program at once: there is
	// a folder to be removed.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	log := slog.New(slog.NewTextHandler(env.Stderr, logOptions(slog.LevelError)))
	visitors, err := c.welcome(env, v.town)
	if err != nil {
		return err
	}
	for _, who := range demoStaff {
		if err := v.town.Books.People().AddStaff(env.Context, who.Email, who.Role, access.Invitation{}); err != nil {
			return err
		}
	}
	proposer := access.Staff{Email: demoStaff[0].Email, Role: demoStaff[0].Role}
	if err := v.town.Office(env.Context, proposer.Actor()); err != nil {
		return err
	}
	play := newPlayer(env, v.town, visitors, log)
	key, err := play.anchor(env)
	if err != nil {
		return err
	}
	s, err := serve.New(serve.Config{
		Books: v.town.Books, Sealer: sealer, Now: v.town.Clock.Now, Log: log,
		Pages: &web.Options{Random: env.Random, Convert: &conversion.Rules{PriceMaxAge: 2 * 24 * time.Hour}, Play: play,
			SessionIdle: demoSession, SessionLife: demoSession, AnchorKey: key},
		Console: &console.Options{Random: env.Random, Visitors: demoStaff},
		Around:  func(next http.Handler) http.Handler { return stopped(v.town, next) },
	})
	if err != nil {
		return err
	}
	address, err := c.start(env, s)
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	v.town.Clock.Go(env.Now)
	play.begin(env.Context)
	defer play.end()
	if err = c.print(env, v); err == nil {
		err = c.printVisitors(env, v, visitors, address)
	}
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	return s.Wait(env.Context)
}

// welcome lets the visitors come and log in.
func (c *demoCmd) welcome(env *Env, town *demo.Town) ([]web.Visitor, error) {
	to := town.Morning()
	if now := env.Now(); env.DBGiven && now.Before(to) {
		to = now
	}
	came, err := town.Welcome(env.Context, to)
	if err != nil {
		return nil, err
	}
	visitors := make([]web.Visitor, len(came))
	for i, v := range came {
		password := demoPassword
		if env.DBGiven { // these books may be served to others one day
			if password, err = access.NewPassword(env.Random); err != nil {
				return nil, err
			}
		}
		hash, err := access.HashPassword(env.Random, password)
		if err != nil {
			return nil, err
		}
		visitors[i] = web.Visitor{Name: v.Name, Email: v.Name + "@example.com", Password: password,
			Story: "visitor." + v.Name}
		if err := town.Books.People().AddLogin(env.Context,
			people.Login{Email: visitors[i].Email, Account: v.Account, Password: hash}); err != nil {
			return nil, err
		}
	}
	return visitors, nil
}

// newSealer has a new key, which is kept nowhere.
func newSealer(env *Env) (*access.Sealer, error) {
	key, err := access.NewSealKey(env.Random)
	if err != nil {
		return nil, err
	}
	return access.NewSealer(key)
}

// start begins to answer where it was said or, where nothing was said and the
// usual address is taken, at a free port.
func (c *demoCmd) start(env *Env, s *serve.Server) (string, error) {
	if c.Listen != "" {
		return s.Start(env.Context, c.Listen)
	}
	address, err := s.Start(env.Context, demoListen)
	if err == nil {
		return address, nil
	}
	if err := env.warnf("The town takes a free port: %s", plain(err)); err != nil {
		return "", err
	}
	return s.Start(env.Context, "127.0.0.1:0")
}

// checkListen resolves the address to listen at, as serve's does. The town is served without TLS.
func (c *demoCmd) checkListen(insecure bool) (err error) {
	if c.Listen != "" {
		c.Listen, err = listenAddress("--listen", c.Listen, insecure,
			"what is sent; listen at 127.0.0.1, or allow it with --insecure")
	}
	return err
}

// stopped lets nobody move the clock while something is posted, but whoever asks for just that.
func stopped(town *demo.Town, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Path == web.ClockPath {
			next.ServeHTTP(w, r)
			return
		}
		town.Still(func() { next.ServeHTTP(w, r) })
	})
}

// demoStaff are those who run a town.
var demoStaff = []console.Visitor{{Email: "olga@example.com", Role: access.Operator},
	{Email: "anton@example.com", Role: access.Approver}, {Email: "ada@example.com", Role: access.Admin},
	{Email: "theo@example.com", Role: access.Treasurer}}

// duties are what there is to do for whom.
var duties = map[access.Role]string{
	access.Operator:  "propose to complete a large withdrawal, or to pay a day of ALGO over its limit",
	access.Approver:  "approve terms that are proposed, or reject them",
	access.Admin:     "propose tokens, limits and members of staff",
	access.Treasurer: "enter staking income, propose to take out fees or to fund a campaign",
}

// stories are what there is to see with whose eyes.
var stories = map[string]string{
	demo.Alice:        "has enough, and has not switched on: begin with her grey tag",
	demo.Bruno:        "has earned since the town began",
	demo.Carla:        "lives where it is not offered: refused, with the reason",
	demo.Dora:         "has too little of each token: shown what is missing",
	string(demo.Nora): "has two accounts that share a cap, weekly income, a campaign, a Launchpool",
}

// siteOf is an address of this machine by the name that a browser allows passkeys at: they are of a name, not of an IP
// address. Another address it returns as it is.
func siteOf(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() {
		return address
	}
	return fmt.Sprintf("localhost:%d", at.Port())
}

// printVisitors shows where the town is, and as whom one may look at it.
func (c *demoCmd) printVisitors(env *Env, v visit, visitors []web.Visitor, address string) error {
	var b strings.Builder
	address = siteOf(address)
	fmt.Fprintf(&b, "\nThe town is open at http://%s/\nIts clock says %s UTC; move it on top of each page.\n\n", address,
		v.town.Clock.Now().Format("2006-01-02 15:04"))
	table := newGrid(text("who"), text("e-mail"), text("password"), text("what there is to see"))
	for _, visitor := range visitors {
		table.add(visitor.Name, visitor.Email, visitor.Password, stories[visitor.Name])
	}
	if err := table.write(&b); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\nIts console is at http://%s%s, where you log in without a password:\n\n", address, console.Path)
	staff := newGrid(text("who"), text("role"), text("what there is to do"))
	for _, who := range demoStaff {
		staff.add(who.Email, string(who.Role), duties[who.Role])
	}
	if err := staff.write(&b); err != nil {
		return err
	}
	end := "the books are gone then."
	if env.DBGiven {
		end = "the books stay."
	}
	fmt.Fprintf(&b, "\nNothing of it is real. Ctrl-C ends it; %s\n", end)
	_, err := io.WriteString(env.Stdout, b.String())
	return err
}
