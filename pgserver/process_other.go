//go:build !linux

package pgserver

import (
	"errors"
	"os"
	"syscall"
)

// Elsewhere than on Linux a server outlives killed tests, and root is refused.

func childAttributes() (*syscall.SysProcAttr, error) {
	if os.Geteuid() == 0 {
		return nil, errors.New("PostgreSQL does not run as root; run the tests as another user")
	}
	return &syscall.SysProcAttr{}, nil
}

func giveToServer(string) error { return nil }
