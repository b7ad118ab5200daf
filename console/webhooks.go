package console

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// webhooks are the endpoints that get messages by HTTP, without their secrets, and how far each is.
var webhooks = register{
	Name: "webhooks", roles: []access.Role{access.Operator, access.Approver, access.Auditor, access.Admin},
	tables: (*visit).webhooksTables,
	forms: []registerForm{
		{"add", control.AddWebhook, (*visit).newWebhookFields, (*submission).addWebhook},
		{"change", control.ChangeWebhook, (*visit).changeWebhookFields, (*submission).changeWebhook},
		{"rotate", control.RotateWebhook, (*visit).rotateWebhookFields, (*submission).rotateWebhook},
		{"replay", "webhook replay", (*visit).replayWebhookFields, (*submission).replayWebhook},
		{"test", "webhook test", (*visit).webhookFields, (*submission).testWebhook},
		{"disable", "webhook disable", (*visit).disableWebhookFields, (*submission).disableWebhook},
		{"enable", "webhook enable", (*visit).enableWebhookFields, (*submission).enableWebhook},
		{"skip", control.SkipWebhook, (*visit).skipWebhookFields, (*submission).skipWebhook},
		{"remove", control.RemoveWebhook, (*visit).webhookFields, (*submission).removeWebhook},
	},
}

// mostAttempts is how many failed attempts of each endpoint the page shows.
const mostAttempts = 10

func (v *visit) webhooksTables() ([]table, error) {
	all, err := v.Reports.Webhooks(v.context())
	if err != nil {
		return nil, err
	}
	p, now := v.view(""), v.Books.Now()
	endpoints := table{Title: "webhooks.endpoints", Empty: "webhooks.none", Columns: []column{{"webhooks.name", false},
		{"webhooks.state", false}, {"webhooks.kinds", false}, {"webhooks.backlog", false}, {"webhooks.oldest", false},
		{"webhooks.delivered", true}, {"webhooks.url", false}}}
	attempts := table{Title: "webhooks.attempts", Empty: "webhooks.attempts.none", Columns: []column{
		{"webhooks.message", false}, {"webhooks.at", false}, {"webhooks.attempt", true}, {"webhooks.answer", false}}}
	for _, w := range all {
		kinds := cell{Text: strings.ReplaceAll(w.Kinds, ",", ", ")}
		if w.Ordered {
			kinds.Note = p.T("webhooks.in-order")
		}
		delivered := cell{Text: p.count(w.Delivered)}
		if !w.DeliveredAt.IsZero() {
			delivered.Note = p.Local(w.DeliveredAt)
		}
		state, backlog, oldest := p.webhookState(w, now)
		endpoints.Rows = append(endpoints.Rows, row{{Text: w.Name, Note: w.Scheme().Name()}, state, kinds, backlog, oldest,
			delivered, text(w.URL)})
		last, err := v.Reports.WebhookAttempts(v.context(), w.Name, mostAttempts)
		if err != nil {
			return nil, err
		}
		for _, a := range last {
			answer := cell{Text: p.count(int64(a.Status)), Note: a.Extract}
			if a.Status == 0 {
				answer.Text = p.T("webhooks.no-answer")
			}
			attempts.Rows = append(attempts.Rows, row{{Text: a.ID(), Note: w.Name}, text(p.Local(a.At)),
				text(p.count(int64(a.Attempt))), answer})
		}
	}
	topics, err := v.payoutStates()
	return []table{endpoints, attempts, p.topicTable(topics)}, err
}

// webhookState is what becomes of the messages of an endpoint, which of them it has not got, and since when.
func (p *view) webhookState(w reports.Webhook, now time.Time) (state, backlog, oldest cell) {
	state = cell{Text: p.T("webhooks.state." + w.StateAt(now)), Note: w.Reason}
	if s := w.StateAt(now); s != "sending" && s != "paused" {
		state.Mark, state.Text = state.Text, ""
	}
	backlog = text(p.T("webhooks.behind", "events", p.count(w.Events), "payouts", p.count(w.Payouts), "messages",
		p.count(w.Waiting)))
	if oldest = text("–"); !w.Oldest.IsZero() {
		oldest = text(p.Local(w.Oldest))
	}
	return state, backlog, oldest
}

// undelivered are the endpoints that need somebody, without their URLs: also those see it who do not see the endpoints.
func (v *visit) undelivered() (table, error) {
	p, now := v.view(""), v.Books.Now()
	t := table{Title: "webhooks.undelivered", Columns: []column{{"webhooks.name", false}, {"webhooks.state", false},
		{"webhooks.backlog", false}, {"webhooks.oldest", false}}}
	all, err := v.Reports.Webhooks(v.context())
	for _, w := range all {
		if w.Needs(now) {
			state, backlog, oldest := p.webhookState(w, now)
			t.Rows = append(t.Rows, row{text(w.Name), state, backlog, oldest})
		}
	}
	return t, err
}

// webhookField chooses an endpoint of some.
func (v *visit) webhookField(which func(reports.Webhook) bool) (field, error) {
	all, err := v.Reports.Webhooks(v.context())
	f := field{Name: "name", Key: "webhooks.name", Options: []option{}}
	for _, w := range all {
		if which(w) {
			f.Options = append(f.Options, option{Value: w.Name})
		}
	}
	return f, err
}

func anyWebhook(reports.Webhook) bool { return true }

func (v *visit) webhookFields() ([]field, error) {
	f, err := v.webhookField(anyWebhook)
	return []field{f}, err
}

// orders are how messages may be sent.
var orders = []option{{"no", "webhooks.parallel"}, {"yes", "webhooks.in-order"}}

// schemes are how messages may be signed.
var schemes = []option{{"hmac", "webhooks.hmac"}, {"ed25519", "webhooks.ed25519"}}

func (v *visit) newWebhookFields() ([]field, error) {
	return []field{
		{Name: "name", Key: "webhooks.name", Hint: "webhooks.name.hint", Required: true},
		{Name: "url", Key: "webhooks.url", Hint: "webhooks.url.hint", Required: true},
		{Name: "kinds", Key: "webhooks.kinds", Hint: "webhooks.kinds.hint", Required: true},
		{Name: "payoutsAfter", Key: "webhooks.after", Hint: "webhooks.after.new"},
		{Name: "ordered", Key: "webhooks.order", Options: orders},
		{Name: "signature", Key: "webhooks.signature", Options: schemes},
		{Name: "reason", Key: "reason"},
	}, nil
}

func (v *visit) changeWebhookFields() ([]field, error) {
	f, err := v.webhookField(anyWebhook)
	return []field{f, {Name: "url", Key: "webhooks.url", Hint: "webhooks.unchanged"},
		{Name: "kinds", Key: "webhooks.kinds", Hint: "webhooks.unchanged"},
		{Name: "payoutsAfter", Key: "webhooks.after", Hint: "webhooks.after.change"},
		{Name: "ordered", Key: "webhooks.order", Options: append([]option{{"", "webhooks.as-it-is"}}, orders...)},
		{Name: "reason", Key: "reason"}}, err
}

func (v *visit) rotateWebhookFields() ([]field, error) {
	f, err := v.webhookField(anyWebhook)
	return []field{f, {Name: "hours", Key: "webhooks.overlap", Hint: "webhooks.overlap.hint", Initial: "24"},
		{Name: "signature", Key: "webhooks.signature", Options: append([]option{{"", "webhooks.as-it-is"}}, schemes...)}}, err
}

func (v *visit) replayWebhookFields() ([]field, error) {
	f, err := v.webhookField(anyWebhook)
	return []field{f, {Name: "from", Key: "webhooks.from", Hint: "webhooks.from.hint", Required: true},
		{Name: "to", Key: "webhooks.to", Hint: "webhooks.to.hint"}}, err
}

func (v *visit) disableWebhookFields() ([]field, error) {
	f, err := v.webhookField(func(w reports.Webhook) bool { return w.Disabled.IsZero() })
	return []field{f, {Name: "reason", Key: "reason", Required: true}}, err
}

func (v *visit) enableWebhookFields() ([]field, error) {
	f, err := v.webhookField(func(w reports.Webhook) bool { return !w.Disabled.IsZero() || !w.Paused.IsZero() })
	return []field{f}, err
}

func (v *visit) skipWebhookFields() ([]field, error) {
	f, err := v.webhookField(anyWebhook)
	return []field{f, {Name: "message", Key: "webhooks.message", Hint: "webhooks.skip.hint"},
		{Name: "reason", Key: "reason", Required: true}}, err
}

// webhookSecret makes a secret, and seals it for an endpoint.
func (s *submission) webhookSecret(name, signature string) (made webhook.Secret, sealed []byte, err error) {
	scheme, err := webhook.ParseScheme(signature)
	if err != nil {
		return made, nil, ledger.At("signature", err)
	}
	if s.sealer == nil {
		return made, nil, ledger.ErrInvalid.In("", "this server has no key to seal a secret with").Because(reasonNoKey)
	}
	return webhook.NewSealed(s.sealer, name, scheme, s.random)
}

// showReceiver shows once what the receiver verifies with, where it is made or proposed.
func (s *submission) showReceiver(made webhook.Secret, err error) error {
	if err == nil || errors.Is(err, control.ErrNeedsApproval) {
		s.secret = made.Receiver()
	}
	return err
}

func (s *submission) addWebhook(f *ui.Form) error {
	name := typed(f, "name")
	after, _, err := payoutsAfter(f)
	if err != nil {
		return err
	}
	n := store.NewWebhook{Name: name, URL: typed(f, "url"), Kinds: typed(f, "kinds"),
		Ordered: f.Value("ordered") == "yes", PayoutsAfter: after}
	made, sealed, err := s.webhookSecret(name, f.Value("signature"))
	if err != nil {
		return err
	}
	n.Secret, n.Public = sealed, made.PublicKey()
	return s.showReceiver(made, s.Books.AddWebhook(s.context(), n))
}

// payoutsAfter is the number of the last payout that an endpoint does not get, if one is named.
func payoutsAfter(f *ui.Form) (number int64, named bool, err error) {
	text := typed(f, "payoutsAfter")
	if text == "" {
		return 0, false, nil
	}
	number, err = ledger.ParseDecimal(text, 0)
	return number, true, ledger.At("payoutsAfter", err)
}

func (s *submission) changeWebhook(f *ui.Form) error {
	w, err := s.Reports.Webhook(s.context(), f.Value("name"))
	if err != nil {
		return err
	}
	c := store.WebhookChange{Name: w.Name, URL: cmp.Or(typed(f, "url"), w.URL), Kinds: cmp.Or(typed(f, "kinds"), w.Kinds),
		Ordered: w.Ordered && f.Value("ordered") == "" || f.Value("ordered") == "yes"}
	after, named, err := payoutsAfter(f)
	if err != nil {
		return err
	}
	if named {
		c.PayoutsAfter = &after
	}
	return s.Books.ChangeWebhook(s.context(), c)
}

func (s *submission) rotateWebhook(f *ui.Form) error {
	w, err := s.Reports.Webhook(s.context(), f.Value("name"))
	if err != nil {
		return err
	}
	hours, err := ledger.ParseDecimal(cmp.Or(typed(f, "hours"), "24"), 0)
	const most = int64(store.MaxSecretOverlap / time.Hour)
	if err == nil && (hours < 0 || hours > most) {
		err = ledger.ErrInvalid.In("", "the secret before signs too for 0 to %d hours", most)
	}
	if err != nil {
		return ledger.At("hours", err)
	}
	made, sealed, err := s.webhookSecret(w.Name, cmp.Or(f.Value("signature"), w.Scheme().Name()))
	if err != nil {
		return err
	}
	return s.showReceiver(made, s.Books.RotateWebhook(s.context(), store.WebhookSecret{Name: w.Name, Secret: sealed,
		Public: made.PublicKey(), Overlap: time.Duration(hours) * time.Hour}))
}

func (s *submission) replayWebhook(f *ui.Form) error {
	w, err := s.Reports.Webhook(s.context(), f.Value("name"))
	if err != nil {
		return err
	}
	keys, err := delivery.Between(s.context(), s.Books, w.Webhook, typed(f, "from"), typed(f, "to"))
	if err != nil {
		return err
	}
	return s.Books.SendWebhookAgain(s.context(), w.Name, keys)
}

func (s *submission) testWebhook(f *ui.Form) error {
	_, err := s.Books.TestWebhook(s.context(), f.Value("name"))
	return err
}

func (s *submission) disableWebhook(f *ui.Form) error {
	return s.Books.DisableWebhook(s.context(), f.Value("name"), typed(f, "reason"))
}

func (s *submission) enableWebhook(f *ui.Form) error {
	return s.Books.EnableWebhook(s.context(), f.Value("name"))
}

func (s *submission) skipWebhook(f *ui.Form) error {
	return s.Books.SkipWebhook(s.context(), store.WebhookSkip{Name: f.Value("name"), Message: typed(f, "message"),
		Reason: typed(f, "reason")})
}

func (s *submission) removeWebhook(f *ui.Form) error {
	return s.Books.RemoveWebhook(s.context(), f.Value("name"))
}
