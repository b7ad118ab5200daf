package history

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// newText reads a file as UTF-8, without a byte-order mark: spreadsheets save
// "Unicode text" as UTF-16. Other files are an error that names their format.
func newText(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, maxLine)
	start, err := in.Peek(512)
	if err != nil && err != io.EOF {
		return nil, readError{err}
	}
	if err := notText(start); err != nil {
		return nil, err
	}
	if order, wide := utf16Order(start); wide {
		decoder := unicode.UTF16(order, unicode.UseBOM).NewDecoder()
		in = bufio.NewReaderSize(transform.NewReader(in, decoder), maxLine)
		if start, err = in.Peek(512); err != nil && err != io.EOF {
			return nil, readError{err}
		}
	}
	if bytes.HasPrefix(start, byteOrderMark) {
		if _, err := in.Discard(len(byteOrderMark)); err != nil {
			return nil, err
		}
	}
	if bytes.ContainsFunc(start, func(c rune) bool { return c < ' ' && !strings.ContainsRune("\t\n\v\f\r", c) }) {
		return nil, errors.New("it is not text; give the CSV file, saved in UTF-8")
	}
	return in, nil
}

// readError means that a file could not be read at all, whatever is in it.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

var byteOrderMark = []byte("\ufeff")

// The first bytes of files that are given in place of the CSV file.
const (
	zipStart  = "PK\x03\x04"
	zipEmpty  = "PK\x05\x06" // a ZIP file without files
	gzipStart = "\x1f\x8b"
	pdfStart  = "%PDF-"
	oldOffice = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" // OLE2: .xls, and an .xlsx with a password
)

// notText names a file by its first bytes, or returns nil.
func notText(start []byte) error {
	for prefix, problem := range map[string]string{
		zipStart:  "it is a ZIP file; unpack it and give the CSV file in it",
		gzipStart: "it is a gzip file; unpack it and give the CSV file in it",
		pdfStart:  "it is a PDF; download the CSV again",
		oldOffice: "it is a workbook of a spreadsheet (XLS); download the CSV again",
	} {
		if bytes.HasPrefix(start, []byte(prefix)) {
			return errors.New(problem)
		}
	}
	return nil
}

// utf16Order finds the byte order of UTF-16: by its byte-order mark, or, without
// one, by the zero byte that stands beside each ASCII letter.
func utf16Order(start []byte) (order unicode.Endianness, wide bool) {
	switch {
	case len(start) < 4:
		return unicode.LittleEndian, false
	case start[0] == 0xff && start[1] == 0xfe:
		return unicode.LittleEndian, true
	case start[0] == 0xfe && start[1] == 0xff:
		return unicode.BigEndian, true
	case start[0] != 0 && start[1] == 0 && start[2] != 0 && start[3] == 0:
		return unicode.LittleEndian, true
	case start[0] == 0 && start[1] != 0 && start[2] == 0 && start[3] != 0:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}
