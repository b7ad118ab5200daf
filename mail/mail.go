// Package mail writes notices as mail and sends them through SMTP. It knows no SQL, no pages and no money.
package mail

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
)

// texts are the texts of mails, a file for each language.
//
//go:embed texts/*.json
var texts embed.FS

// usualLanguage is that of a person whose language is not known or has no texts.
const usualLanguage = "en"

// readTexts reads the texts of all languages, by language and key.
func readTexts() (map[string]map[string]string, error) {
	files, err := texts.ReadDir("texts")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, f := range files {
		content, err := texts.ReadFile("texts/" + f.Name())
		if err != nil {
			return nil, err
		}
		var of map[string]string
		if err := json.Unmarshal(content, &of); err != nil {
			return nil, fmt.Errorf("the texts of mails in %s: %w", f.Name(), err)
		}
		all[strings.TrimSuffix(f.Name(), ".json")] = of
	}
	return all, nil
}

// writer writes notices as messages.
type writer struct {
	texts       map[string]map[string]string
	from        mail.Address
	site        string // the URL of the pages, without a slash at its end
	unsubscribe access.Unsubscriber
}

// message is a mail as it is sent: one recipient, plain text, and a link to the pages. A repetition has the same
// Message-ID, by which a mail program shows one of two.
func (w writer) message(m people.Mail) (*gomail.Msg, error) {
	text := w.texts[m.Language]
	if text == nil {
		text = w.texts[usualLanguage]
	}
	t := func(key string, facts ...string) string {
		pairs := make([]string, 0, 2*len(facts))
		for i, fact := range facts {
			pairs = append(pairs, "{"+strconv.Itoa(i)+"}", fact)
		}
		return strings.NewReplacer(pairs...).Replace(text[key])
	}
	facts, kind := m.Notice.Facts, string(m.Notice.Kind)
	if m.Notice.Kind == people.NoticeDevice && len(facts) > 0 {
		facts = append([]string{w.device(t, facts[0])}, facts[1:]...)
	}
	if m.Notice.Kind == people.NoticePaused && len(facts) > 0 {
		facts = []string{t("paused." + facts[0])}
	}
	lines := []string{
		t(kind+".text", facts...), "", t("at", m.Notice.At.UTC().Format(time.DateTime)), "", t(kind + ".what"), "",
		t("link"), w.site + "/activity?show=notices", "",
	}
	if m.Account == "" { // a member of staff's
		lines = append(lines[:5], "")
	}
	msg := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingQP))
	if err := msg.FromFormat(w.from.Name, w.from.Address); err != nil {
		return nil, err
	}
	if err := msg.To(m.Email); err != nil {
		return nil, err
	}
	if m.Notice.Kind.Optional() {
		link := w.site + "/unsubscribe/" + w.unsubscribe.Text(m.Email)
		lines = append(lines, t("unsubscribe"), link, "")
		msg.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+link+">") // RFC 8058
		msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	} else {
		lines = append(lines, t("always"), "")
	}
	msg.Subject(t(kind + ".subject"))
	msg.SetDateWithValue(m.Notice.At)
	msg.SetMessageIDWithValue(messageID(m) + "@" + domain(w.from.Address))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no program answers it
	msg.SetBodyString(gomail.TypeTextPlain, strings.Join(lines, "\n"))
	return msg, nil
}

// device names a browser in words.
func (w writer) device(t func(string, ...string) string, client string) string {
	browser, system := access.ClientName(client)
	switch {
	case browser != "" && system != "":
		return t("device.on", browser, system)
	case browser+system != "":
		return browser + system
	}
	return t("device.unknown")
}

// messageID names a mail, the same for each repetition.
func messageID(m people.Mail) string {
	sum := sha256.Sum256([]byte(m.Email + "\x00" + m.Notice.Nonce + "\x00" + m.Notice.At.UTC().Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:16])
}

// domain is that of an e-mail address.
func domain(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}
