// Package browser tries the pages in a real browser, on the real program. It has tests only.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/softstake/softstake/scenario"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	var err error
	if shared.site != nil {
		err = shared.stop()
	}
	if err = errors.Join(err, scenario.RemoveProgram()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// chromium is the one browser of all tests, each of which has a profile of its own in it.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

// browser is the browser, started at its first use. Where there is none the test is
// skipped, or fails if SOFTSTAKE_REQUIRE_BROWSER is 1.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err == nil {
		_, err = os.Stat(axeFile)
	}
	if err != nil {
		if os.Getenv("SOFTSTAKE_REQUIRE_BROWSER") == "1" {
			t.Fatal(err)
		}
		t.Skipf("%v: \"make test\" installs what is missing", err)
	}
	chromium.once.Do(func() {
		ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			// No renderer is made before it is needed.
			chromedp.Flag("disable-features", "Translate,SpareRendererForSitePerProcess"),
			// A key that is pressed before a new page is painted is not dropped, as it is for people, who see no page.
			chromedp.Flag("allow-pre-commit-input", true),
			chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en"),
			chromedp.Flag("hide-scrollbars", true))...)
		chromium.ctx, chromium.stop = chromedp.NewContext(ctx)
		cancel := chromium.stop
		chromium.stop = func() { cancel(); stop() }
		chromium.err = chromedp.Do(chromium.ctx)
	})
	if chromium.err != nil {
		t.Fatalf("start the browser: %v", chromium.err)
	}
	return chromium.ctx
}

// axeFile is the library that looks for barriers.
var axeFile = filepath.Join("node_modules", "axe-core", "axe.min.js")

// patience is how long a page may take for what a person waits for; it is long,
// because a machine that tests is a busy one.
const patience = 30 * time.Second

// startPatience is how long the program may take until it serves: a demo first settles its days.
const startPatience = 3 * time.Minute

// eventually waits until a condition holds.
func eventually(ctx context.Context, holds func(context.Context) (bool, error)) error {
	return within(ctx, patience, holds)
}

// within waits until a condition holds, at most so long.
func within(ctx context.Context, long time.Duration, holds func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	look := time.NewTicker(25 * time.Millisecond)
	defer look.Stop()
	var last error
	for {
		is, err := holds(ctx)
		if is && err == nil {
			return nil
		}
		last = errors.Join(err) // while a page is left for another, it cannot be asked
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		case <-look.C:
		}
	}
}
