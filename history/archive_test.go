package history

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// zipped is a ZIP file of some files, in the order given.
func zipped(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	one := newHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"
	good := zipped(t, "folder/", "", "folder/a-part1-of2.csv", one, "a-part2-of2.CSV", one, "README.txt", "x",
		"__MACOSX/._a.csv", "x", "utf16(UTC+3).csv", utf16Text(one, binary.LittleEndian, true))
	for _, in := range []interface{ Read([]byte) (int, error) }{bytes.NewReader(good), bytes.NewBuffer(good)} {
		files, ignored, err := ReadAll(in, "h(UTC+2).zip", Options{Assets: shipped(t).Assets})
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 3 || len(ignored) != 1 || ignored[0] != "README.txt" {
			t.Errorf("files %v, ignored %v", files, ignored)
		}
		for i, want := range []string{"UTC+2", "UTC+2", "UTC+3"} {
			if files[i].Zone.Offset.String() != want {
				t.Errorf("%s: zone %v; want %s", files[i].Name, files[i].Zone, want)
			}
		}
		if h := merged(t, files...); len(h.Rows) != 3 { // 2 of the parts, 1 at another time
			t.Errorf("rows %v", h.Rows)
		}
	}
	damaged := bytes.Clone(good)
	damaged = damaged[:len(damaged)-30]
	password := bytes.Clone(good)
	for at := 0; at+10 < len(password); at++ { // the flags of all entries, in both places
		switch string(password[at : at+4]) {
		case "PK\x03\x04":
			password[at+6] |= 1
		case "PK\x01\x02":
			password[at+8] |= 1
		}
	}
	var many []string
	for i := range maxEntries + 1 {
		many = append(many, fmt.Sprintf("%d.csv", i), "")
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":  {zipped(t), "without a CSV file"},
		"no CSV": {zipped(t, "a.txt", "x"), "without a CSV file"},
		"XLSX": {zipped(t, "[Content_Types].xml", "x", "xl/worksheets/sheet1.xml", "x"),
			"(XLSX); download the CSV again"},
		"ODS":      {zipped(t, "mimetype", "x", "content.xml", "x"), "(ODS); download the CSV again"},
		"damaged":  {damaged, "damaged"},
		"password": {password, "has a password"},
		"many":     {zipped(t, many...), "at most 1000"},
		"bomb": {zipped(t, "a.csv", one+strings.Repeat("1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n", 200_000)+
			strings.Repeat("\n", 40<<20)), "unpacks to more than"},
		"inside": {zipped(t, "b.csv", string(zipped(t, "a.csv", one))),
			"b.csv is not a Transaction History export: it is a ZIP file"},
		"not a row": {zipped(t, "b.csv", newHeader+"1,x,Spot,Deposit,BNB,2,\n"),
			"in h.zip: b.csv: no row could be read"},
		"other export": {zipped(t, "b.csv", "a,b\n"), "b.csv is not a Transaction History export"},
	} {
		_, _, err := ReadAll(bytes.NewReader(test.data), "h.zip", Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", name, err, test.want)
		}
	}
}

func TestABoundedFileIsNotCutShort(t *testing.T) {
	if _, err := Read(&boundedReader{in: strings.NewReader(oldHeader + row("2025-07-24 10:00:00", "x", "BNB", "1")),
		left: 20}, "h.csv", Options{}); !errors.Is(err, errUnpacked) {
		t.Errorf("%v", err)
	}
}
