package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softstake/softstake/scenario"
)

// debianPackage packs the program of this tree, and returns the package's name.
func debianPackage(t *testing.T) string {
	t.Helper()
	need(t, "dpkg-deb")
	dir := t.TempDir()
	licences := filepath.Join(dir, "LICENSES.txt")
	if err := os.WriteFile(licences, []byte("licences\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "sh", "deb.sh", scenario.Program(t), runtime.GOARCH, "v1.2.0-rc.1", licences, dir)
	return filepath.Join(dir, "softstake_1.2.0~rc.1_"+runtime.GOARCH+".deb")
}

func TestDebianPackage(t *testing.T) {
	deb := debianPackage(t)
	if got := command(t, "dpkg-deb", "--field", deb, "Package", "Version", "Architecture"); got !=
		"Package: softstake\nVersion: 1.2.0~rc.1\nArchitecture: "+runtime.GOARCH+"\n" {
		t.Error(got)
	}
	var files []string // each file's mode, owner and name
	for line := range strings.Lines(command(t, "dpkg-deb", "--contents", deb)) {
		if f := strings.Fields(line); !strings.HasPrefix(f[0], "d") || f[5] == "./etc/softstake/" {
			files = append(files, f[0]+" "+f[1]+" "+f[5])
		}
	}
	want := []string{
		"drwx------ root/root ./etc/softstake/",
		"-rw------- root/root ./etc/softstake/environment",
		"-rwxr-xr-x root/root ./usr/bin/softstake",
		"-rw-r--r-- root/root ./usr/lib/systemd/system/softstake.service",
		"-rw-r--r-- root/root ./usr/share/doc/softstake/CHANGELOG.md",
		"-rw-r--r-- root/root ./usr/share/doc/softstake/SECURITY.md",
		"-rw-r--r-- root/root ./usr/share/doc/softstake/copyright",
		"-rw-r--r-- root/root ./usr/share/doc/softstake/monitoring/dashboard.json",
		"-rw-r--r-- root/root ./usr/share/doc/softstake/monitoring/rules.yml",
		"-rw-r--r-- root/root ./usr/share/doc/softstake/operations.md",
	}
	slices.Sort(files)
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Errorf("the package has\n%s\nwant\n%s", strings.Join(files, "\n"), strings.Join(want, "\n"))
	}
	root := t.TempDir()
	command(t, "dpkg-deb", "--extract", deb, root)
	for name, from := range map[string]string{
		"usr/bin/softstake":                        scenario.Program(t),
		"usr/lib/systemd/system/softstake.service": "softstake.service",
		"etc/softstake/environment":                "environment",
		"usr/share/doc/softstake/operations.md":    "../docs/operations.md",
	} {
		if string(read(t, filepath.Join(root, name))) != string(read(t, from)) {
			t.Errorf("%s is not %s", name, from)
		}
	}
	if got := command(t, "dpkg-deb", "--info", deb, "conffiles"); got != "/etc/softstake/environment\n" {
		t.Errorf("configuration that an upgrade keeps: %q", got)
	}
}

// TestUnitIsHardened asks systemd what it thinks of the unit.
func TestUnitIsHardened(t *testing.T) {
	need(t, "systemd-analyze")
	unit := filepath.Join(t.TempDir(), "softstake.service")
	text := strings.ReplaceAll(string(read(t, "softstake.service")), "/usr/bin/softstake", scenario.Program(t))
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "systemd-analyze", "verify", "--man=no", unit)
	command(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", unit) // 2.0 of 10
	for _, line := range []string{
		"DynamicUser=yes", "StateDirectory=softstake", "ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "SystemCallFilter=@system-service", "CapabilityBoundingSet=",
		"LoadCredential=softstake.key:/etc/softstake/softstake.key",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
}

// assignment is NAME=VALUE in the file "environment", also where it is commented out.
var assignment = regexp.MustCompile(`(?m)^#?([A-Z_]+)=(\S+)$`)

// TestUnitServes runs the unit's command line with its environment, in temporary folders and on free ports.
func TestUnitServes(t *testing.T) {
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/softstake (.*)$`).FindStringSubmatch(string(read(t, "softstake.service")))
	if start == nil {
		t.Fatal("the unit starts something else")
	}
	dir := t.TempDir()
	key, moved := filepath.Join(dir, "softstake.key"), map[string]string{
		"SOFTSTAKE_DB": "sqlite:" + filepath.Join(dir, "books.db"), "SOFTSTAKE_LISTEN": "127.0.0.1:0",
		"SOFTSTAKE_METRICS_LISTEN": "127.0.0.1:0",
	}
	t.Setenv("SOFTSTAKE_KEY_FILE", key)
	for _, a := range assignment.FindAllStringSubmatch(string(read(t, "environment")), -1) {
		value := a[2]
		if there, is := moved[a[1]]; is {
			value = there
		}
		t.Setenv(a[1], value)
	}
	command(t, scenario.Program(t), "init")

	c := exec.CommandContext(t.Context(), scenario.Program(t), strings.Fields(start[1])...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for health := ""; lines.Scan(); {
		var line struct{ Msg, At string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Errorf("a line of the log: %q", lines.Text())
		}
		switch line.Msg {
		case "serving health and metrics":
			health = line.At
		case "serving":
			ask(t, "http://"+health+"/readyz")
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the server ends with %v", err)
	}
}

// ask asks until the answer is 200, for at most a minute.
func ask(t *testing.T, url string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			err = answer.Body.Close()
		}
		if err == nil && answer.StatusCode == http.StatusOK {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", url, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestPackageInstalls installs the package, makes books, and starts the unit.
func TestPackageInstalls(t *testing.T) {
	need(t, "dpkg", "systemctl")
	first, err := os.ReadFile("/proc/1/comm")
	if err != nil || string(first) != "systemd\n" {
		t.Skip("systemd does not run this machine")
	}
	if os.Getuid() != 0 {
		t.Skip("only root installs packages")
	}
	for _, name := range []string{"/etc/softstake", "/var/lib/softstake", "/usr/bin/softstake"} {
		if _, err := os.Lstat(name); err == nil {
			t.Skipf("%s is there: softstake is installed on this machine", name)
		}
	}
	deb := debianPackage(t)
	t.Cleanup(func() {
		if t.Failed() {
			out, err := exec.Command("systemctl", "status", "--no-pager", "--full", "softstake.service").CombinedOutput()
			t.Logf("systemctl status: %v\n%s", err, out)
		}
		for _, c := range [][]string{
			{"dpkg", "--purge", "softstake"}, {"rm", "-rf", "/etc/softstake", "/var/lib/softstake",
				"/var/lib/private/softstake"},
		} {
			if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", c, err, out)
			}
		}
	})
	command(t, "dpkg", "--install", deb)
	command(t, "mkdir", "-m", "700", "/var/lib/softstake")
	command(t, "softstake", "init", "--db", "sqlite:/var/lib/softstake/books.db", "--key-file",
		"/etc/softstake/softstake.key")
	command(t, "systemctl", "start", "softstake.service")
	ask(t, "http://127.0.0.1:9090/readyz")
	if user := command(t, "systemctl", "show", "--property=UID", "--value", "softstake.service"); user == "0\n" {
		t.Error("the service runs as root")
	}
	command(t, "softstake", "status", "--db", "sqlite:/var/lib/softstake/books.db") // root reads books in use
	command(t, "systemctl", "restart", "softstake.service")
	ask(t, "http://127.0.0.1:9090/readyz")
	command(t, "systemctl", "stop", "softstake.service")
	if result := command(t, "systemctl", "show", "--property=Result", "--value",
		"softstake.service"); result != "success\n" {
		t.Errorf("the service ended with %s", result)
	}
}
