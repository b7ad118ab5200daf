package cli

import (
	"bufio"
	"bytes"
	"errors"
	"strings"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/kafka"
	"github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/join/postgres"
	"github.com/softstake/softstake/ledger"
)

// source is the source of the address; end ends what it has open.
func (c *joinRunCmd) source(env *Env, mapping *join.Mapping) (_ join.Source, end func() error, err error) {
	defer func() {
		if errors.Is(err, ledger.ErrInvalid) {
			err = usage("the address of the source: %s", ledger.Named(err))
		}
	}()
	end = func() error { return nil }
	switch scheme, rest, _ := strings.Cut(c.Source, ":"); {
	case scheme == "file" && rest != "":
		return join.Folder(rest), end, nil
	case scheme == "postgres" || scheme == "postgresql":
		source, err := c.postgres(env, mapping)
		return source, end, err
	case scheme == "kafka":
		return c.kafka(env, mapping)
	case scheme == "nats":
		source, err := c.nats(env, mapping)
		return source, end, err
	}
	return nil, nil, usage("that is no source; it is file:FOLDER, postgres://USER@HOST/DATABASE?slot=NAME&" +
		"publication=NAME, kafka://HOST,HOST/TOPIC or nats://HOST,HOST/STREAM,STREAM")
}

func (c *joinRunCmd) postgres(env *Env, mapping *join.Mapping) (join.Source, error) {
	switch {
	case c.Credentials != "":
		return nil, usage("a password of PostgreSQL is in ~/.pgpass or PGPASSWORD")
	case mapping == nil:
		return nil, usage("rows of PostgreSQL are read by a mapping: --mapping FILE")
	case len(mapping.Paths("position"))+len(mapping.Paths("previous")) > 0:
		return nil, usage("%s: PostgreSQL gives its rows their positions", c.Mapping)
	}
	mapping.OfRows()
	source, err := postgres.Parse(c.Source, env.Insecure)
	switch {
	case err != nil:
		return nil, err
	case c.DryRun:
		source.DryRun()
	}
	return source, nil
}

func (c *joinRunCmd) kafka(env *Env, mapping *join.Mapping) (join.Source, func() error, error) {
	who, err := kafkaLogin(env, c.Credentials)
	if err != nil {
		return nil, nil, err
	}
	source, err := kafka.Parse(c.Source, who, env.Insecure)
	if err != nil {
		return nil, nil, err
	}
	if c.DryRun {
		source.DryRun()
	}
	if mapping != nil && mapping.Headers() {
		source.WithHeaders()
	}
	return source, source.Close, nil
}

// kafkaLogin is who logs in to Kafka, by a file or, where it is "", by the environment.
func kafkaLogin(env *Env, file string) (kafka.Credentials, error) {
	if file == "" {
		return kafka.Credentials{User: env.Getenv("KAFKA_USERNAME"), Password: env.Getenv("KAFKA_PASSWORD")}, nil
	}
	text, err := readPrivateKey(file)
	return parseLogin(text), err
}

// natsLogin is kafkaLogin for NATS.
func natsLogin(env *Env, file string) (nats.Credentials, error) {
	if file == "" {
		return nats.Credentials{User: env.Getenv("NATS_USER"), Password: env.Getenv("NATS_PASSWORD")}, nil
	}
	text, err := readPrivateKey(file)
	return nats.Credentials{File: text}, err
}

// parseLogin reads the lines username=NAME and password=TEXT.
func parseLogin(text []byte) (c kafka.Credentials) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		switch name, value, _ := strings.Cut(lines.Text(), "="); strings.TrimSpace(name) {
		case "username":
			c.User = strings.TrimSpace(value)
		case "password":
			c.Password = strings.TrimSpace(value)
		}
	}
	return c
}

func (c *joinRunCmd) nats(env *Env, mapping *join.Mapping) (join.Source, error) {
	who, err := natsLogin(env, c.Credentials)
	if err != nil {
		return nil, err
	}
	source, err := nats.Parse(c.Source, who, env.Insecure)
	if err != nil {
		return nil, err
	}
	if c.DryRun {
		source.DryRun()
	}
	if mapping != nil && mapping.Headers() {
		source.WithHeaders()
	}
	return source, nil
}
