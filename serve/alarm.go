package serve

import (
	"context"
	"log/slog"

	"github.com/softstake/softstake/access"
)

// alarm logs and counts security events.
func (c Config) alarm() access.Alarm {
	return func(ctx context.Context, event access.SecurityEvent, credential string) {
		caller := access.CallerOf(ctx)
		c.Metrics.alarms.WithLabelValues(string(event)).Inc()
		level := slog.LevelWarn
		if event == access.BreakGlass {
			level = slog.LevelError
		}
		c.Log.Log(ctx, level, "security event", "event", event, "credential", credential, "request", caller.Request,
			"address", caller.Address, "subject", caller.Subject)
	}
}
