package cli

import (
	"context"
	"net/netip"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// clientFlags are what a holder pressed the switch with.
type clientFlags struct {
	Platform   string         `enum:"web,ios,android" default:"web" help:"What the holder used: ${enum}."`
	AppVersion string         `placeholder:"3.1.0" help:"Version of the mobile app; needed with ios and android."`
	Address    string         `placeholder:"IP" help:"Network address the holder came from."`
	Country    staking.Region `placeholder:"CODE" help:"Country the holder came from."`
}

func (f clientFlags) client() (staking.Client, error) {
	c := staking.Client{Platform: f.Platform, Version: f.AppVersion}
	if f.Address != "" {
		address, err := netip.ParseAddr(f.Address)
		if err != nil || address.Zone() != "" {
			return c, usage("--address %q is not an IP address such as 192.0.2.7 or 2001:db8::7", ledger.Clip(f.Address))
		}
		c.Address = address.String()
	}
	if f.Country == "" {
		return c, nil
	}
	var err error
	c.Country, err = staking.ParseRegion(string(f.Country))
	return c, err
}

// acceptCmd accepts documents for a holder.
type acceptCmd struct {
	Account  ledger.Account `arg:""`
	Document string         `arg:"" optional:"" help:"One of them; without it all three."`
	Version  *int           `placeholder:"N" help:"Version that was accepted; without it the current one."`
	clientFlags
}

func (c *acceptCmd) Help() string {
	return `Who accepted which version, when, from which client and address is kept. Repeating has no further effect.

Example:

  softstake accept alice`
}

// Run accepts the documents.
func (c *acceptCmd) Run(env *Env) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	names := []string{c.Document}
	if c.Document == "" {
		names = staking.DocumentNames
	}
	version := 0
	if c.Version != nil {
		version = *c.Version
		if c.Document == "" {
			return usage("--version goes with a document's name")
		}
		if version < 1 {
			return usage("--version %d is no version; the first is 1, and without --version it is the current one", version)
		}
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		for _, name := range names {
			if err := db.Accept(ctx, c.Account, name, version, client); err != nil {
				return err
			}
			if err := env.printf("%s accepted %s.\n", c.Account, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// enrollCmd switches Soft Staking on.
type enrollCmd struct {
	Account ledger.Account `arg:"" optional:""`
	File    string         `placeholder:"FILE" help:"Switch on the accounts of a file; - is the standard input."`
	At      *instant       `placeholder:"TIME" help:"When the switch was pressed, such as 2026-11-22T10:00:00Z: a moment of an open day. Without it: now."`
	clientFlags
}

func (c *enrollCmd) Help() string {
	return `Every token on offer in the account earns from the day after. The account needs a verified residence where Soft Staking is offered, a mobile app of version 3.1.0 or later (the web needs none), and the current version of each document accepted. On already: nothing changes.

A file has a line for each account, in CSV with the column account, and those of accepted_at, accepted, at, platform, version, address and country that it needs; or in JSON, with the names account, acceptedAt, accepted (a list), and so on. accepted_at is when the holder accepted the documents, with its zone: not before they were published. accepted names them, separated by spaces, such as "terms-of-use:1 risk-warning:2"; without it, it is the current version of each. What a line says nothing of is as the flags say. Bad lines are shown with their numbers, and nothing of them is written; the others are switched on, some thousand in a transaction, and the exit status is 1. After an interruption, give the same file again.

Examples:

  softstake enroll alice
  softstake enroll --file holders.csv`
}

// Run switches on.
func (c *enrollCmd) Run(env *Env) error {
	if c.File != "" {
		return c.runFile(env)
	}
	if c.Account == "" {
		return usage("give an account, or a --file of many")
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		e, err := db.Enroll(ctx, c.Account, client, c.At.orZero())
		if err != nil {
			return err
		}
		if e.From <= staking.DayOf(env.Now()) {
			return env.printf("Soft Staking is on for %s; measured since %s.\n", c.Account, e.From)
		}
		return env.printf("Soft Staking is on for %s. The first day measured is %s, 00:00 to 24:00 UTC; its reward "+
			"comes after midnight.\n", c.Account, e.From)
	})
}

// leaveCmd switches Soft Staking off.
type leaveCmd struct {
	Account ledger.Account `arg:""`
	At      *instant       `placeholder:"TIME" help:"When the switch was pressed: a moment of an open day. Without it: now."`
	clientFlags
}

func (c *leaveCmd) Help() string {
	return `The day it is switched off earns nothing; the days before it are paid all the same. It always works.

Example:

  softstake leave alice`
}

// Run switches off.
func (c *leaveCmd) Run(env *Env) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		if err := db.Leave(ctx, c.Account, client, c.At.orZero()); err != nil {
			return err
		}
		return env.printf("Soft Staking is off for %s.\n", c.Account)
	})
}

// orZero is the time, or the zero time where none was given.
func (i *instant) orZero() time.Time {
	if i == nil {
		return time.Time{}
	}
	return time.Time(*i)
}
