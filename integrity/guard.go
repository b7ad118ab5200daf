package integrity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// The errors of a Guard.
var (
	// ErrForged says that a row is not as this program has written it. Whatever it says, it is as if it were not there:
	// the error of a single row is also ledger.ErrNotFound.
	ErrForged = errors.New("the row was not written by softstake")
	// ErrNoKey says that rows have MACs, and that there is no key to check them with.
	ErrNoKey = errors.New("the key that credentials are protected with is missing")
)

// Keyring is the keys that MACs are made with, derived from those outside the database: the first makes them, and all
// of them check. again reads them again before. None, without an error: these books have no key outside.
type Keyring func(again bool) ([][]byte, error)

// Guard makes and checks the MACs of rows that give a right: HMAC-SHA256 with a key that is not in the database, over
// the name of the table and each column. Whoever can write to the database and has no key can neither make such a row,
// nor change one, nor copy one to another key. It is safe for concurrent use.
//
// It is on wherever there is a key: nothing in the database turns it off. A row from before is given its MAC by
// Protect.
type Guard struct {
	keyring Keyring
	cached  atomic.Pointer[[]macKey]
	marked  atomic.Bool
	refused func(table, row string)
}

// NewGuard makes a Guard. refused is called with each row that is refused; it may be nil, must be quick and safe for
// concurrent use.
func NewGuard(keys Keyring, refused func(table, row string)) *Guard {
	return &Guard{keyring: keys, refused: refused}
}

// macKey is a key, and the ID by which a MAC says that it was made with it.
type macKey struct {
	id  [4]byte
	key []byte
}

// macLength is the length of a MAC with its key's ID before it.
const macLength = 4 + sha256.Size

// keys are the keys. ErrNoKey if there are none, and the books are marked as protected; none, if they are not.
func (g *Guard) keys(again bool) ([]macKey, error) {
	if known := g.cached.Load(); known != nil && !again {
		return *known, nil
	}
	var secrets [][]byte
	var err error
	if g.keyring != nil {
		secrets, err = g.keyring(again)
	}
	if err != nil {
		return nil, err
	}
	if len(secrets) == 0 {
		if g.marked.Load() {
			return nil, fmt.Errorf("%w: bring the file of the key that these books were made with", ErrNoKey)
		}
		return nil, nil
	}
	keys := make([]macKey, len(secrets))
	for i, secret := range secrets {
		sum := sha256.Sum256(append([]byte("softstake row key "), secret...))
		keys[i] = macKey{[4]byte(sum[:4]), secret}
	}
	g.cached.Store(&keys)
	return keys, nil
}

// On reports whether there is a key, and so whether rows are checked.
func (g *Guard) On() (bool, error) {
	if g == nil {
		return false, nil
	}
	keys, err := g.keys(false)
	return len(keys) > 0, err
}

// value is a value of a column: what of it is not its kind is empty.
type value struct {
	number int64
	text   string
	blob   []byte
}

// values reads a row of Columns, from a column on.
func (k Guarded) values(r db.Row, from int) []value {
	v := make([]value, len(k.columns))
	for i, c := range k.columns {
		switch c.kind {
		case "int":
			v[i].number = r.Int(from + i)
		case "text":
			v[i].text = r.Text(from + i)
		default:
			v[i].blob = r.Bytes(from + i)
		}
	}
	return v
}

// mac is the MAC of a row. What is hashed begins with the key's ID and the name of the table; then comes each column
// that is not zero or empty: its name and its value, each behind its length. So different rows have different texts,
// and a column that is added later changes none where it is empty.
func (k Guarded) mac(key macKey, v []value) []byte {
	text := make([]byte, 0, 512)
	add := func(part []byte) {
		text = binary.BigEndian.AppendUint32(text, uint32(len(part)))
		text = append(text, part...)
	}
	add([]byte("softstake row 1"))
	add(key.id[:])
	add([]byte(k.Table))
	for i, c := range k.columns {
		content := v[i].blob
		switch c.kind {
		case "int":
			content = nil
			if v[i].number != 0 {
				content = binary.BigEndian.AppendUint64(nil, uint64(v[i].number))
			}
		case "text":
			content = []byte(v[i].text)
		}
		if len(content) > 0 {
			add([]byte(c.name))
			add(content)
		}
	}
	h := hmac.New(sha256.New, key.key)
	h.Write(text)
	return h.Sum(append(make([]byte, 0, macLength), key.id[:]...))
}

// fits reports whether a text is the MAC of a row by one of the keys, and which. It compares in constant time.
func (k Guarded) fits(keys []macKey, v []value, text string) (by int, fits bool) {
	given, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(given) != macLength {
		return 0, false
	}
	by = slices.IndexFunc(keys, func(key macKey) bool { return key.id == [4]byte(given) })
	return by, by >= 0 && hmac.Equal(k.mac(keys[by], v), given)
}

// Check is ErrForged unless a row, whose Columns begin at one, has its MAC. It says nothing where these books have no
// key, or the Guard is nil, and ErrNoKey where they had one.
func (g *Guard) Check(k Guarded, r db.Row, from int) error {
	if g == nil {
		return nil
	}
	keys, err := g.keys(false)
	if err != nil || len(keys) == 0 {
		return err
	}
	return g.check(k, keys, k.values(r, from), r.Text(from+k.MAC()))
}

func (g *Guard) check(k Guarded, keys []macKey, v []value, mac string) error {
	if _, fits := k.fits(keys, v, mac); fits {
		return nil
	}
	keys, err := g.keys(true) // during a rotation another process may have a newer key
	if err != nil {
		return err
	}
	if _, fits := k.fits(keys, v, mac); fits {
		return nil
	}
	g.report(k, k.named(v))
	return fmt.Errorf("%w: %s of the table %s: %w", ErrForged, k.named(v), k.Table, ledger.ErrNotFound)
}

func (g *Guard) report(k Guarded, row string) {
	if g.refused != nil {
		g.refused(k.Table, row)
	}
}

// Disagree is ErrForged of rows of a kind that another row says are there, and are not, or the other way round. It is
// no ledger.ErrNotFound. It is reported.
func (g *Guard) Disagree(k Guarded, row string) error {
	g.report(k, row)
	return fmt.Errorf("%w: what there is of %s in the table %s", ErrForged, row, k.Table)
}

// MACs are the MACs of n new rows, for a statement that inserts them; of is the values of a row's columns, in order:
// int64, string or []byte. They are "" where there is no key.
func (g *Guard) MACs(k Guarded, n int, of func(i int) []any) ([]string, error) {
	macs := make([]string, n)
	if n == 0 {
		return macs, nil
	}
	keys, err := g.keys(true)
	if err != nil || len(keys) == 0 {
		return macs, err
	}
	for i := range macs {
		v := make([]value, len(k.columns))
		for j, content := range of(i) {
			switch content := content.(type) {
			case int64:
				v[j].number = content
			case string:
				v[j].text = content
			case []byte:
				v[j].blob = content
			}
		}
		macs[i] = base64.RawURLEncoding.EncodeToString(k.mac(keys[0], v))
	}
	return macs, nil
}

// row is a row as it is in the database.
type row struct {
	bucket int64
	values []value
	mac    string
}

// find reads the rows of a condition. lock is what the SELECT ends with.
func (k Guarded) find(t db.View, lock, where string, args ...any) ([]row, error) {
	return db.All(t, k.scan, k.scanned()+"WHERE "+where+lock, args...)
}

func (k Guarded) scanned() string {
	return "SELECT " + k.bucket() + ", " + k.Columns("") + " FROM " + k.Table + " "
}

func (k Guarded) scan(r db.Row) (row, error) {
	return row{r.Int(0), k.values(r, 1), r.Text(1 + k.MAC())}, nil
}

// keyOf are the columns of the keys of rows, as a set, and the condition that names them, with parameters from one on.
func (k Guarded) keyOf(rows []row, first int) (s db.Set, where string) {
	var conditions []string
	add := func(name string, c db.Column) {
		conditions = append(conditions, fmt.Sprintf("%s = $%d", name, first+len(s)))
		s = append(s, c)
	}
	if !k.loose {
		add("bucket", db.SetOf(rows, db.Int("bucket", func(r row) int64 { return r.bucket }))[0])
	}
	for i := range k.keys {
		c := k.columns[i]
		field := db.Text(c.name, func(r row) string { return r.values[i].text })
		if c.kind == "blob" {
			field = db.Blob(c.name, func(r row) []byte { return r.values[i].blob })
		}
		add(c.name, db.SetOf(rows, field)[0])
	}
	return s, and(conditions)
}

// Sign gives rows their MAC that this transaction has just written: new ones, by their whole key, or such as give no
// right any more. Others are changed with Change.
func (g *Guard) Sign(t db.Tx, k Guarded, where string, args ...any) error {
	keys, err := g.keys(true)
	if err != nil || len(keys) == 0 {
		return err
	}
	rows, err := k.find(t, "", where, args...)
	if err == nil {
		err = k.sign(t, keys[0], rows)
	}
	if err != nil {
		return fmt.Errorf("protect what was written of %s: %w", k.Table, err)
	}
	return nil
}

// sign writes the MACs of rows by a key.
func (k Guarded) sign(t db.Tx, by macKey, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	set, where := k.keyOf(rows, 2)
	mac := db.Text("mac", func(r row) string { return base64.RawURLEncoding.EncodeToString(k.mac(by, r.values)) })
	return t.Each(nil, "UPDATE "+k.Table+" SET mac = $1 WHERE "+where, append(db.SetOf(rows, mac), set...))
}

// Change changes rows of a condition: it locks them, refuses with ErrForged if one of them has not its MAC, calls
// change, and gives those that are still there their new one. A row that another adds at the same time gets none.
func (g *Guard) Change(t db.Tx, k Guarded, change func() error, where string, args ...any) error {
	return g.change(t, k, change, false, where, args...)
}

// ChangeAll is Change, and does not refuse: a row that has not its MAC is changed too, and gets none.
func (g *Guard) ChangeAll(t db.Tx, k Guarded, change func() error, where string, args ...any) error {
	return g.change(t, k, change, true, where, args...)
}

func (g *Guard) change(t db.Tx, k Guarded, change func() error, all bool, where string, args ...any) error {
	keys, err := g.keys(true)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return change()
	}
	rows, err := k.find(t, t.Lock(), where, args...)
	if err != nil {
		return fmt.Errorf("lock rows of %s: %w", k.Table, err)
	}
	whole := rows[:0]
	for _, r := range rows {
		switch err := g.check(k, keys, r.values, r.mac); {
		case err == nil:
			whole = append(whole, r)
		case !all || !errors.Is(err, ErrForged):
			return err
		}
	}
	rows = whole
	if err := change(); err != nil || len(rows) == 0 {
		return err
	}
	set, named := k.keyOf(rows, 1)
	changed, err := db.AllEach(t, k.scan, k.scanned()+"WHERE "+named, set)
	if err == nil {
		err = k.sign(t, keys[0], changed)
	}
	if err != nil {
		return fmt.Errorf("protect what was changed of %s: %w", k.Table, err)
	}
	return nil
}
