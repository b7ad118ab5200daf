package cli

import (
	"time"

	"github.com/softstake/softstake/access"
)

type breakGlassCmd struct {
	Make breakGlassMakeCmd `cmd:"" help:"Make a break-glass credential, which is shown once."`
}

type breakGlassMakeCmd struct {
	Lasts time.Duration `default:"4h" placeholder:"TIME" help:"For how long it can be used from its first use on: 1m to 24h. Without it: ${default}."`
	JSON  bool          `help:"Print a JSON object."`
}

func (c *breakGlassMakeCmd) Help() string {
	return `A bearer token for an emergency in which nobody who may act is there. Print it, seal it, and keep it in a safe. It has the roles admin, operator and approver, and approves nothing that it proposed. Its first use is an alarm, and its time runs from then on; what it does is logged under it. Then it is over, and another is made. There is one at a time: "token revoke" ends it. With four eyes making it needs approval. Unused it ends after a year.

Example:

  softstake break-glass make --lasts 4h`
}

// unusedBreakGlass is for how many years a break-glass credential is good that nobody uses.
const unusedBreakGlass = 1

func (c *breakGlassMakeCmd) Run(env *Env) error {
	return env.makeToken(c.JSON, "Seal it now, and keep it in a safe: it is not shown again.", func(t *access.Token) {
		t.Role, t.Person, t.Lasts = access.Admin, access.BreakGlassPerson, c.Lasts
		t.Expires = env.Now().AddDate(unusedBreakGlass, 0, 0)
	})
}
