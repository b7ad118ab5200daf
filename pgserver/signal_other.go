//go:build !unix

package pgserver

import "errors"

// Elsewhere than on Unix no process is stalled.

func stall(int) error   { return errors.ErrUnsupported }
func proceed(int) error { return errors.ErrUnsupported }
func kill(int) error    { return errors.ErrUnsupported }
