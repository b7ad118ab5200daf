package history

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// The one history that the tests of dialects write in many ways.
var dialectRows = [][]string{
	{"90017001", "2025-07-21 00:30:00", "Spot", "Deposit", "BNB", "2", ""},
	{"90017001", "2025-07-21 14:00:00", "Earn", "Simple Earn, Flexible", "BNB", "0.5", `says "Earn"; and	more`},
	{"90017001", "2025-07-22 20:00:00", "Spot", "Withdraw", "ADA", "-100.25", "Withdraw fee is included"},
}

var headers = map[string][]string{
	"en": {"User ID", "Time", "Account", "Operation", "Coin", "Change", "Remark"},
	"es": {"ID de usuario", "Tiempo", "Cuenta", "Operación", "Moneda", "Cambio", "Observación"},
	"fr": {"Identifiant utilisateur", "Durée", "Compte", "Opération", "Jeton", "Change", "Remarque"},
	"pt": {"ID do usuário", "Tempo", "Conta", "Operação", "Moeda", "Mudança", "Observação"},
	"pl": {"ID użytkownika", "Czas", "Konto", "Operacja", "Moneta", "Zmień", "Uwagi"},
	"ru": {"ID пользователя", "Время", "Счет", "Операция", "Монета", "Изменение", "Примечание"},
	"de": {"Benutzer-ID", "Zeit", "Konto", "Vorgang", "Münze", "Änderung", "Bemerkung"},
	"tr": {"Kullanıcı Kimliği", "Zaman", "Hesap", "İşlem", "Koin", "Değişim", "Açıklama"},
	"zh": {"用户ID", "时间", "账户", "操作", "币种", "变动", "备注"},
	"??": {"aa", "bb", "cc", "dd", "ee", "ff", "gg"}, // taken by position
	"3?": {"aa", "bb", "cc", "dd", "bb", "cc"},       // without remarks, and names that say nothing
}

// written writes the rows in a dialect.
func written(header []string, rows [][]string, separator string, quoted bool) string {
	var b strings.Builder
	for i, fields := range append([][]string{header}, rows...) {
		line := make([]string, len(header))
		for n := range line {
			line[n] = fields[n]
			if strings.ContainsAny(line[n], separator+`"`) {
				line[n] = `"` + strings.ReplaceAll(line[n], `"`, `""`) + `"`
			}
		}
		text := strings.Join(line, separator)
		if quoted {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(text)
	}
	return b.String() + "\n"
}

func utf16Text(text string, order binary.AppendByteOrder, mark bool) string {
	var b []byte
	if mark {
		text = "\ufeff" + text
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func TestDialects(t *testing.T) {
	encodings := map[string]func(string) string{
		"utf-8":    func(s string) string { return s },
		"bom":      func(s string) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") },
		"utf-16le": func(s string) string { return utf16Text(s, binary.LittleEndian, true) },
		"utf-16be": func(s string) string { return utf16Text(s, binary.BigEndian, true) },
	}
	heads := map[string]string{
		"": "", "sep": "sep=%s\n", "report": "Transaction History\nUser ID: 90017001\n\n\"a, b\"\n",
		"20 lines": strings.Repeat("\n,,,,\n", 10),
	}
	for language, header := range headers {
		for _, separator := range separators {
			for encoding, encode := range encodings {
				for head, above := range heads {
					for _, quoted := range []bool{false, true} {
						name := fmt.Sprintf("%s %q %s %s quoted %v", language, separator, encoding, head, quoted)
						text := strings.ReplaceAll(above, "%s", string(separator)) +
							written(header, dialectRows, string(separator), quoted)
						f, err := Read(strings.NewReader(encode(text)), "h.csv",
							Options{Assets: shipped(t).Assets, Strict: true})
						if err != nil {
							t.Errorf("%s: %v", name, err)
							continue
						}
						got := fmt.Sprint(len(f.Rows), f.Away, f.LeftOut)
						for _, r := range f.Rows {
							got += fmt.Sprint(" ", r.Coin, " ", r.Operation, " ", r.Change)
						}
						if want := "2 1 0 BNB Deposit 200000000 ADA Withdraw -10025000000"; got != want {
							t.Errorf("%s: %s; want %s", name, got, want)
						}
						want := map[string]Found{"en": ByNames, "??": ByPosition, "3?": ByPosition}
						if found, listed := want[language]; listed && f.Columns != found {
							t.Errorf("%s: columns %q; want %q", name, f.Columns, found)
						} else if !listed && f.Columns != ByOtherNames {
							t.Errorf("%s: columns %q", name, f.Columns)
						}
					}
				}
			}
		}
	}
}

func TestColumnsWithoutAHeader(t *testing.T) {
	f := read(t, "90017001,2025-07-21 00:30:00,Spot,Deposit,BNB,2,\n"+
		"90017001,2025-07-22 00:30:00,Spot,Deposit,BNB,1,x\n")
	if f.Columns != ByRows || len(f.Rows) != 2 {
		t.Errorf("columns %q, rows %v", f.Columns, f.Rows)
	}
	for name, text := range map[string]string{
		"21 lines above":   strings.Repeat("x\n", 21) + newHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n",
		"another export":   "Date(UTC),Coin,Network,Amount,Fee,Address\n2025-07-24 21:30:41,BNB,BSC,2,0.001,0x1\n",
		"no account":       "a,b,c,d,e,f\n1,2025-07-24 21:30:41,BSC,Deposit,BNB,2\n",
		"coin is a number": "a,b,c,d,e,f\n1,2025-07-24 21:30:41,Spot,Deposit,3,2\n",
	} {
		if f, err := Read(strings.NewReader(text), "h.csv", Options{}); err == nil {
			t.Errorf("%s: %v", name, f.Rows)
		}
	}
}
