package api_test

import (
	"testing"

	"softstake/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
