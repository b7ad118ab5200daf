package api_test

import (
	"testing"

	"github.com/softstake/softstake/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
