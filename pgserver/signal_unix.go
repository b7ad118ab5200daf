//go:build unix

package pgserver

import "syscall"

func stall(pid int) error   { return syscall.Kill(pid, syscall.SIGSTOP) }
func proceed(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) }
func kill(pid int) error    { return syscall.Kill(pid, syscall.SIGKILL) }
