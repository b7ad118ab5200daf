package topic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/topic"
)

func TestWaves(t *testing.T) {
	message := func(id, key string) topic.Message { return topic.Message{ID: id, Key: key} }
	a1, b1, a2, c1, a3, b2 := message("a1", "a"), message("b1", "b"), message("a2", "a"), message("c1", "c"),
		message("a3", "a"), message("b2", "b")
	got := topic.Waves([]topic.Message{a1, b1, a2, c1, a3, b2})
	if diff := cmp.Diff([][]topic.Message{{a1, b1, c1}, {a2, b2}, {a3}}, got); diff != "" {
		t.Error(diff)
	}
	if waves := topic.Waves(nil); len(waves) > 0 {
		t.Error(waves)
	}
}
