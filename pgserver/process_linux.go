package pgserver

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// serverUser is as whom the server runs where the tests run as root: PostgreSQL refuses root.
const serverUser = "postgres"

// childAttributes has a child die with us (of the signal that stops PostgreSQL
// at once), so that killed tests leave no server behind, and not run as root.
func childAttributes() (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() != 0 {
		return attributes, nil
	}
	uid, gid, err := serverIDs()
	if err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, nil
}

// giveToServer makes the path the server user's, where that is not us.
func giveToServer(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := serverIDs()
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

func serverIDs() (uid, gid int, err error) {
	u, err := user.Lookup(serverUser)
	if err != nil {
		return 0, 0, fmt.Errorf("PostgreSQL does not run as root, and there is no user to run it as; "+
			"run the tests as another user: %w", err)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, fmt.Errorf("user %s: %w", serverUser, err)
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return 0, 0, fmt.Errorf("user %s: %w", serverUser, err)
	}
	return uid, gid, nil
}
