package deliver_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/softstake/softstake/deliver"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestKafkaFails: brokers refuse what is sent, or take it and say that they have not, or that its partition has moved:
// what is retried within a session, and what ends it. Afterwards the topic has all, those of an account in their order.
func TestKafkaFails(t *testing.T) {
	faults := []struct {
		err  *kerr.Error
		ends bool // the session
	}{
		{kerr.NotLeaderForPartition, false}, {kerr.RequestTimedOut, false}, {kerr.NotEnoughReplicas, false},
		{kerr.NotEnoughReplicasAfterAppend, false}, {kerr.TopicAuthorizationFailed, true}, {kerr.RecordListTooLarge, true},
		{kerr.InvalidRecord, true},
	}
	for _, stream := range []store.Stream{store.PayoutStream, store.EventStream} {
		t.Run(string(stream), func(t *testing.T) {
			b := newBooks(t)
			cluster := testkit.Must(kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(partitions, string(stream))))(t)
			t.Cleanup(cluster.Close)
			x := newBroker(b, "kafka", 1, stream)
			x.hosts = cluster.ListenAddrs()
			x.address = "kafka://" + x.hosts[0] + "/" + string(stream)
			c := configure(b.DB, b.log)
			c.From, c.Batch = 1, 7
			for _, f := range faults {
				b.settle()
				handle := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: f.err, Count: 2})
				runs := 0
				for ended := false; !ended; runs++ {
					if runs > 5 {
						t.Fatalf("%s: it does not end\n%s", f.err.Message, b.log)
					}
					ended = x.deliver(c) == nil
					c.From = 0
				}
				if handle.Hits() != 2 || f.ends == (runs == 1) {
					t.Errorf("%s: failed %d times, in %d runs", f.err.Message, handle.Hits(), runs)
				}
				cluster.ShufflePartitionLeaders()
			}
			if stream == store.EventStream {
				x.has()
			} else {
				x.same()
			}
		})
	}
}

// deliver delivers what the broker gets.
func (x *broker) deliver(c deliver.Config) (err error) {
	x.Helper()
	to := testkit.Must(parse(x.address))(x.T)
	if x.stream == store.PayoutStream {
		_, err = deliver.Payouts(x.Context(), c, to)
	} else {
		_, err = deliver.Events(x.Context(), c, testkit.Must(parseTopic(x.address))(x.T), allKinds)
	}
	return err
}
