package history

import "regexp"

// role is a column that is read, and the names it is known by, as columnKey writes them.
type role struct {
	name            string // as messages call it
	english, others []string
}

const timeRole = "UTC_Time or Time"

// roles are the columns that are read. The exchange translates the header of an export
// into the language of the page, and nothing else: accounts, operations and the order of
// columns stay as they are. No list of its translations is public: these are the words
// seen in files, and the usual ones of each language. A header that is not known is
// taken by position.
var roles = []role{
	{timeRole, []string{"utctime", "time"}, []string{
		"tiempo", "hora", "fecha", "fechayhora", "durée", "heure", "date", "horodatage", "tempo", "horário", "data",
		"dataehora", "czas", "время", "дата", "zeit", "uhrzeit", "zeitpunkt", "datum", "zaman", "saat", "tarih", "时间",
		"時間", "時刻", "日時", "시간", "ora", "thờigian", "час", "tijd", "tijdstip", "waktu", "الوقت", "čas", "timp", "tid",
		"idő", "време", "ώρα",
	}},
	{"Account", []string{"account"}, []string{
		"cuenta", "compte", "conta", "konto", "счет", "счёт", "аккаунт", "hesap", "账户", "帳戶", "账号", "帳號", "アカウント", "口座",
		"계정", "계좌", "tàikhoản", "рахунок", "обліковийзапис", "rekening", "akun", "الحساب", "účet", "cont", "fiók",
		"számla", "акаунт", "λογαριασμός",
	}},
	{"Operation", []string{"operation"}, []string{
		"operación", "operacion", "opération", "operação", "operacja", "операция", "vorgang", "aktion", "işlem",
		"operasyon", "操作", "取引", "작업", "운영", "operazione", "hoạtđộng", "thaotác", "операція", "bewerking", "handeling",
		"operasi", "العملية", "operace", "operațiune", "művelet", "ενέργεια",
	}},
	{"Coin", []string{"coin"}, []string{
		"moneda", "cripto", "criptomoneda", "jeton", "monnaie", "crypto", "cryptomonnaie", "moeda", "criptomoeda",
		"moneta", "kryptowaluta", "waluta", "монета", "криптовалюта", "münze", "währung", "kryptowährung", "koin",
		"kripto", "kriptopara", "币种", "幣種", "币", "コイン", "通貨", "코인", "criptovaluta", "tiềnmãhóa", "munt", "mince",
		"monedă", "érme", "νόμισμα", "العملة",
	}},
	{"Change", []string{"change"}, []string{
		"cambio", "variation", "changement", "modification", "alteração", "mudança", "variação", "zmień", "zmien",
		"zmiana", "изменение", "изменить", "änderung", "ändern", "veränderung", "değişim", "değişiklik", "değiştir",
		"变动", "变化", "更改", "變動", "變化", "變更", "変更", "変動", "변경", "변동", "variazione", "modifica", "thayđổi", "зміна",
		"змінити", "verandering", "wijziging", "perubahan", "ubah", "التغيير", "změna", "schimbare", "változás",
		"αλλαγή",
	}},
}

// userNames are the names of the column of the user ID, as columnKey writes them.
var userNames = []string{
	"userid", "iddeusuario", "identifiantutilisateur", "iddousuário", "iddeusuário", "idużytkownika", "idпользователя",
	"benutzer-id", "benutzerid", "kullanıcıkimliği", "用户id", "用戶id", "ユーザーid", "사용자id", "idutente",
}

// looseAmount matches what an amount may look like, also as a spreadsheet writes it.
var looseAmount = regexp.MustCompile(`^[+-]?[0-9.,]*[0-9][0-9.,]*([eE][+-]?[0-9]+)?$`)
