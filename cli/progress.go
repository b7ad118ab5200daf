package cli

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// meter shows a person how far a long job is: a bar on a terminal,
// otherwise nothing, or a line each so many steps. It may be used by several
// goroutines. What goes wrong with it is reported at its end, for it must not stop the work.
type meter struct {
	env   *Env
	what  string
	every int64 // a line each so many steps, where nobody watches; 0: none

	mu     sync.Mutex
	bar    *progressbar.ProgressBar // nil where nobody watches
	of     int64
	done   int64
	failed error // the first thing that went wrong
}

// newMeter begins to show work of so many steps; 0: it is not known how many.
func newMeter(env *Env, what string, of int64) *meter {
	m := &meter{env: env, what: what, of: of}
	if isTerminal(env.Stderr) {
		if of <= 0 {
			of = -1
		}
		m.bar = progressbar.NewOptions64(of,
			progressbar.OptionSetWriter(env.Stderr), progressbar.OptionSetDescription(what),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerHead: "━", SaucerPadding: "─"}))
	}
	return m
}

// add counts steps that are done.
func (m *meter) add(n int64) { m.to(m.done+n, m.what) }

// to sets how many steps are done, and what is being done now.
func (m *meter) to(n int64, what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of > 0 {
		n = min(n, m.of)
	}
	before := m.done
	m.done = max(n, before)
	switch {
	case m.bar != nil:
		m.bar.Describe(what)
		m.note(m.bar.Set64(m.done))
	case m.every > 0 && m.done/m.every > before/m.every:
		m.note(m.env.warnf("%s: %d", what, m.done))
	}
}

// note keeps the first thing that went wrong.
func (m *meter) note(err error) {
	if m.failed == nil {
		m.failed = err
	}
}

// warnf writes a message past the bar.
func (m *meter) warnf(format string, args ...any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		m.note(m.bar.Clear())
	}
	return m.env.warnf(format, args...)
}

// end takes the bar away.
func (m *meter) end() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		m.note(m.bar.Finish())
	}
	return m.failed
}
