package history

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"

	"github.com/softstake/softstake/ledger"
)

// The bounds of a ZIP file. The exchange's exports are compressed about 20 to 1.
const (
	maxArchive  = 1 << 30 // bytes of a ZIP file
	maxEntries  = 1000    // files in it
	maxUnpacked = 4 << 30 // bytes that all of its files unpack to
	maxRatio    = 200     // unpacked bytes for each packed one, of a file above maxFree
	maxFree     = 1 << 20 // bytes of a file below which its ratio does not matter
)

// ReadAll reads an export, or the exports in a ZIP file: those of its files that end in
// ".csv". ignored are the names of its other files. name is the file's.
func ReadAll(r io.Reader, name string, o Options) (files []*File, ignored []string, err error) {
	in := bufio.NewReaderSize(r, maxLine)
	start, err := in.Peek(len(zipStart))
	if err != nil && err != io.EOF {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	if string(start) != zipStart && string(start) != zipEmpty {
		f, err := Read(in, name, o)
		if err != nil {
			return nil, nil, err
		}
		return []*File{f}, nil, nil
	}
	a, err := openArchive(in, r)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	return a.files(name, o)
}

// archive is a ZIP file on its way to be read.
type archive struct {
	*zip.Reader
	left int64 // of maxUnpacked
}

// openArchive opens a ZIP file: from the file itself if it can be read at any offset,
// otherwise from memory (at most maxArchive bytes).
func openArchive(in io.Reader, r io.Reader) (*archive, error) {
	type placed interface {
		io.ReaderAt
		io.Seeker
	}
	var at io.ReaderAt
	size := int64(-1)
	if file, ok := r.(placed); ok {
		end, err := file.Seek(0, io.SeekEnd)
		if err == nil {
			at, size = file, end
		}
	}
	if size < 0 {
		data, err := io.ReadAll(io.LimitReader(in, maxArchive+1))
		if err != nil {
			return nil, err
		}
		at, size = bytes.NewReader(data), int64(len(data))
	}
	if size > maxArchive {
		return nil, fmt.Errorf("the ZIP file has more than %d bytes; unpack it and give the files in it", maxArchive)
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		return nil, fmt.Errorf("the ZIP file is damaged: %w; download it again", err)
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("there are %d files in it, and at most %d are read; "+
			"unpack it and give those that are exports", len(z.File), maxEntries)
	}
	return &archive{Reader: z, left: maxUnpacked}, nil
}

// files reads the exports in the archive.
func (a *archive) files(name string, o Options) (files []*File, ignored []string, err error) {
	if kind := a.workbook(); kind != "" {
		return nil, nil, notExport(name,
			fmt.Errorf("it is a workbook of a spreadsheet (%s); download the CSV again", kind))
	}
	for _, entry := range a.File {
		inside := shown(path.Base(strings.ReplaceAll(entry.Name, `\`, "/")))
		switch {
		case entry.FileInfo().IsDir() || strings.HasPrefix(entry.Name, "__MACOSX/"):
			continue
		case !strings.EqualFold(path.Ext(inside), ".csv") || strings.HasPrefix(inside, "."):
			ignored = append(ignored, inside)
			continue
		}
		f, err := a.file(entry, inside, name, o)
		if err != nil {
			return nil, nil, fmt.Errorf("in %s: %w", name, err)
		}
		files = append(files, f)
	}
	if files == nil {
		return nil, nil, notExport(name,
			fmt.Errorf("it is a ZIP file without a CSV file in it%s; download the history again as CSV",
				among(ignored)))
	}
	return files, ignored, nil
}

// among names the first of the files that are in an archive instead.
func among(ignored []string) string {
	if len(ignored) == 0 {
		return ""
	}
	return fmt.Sprintf(", but with %q", ledger.Clip(ignored[0]))
}

// shown is a name without characters that would break a message.
func shown(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, name)
}

// workbook names the kind of workbook that a ZIP file is, "" if it is none.
func (a *archive) workbook() string {
	for _, entry := range a.File {
		switch {
		case entry.Name == "[Content_Types].xml" || strings.HasPrefix(entry.Name, "xl/"):
			return "XLSX"
		case entry.Name == "content.xml":
			return "ODS"
		}
	}
	return ""
}

// encrypted is the flag of an entry that needs a password.
const encrypted = 1

func (a *archive) file(entry *zip.File, inside, name string, o Options) (f *File, err error) {
	if entry.Flags&encrypted != 0 {
		return nil, fmt.Errorf("%s has a password; unpack it and give the file", inside)
	}
	body, err := entry.Open()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", inside, err)
	}
	defer func() {
		if closed := body.Close(); err == nil && closed != nil {
			err = fmt.Errorf("read %s: %w", inside, closed)
		}
	}()
	limit := max(maxFree, int64(min(entry.CompressedSize64, maxUnpacked))*maxRatio)
	bounded := &boundedReader{in: body, left: min(limit, a.left)}
	text, err := newText(bounded)
	if err != nil {
		return nil, notExport(inside, err)
	}
	if f, err = readText(text, inside, name, o); err != nil {
		return nil, err
	}
	a.left -= bounded.read
	return f, nil
}

// boundedReader fails where io.LimitReader would end: a file cut short must not be
// taken for the whole.
type boundedReader struct {
	in         io.Reader
	left, read int64
}

var errUnpacked = errors.New("it unpacks to more than a history does; unpack it yourself and give the files in it")

func (r *boundedReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errUnpacked
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.in.Read(p)
	r.left -= int64(n)
	r.read += int64(n)
	return n, err
}
