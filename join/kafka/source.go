// Package kafka reads the records of a topic of Kafka, whose partitions are those of the source. It knows no books, and
// no consumer group: the place from which a partition is read is the books'.
package kafka

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/softstake/softstake/join"
	"github.com/softstake/softstake/join/address"
	"github.com/softstake/softstake/ledger"
)

// The limits of what is read.
const (
	longestTopic  = join.MaxPartition - 8 // a partition's name has its number too
	lookEvery     = time.Second           // how often the topic is looked at at most: its identity, and its partitions
	fetchBytes    = 1 << 20               // that a partition may be sent at once, unless a batch has more
	fetchMost     = 32 << 20              // that an answer may have
	inflatedMost  = 32 << 20              // that a batch may have which was compressed
	fetchWithin   = 500 * time.Millisecond
	retryWithin   = 15 * time.Second
	silence       = 30 * time.Second // after which a broker that has more and sends nothing is an error
	metadataEvery = 30 * time.Second // after which a new leader is seen without an error
)

// topicName are the topics that can be joined: a partition's name is shown, and named at a command line.
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Credentials are who reads the topic. Where the user is "", nobody is named.
type Credentials struct{ User, Password string }

// Source is a topic. Safe for concurrent use.
type Source struct {
	address address.Address
	topic   string
	sasl    sasl.Mechanism // nil: none
	headers bool
	dryRun  bool

	looking sync.Mutex  // one look at a time; it may take long
	client  *kgo.Client // nil: there is none yet

	mu     sync.Mutex
	looked time.Time
	last   topic // as it was then
}

// topic is what a topic is known by.
type topic struct {
	id         string // that no other topic ever has; "": the brokers give none
	partitions []int32
}

// Parse reads the address of a topic, such as kafka://host,host/topic?sasl=scram-sha-512. The errors are those of
// address.Parse.
func Parse(text string, c Credentials, insecure bool) (*Source, error) {
	a, err := address.Parse(text, "kafka", "9092", insecure)
	if err != nil {
		return nil, err
	}
	s := &Source{address: a, topic: a.Name}
	if !topicName.MatchString(s.topic) || len(s.topic) > longestTopic || join.CheckName("", s.topic, longestTopic) != nil {
		return nil, ledger.ErrInvalid.In("", "the topic is not 1 to %d characters of A-Z a-z 0-9 . _ and -", longestTopic)
	}
	switch name := a.Take("sasl"); {
	case name == "" && c == (Credentials{}):
	case name != "" && c.User == "":
		return nil, ledger.ErrInvalid.In("sasl", "nothing says who logs in")
	default:
		if s.sasl, err = mechanism(name, c); err != nil {
			return nil, err
		}
	}
	return s, a.Unknown()
}

func mechanism(name string, c Credentials) (sasl.Mechanism, error) {
	auth := scram.Auth{User: c.User, Pass: c.Password}
	switch cmp.Or(name, "scram-sha-512") {
	case "plain":
		return plain.Auth{User: c.User, Pass: c.Password}.AsMechanism(), nil
	case "scram-sha-256":
		return auth.AsSha256Mechanism(), nil
	case "scram-sha-512":
		return auth.AsSha512Mechanism(), nil
	}
	return nil, ledger.ErrInvalid.In("sasl", "%q is none of plain, scram-sha-256 and scram-sha-512", ledger.Clip(name))
}

// WithHeaders has readers add the headers of a record to its text, see join.AddHeaders. Call it before Open.
func (s *Source) WithHeaders() { s.headers = true }

// DryRun has readers begin with what the topic still has. Call it before Open.
func (s *Source) DryRun() { s.dryRun = true }

// Close ends the connection over which the topic is looked at. Readers have their own.
func (s *Source) Close() error {
	s.looking.Lock()
	defer s.looking.Unlock()
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
	return nil
}

// Topic is the name of the topic.
func (s *Source) Topic() string { return s.topic }

// NewClient is a client of the brokers, also for who writes to them. Its caller closes it.
func (s *Source) NewClient(more ...kgo.Opt) (*kgo.Client, error) {
	options := append([]kgo.Opt{kgo.SeedBrokers(s.address.Hosts...), kgo.ClientID("softstake"), kgo.Dialer(s.address.Dial),
		kgo.DisableClientMetrics(), kgo.RetryTimeout(retryWithin), kgo.RequestRetries(3), kgo.MetadataMaxAge(metadataEvery),
		kgo.MetadataMinAge(lookEvery / 4)}, more...)
	if s.sasl != nil {
		options = append(options, kgo.SASL(s.sasl))
	}
	return kgo.NewClient(options...)
}

// Partitions are those of the topic: TOPIC-NUMBER. They are looked up once a second at most.
func (s *Source) Partitions(ctx context.Context) (names []string, err error) {
	t, err := s.look(ctx, lookEvery)
	for _, p := range t.partitions {
		names = append(names, s.topic+"-"+strconv.Itoa(int(p)))
	}
	slices.Sort(names)
	return names, err
}

// look returns the topic as it was no longer ago than this.
func (s *Source) look(ctx context.Context, ago time.Duration) (t topic, err error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	now := time.Now()
	if last, looked := s.seen(); !looked.IsZero() && now.Sub(looked) < ago {
		return last, nil
	}
	if s.client == nil {
		if s.client, err = s.NewClient(); err != nil {
			return t, err
		}
	}
	if t, err = readTopic(ctx, s.client, s.topic); err == nil {
		s.mu.Lock()
		s.last, s.looked = t, now
		s.mu.Unlock()
	}
	return t, err
}

// seen is the topic as it was seen last, and when that was; zero: never.
func (s *Source) seen() (topic, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.looked
}

// readTopic reads what a topic is.
func readTopic(ctx context.Context, c *kgo.Client, name string) (t topic, err error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{{Topic: &name}}
	response, err := request.RequestWith(ctx, c)
	if err != nil {
		return t, failed(err)
	}
	if len(response.Topics) != 1 {
		return t, fmt.Errorf("the brokers of Kafka have said something of %d topics, not of one", len(response.Topics))
	}
	is := response.Topics[0]
	if err := kerr.ErrorForCode(is.ErrorCode); err != nil {
		return t, failed(err)
	}
	if is.TopicID != [16]byte{} {
		t.id = hex.EncodeToString(is.TopicID[:])
	}
	for _, p := range is.Partitions {
		t.partitions = append(t.partitions, p.Partition)
	}
	return t, nil
}

// remade is the error where the topic is another one than it was.
func remade(is, was string) error {
	return fmt.Errorf("%w: the topic was made again: its ID is %s, and was %s", join.ErrChanged, is, was)
}

func failed(err error) error {
	if err == nil || errors.Is(err, join.ErrChanged) {
		return err
	}
	return fmt.Errorf("read from Kafka: %w", err)
}

// number is that of a partition.
func (s *Source) number(partition string) (int32, error) {
	text, is := strings.CutPrefix(partition, s.topic+"-")
	n, err := strconv.ParseInt(text, 10, 32)
	if !is || err != nil || n < 0 {
		return 0, fmt.Errorf("the source has no partition %q", partition)
	}
	return int32(n), nil
}

// Open looks whether the partition still has what follows the place of the books. join.ErrChanged where records are
// lost or may be: the topic was made again, it begins after that place, it ends before it, or the record there is not
// the one that the books have.
func (s *Source) Open(ctx context.Context, partition string, start join.Start) (_ join.Reader, err error) {
	n, err := s.number(partition)
	if err != nil {
		return nil, err
	}
	t, err := s.look(ctx, 0)
	if err != nil {
		return nil, err
	}
	r := &reader{source: s, partition: n, start: start, identity: t.id, next: start.After.Position, last: start.After,
		epoch: markedEpoch(start.Mark)}
	if !slices.Contains(t.partitions, n) {
		return nil, fmt.Errorf("the topic of Kafka has no partition %d now", n)
	}
	if start.Identity != "" && t.id != "" && start.Identity != t.id {
		return nil, remade(t.id, start.Identity)
	}
	if err := r.locate(ctx); err != nil {
		return nil, failed(err)
	}
	return r, nil
}
