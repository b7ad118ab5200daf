package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/softstake/softstake/join"
)

// The moments for which Kafka says an offset.
const (
	first = -2 // the first offset that there still is
	after = -1 // the offset after the last record that is committed
)

// locate looks where the log begins and ends, and begins to read it.
func (r *reader) locate(ctx context.Context) (err error) {
	look, err := r.source.NewClient()
	if err != nil {
		return err
	}
	defer look.Close()
	begin, err := r.offset(ctx, look, first)
	if err == nil {
		r.end, err = r.offset(ctx, look, after)
	}
	if err == nil {
		err = r.checkEpoch(ctx, look)
	}
	if err != nil {
		return err
	}
	nothing := r.start.After == join.Place{}
	switch {
	case nothing && r.source.dryRun:
		r.next = begin
	case nothing && begin > 0:
		return fmt.Errorf("%w: the log begins at offset %d: what was before it is removed, and the books have nothing of it"+
			"; the position of that offset is %d", join.ErrChanged, begin, begin+1)
	case r.next < begin:
		return fmt.Errorf("%w: the log begins at offset %d: what was from offset %d on was removed before it was read",
			join.ErrChanged, begin, r.next)
	case r.end < r.next:
		return fmt.Errorf("%w: the log ends before offset %d, and the books have what was before offset %d: records that "+
			"were read are lost", join.ErrChanged, r.end, r.next)
	}
	from := r.next
	if !nothing && r.next > begin && (r.start.Again || r.start.Mark != "") {
		r.check = true
		from--
	}
	r.client, err = r.source.NewClient(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.source.topic: {r.partition: kgo.NewOffset().At(from)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // a place that is not there is an error, and never another place
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(fetchWithin),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(fetchBytes), kgo.BrokerMaxReadBytes(fetchMost),
		kgo.MaxDecompressBatchBytes(inflatedMost))
	return err
}

// offset is that of a moment.
func (r *reader) offset(ctx context.Context, c *kgo.Client, moment int64) (int64, error) {
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID, request.IsolationLevel = -1, 1 // of what is committed
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = r.source.topic
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = r.partition, moment
	t.Partitions = append(t.Partitions, p)
	request.Topics = append(request.Topics, t)
	response, err := request.RequestWith(ctx, c)
	if err != nil {
		return 0, err
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return 0, errors.New("the broker has not said where the log begins or ends")
	}
	is := response.Topics[0].Partitions[0]
	return is.Offset, kerr.ErrorForCode(is.ErrorCode)
}

// checkEpoch looks whether what the leader of the last record has written is still there up to that record: it is not
// after a leader was elected that did not have it.
func (r *reader) checkEpoch(ctx context.Context, c *kgo.Client) error {
	if r.epoch < 0 {
		return nil
	}
	request := kmsg.NewPtrOffsetForLeaderEpochRequest()
	request.ReplicaID = -1
	t := kmsg.NewOffsetForLeaderEpochRequestTopic()
	t.Topic = r.source.topic
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.Partition, p.LeaderEpoch = r.partition, r.epoch
	t.Partitions = append(t.Partitions, p)
	request.Topics = append(request.Topics, t)
	response, err := request.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return errors.New("the broker has not said where its leaders' records end")
	}
	is := response.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(is.ErrorCode); err != nil {
		return err
	}
	// Below zero: it does not know.
	if is.EndOffset >= 0 && is.EndOffset < r.next {
		return fmt.Errorf("%w: of the records of leader epoch %d only those before offset %d are left, and the books "+
			"have what was before offset %d: a leader was elected that did not have them", join.ErrChanged, r.epoch,
			is.EndOffset, r.next)
	}
	return nil
}
