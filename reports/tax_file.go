package reports

import (
	"math/big"
	"strconv"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// The columns and words of a tax report as a file are the same at the command line, in the API and on the pages, and do
// not change (docs/stability.md). So they are here, once.

// TaxRecord is a TaxLine in a file: units in whole tokens, values in the currency with at most 8 decimals.
type TaxRecord struct {
	Year     int            `json:"year"`
	Account  ledger.Account `json:"account"`
	Asset    string         `json:"asset"`
	Kind     TaxKind        `json:"kind"`
	Count    int64          `json:"count"`
	Units    string         `json:"units"`
	Currency string         `json:"currency"`
	Value    *string        `json:"value"` // nil: not known
	Unvalued int64          `json:"unvalued"`
	End      staking.Day    `json:"end"`
	EndValue *string        `json:"endValue"` // nil: not known
}

// TaxColumns are those of a TaxRecord in CSV.
var TaxColumns = []string{
	"year", "account", "asset", "kind", "count", "units", "currency", "value", "unvalued", "end", "endValue",
}

// Record is a line in a file; the asset is the line's.
func (y TaxYear) Record(a ledger.Asset, l TaxLine) TaxRecord {
	return TaxRecord{y.Year, l.Account, l.Asset, l.Kind, l.Count, a.Format(l.Units), y.Currency, ValueText(l.Value),
		l.Unvalued, y.End, ValueText(l.EndValue)}
}

// Cells are a record's in CSV, empty where something is not known.
func (r TaxRecord) Cells() []string {
	return []string{
		strconv.Itoa(r.Year), string(r.Account), r.Asset, string(r.Kind), strconv.FormatInt(r.Count, 10), r.Units,
		r.Currency, cell(r.Value), strconv.FormatInt(r.Unvalued, 10), r.End.String(), cell(r.EndValue),
	}
}

// TaxTransfer is the code of staking income among the transfers to users of the OECD's Crypto-Asset Reporting
// Framework (CARF), whose XML schema the EU's DAC8 uses.
const TaxTransfer = "CARF502"

// TaxAggregate is a TaxLine in a file from which a report under CARF can be made: transfers to a user, summed by asset
// and type of transfer. Its columns are ours, and not the elements of the XML schema.
type TaxAggregate struct {
	Year            int            `json:"year"`
	Owner           string         `json:"owner"`     // whose accounts are summed; "": it is one account without an owner
	Account         ledger.Account `json:"account"`   // "": it is of an owner
	Residence       string         `json:"residence"` // ISO 3166-1 alpha-2; "": none is verified
	Asset           string         `json:"asset"`
	TransferType    string         `json:"transferType"`
	Kind            TaxKind        `json:"kind"`
	Transactions    int64          `json:"transactions"`
	Units           string         `json:"units"`
	Currency        string         `json:"currency"`
	FairMarketValue *string        `json:"fairMarketValue"` // nil: not known
	Unvalued        int64          `json:"unvalued"`        // transactions that are not in it
}

// TaxAggregateColumns are those of a TaxAggregate in CSV.
var TaxAggregateColumns = []string{
	"year", "owner", "account", "residence", "asset", "transferType", "kind", "transactions", "units", "currency",
	"fairMarketValue", "unvalued",
}

// Aggregate is a line in the file for authorities; the asset is the line's.
func (y TaxYear) Aggregate(a ledger.Asset, l TaxLine) TaxAggregate {
	return TaxAggregate{y.Year, l.Owner, l.Account, string(l.Residence.Country()), l.Asset, TaxTransfer, l.Kind, l.Count,
		a.Format(l.Units), y.Currency, ValueText(l.Value), l.Unvalued}
}

// Cells are an aggregate's in CSV, empty where something is not known.
func (t TaxAggregate) Cells() []string {
	return []string{
		strconv.Itoa(t.Year), t.Owner, string(t.Account), t.Residence, t.Asset, t.TransferType, string(t.Kind),
		strconv.FormatInt(t.Transactions, 10), t.Units, t.Currency, cell(t.FairMarketValue),
		strconv.FormatInt(t.Unvalued, 10),
	}
}

// ValueText is a value in 1e-8 as a decimal; nil where it is not known.
func ValueText(value *big.Int) *string {
	if value == nil {
		return nil
	}
	return new(ledger.FormatBig(value, conversion.PriceScale))
}

// cell is a text, or an empty cell where there is none.
func cell(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
