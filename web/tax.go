package web

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// taxPage is what the account received in a year, and what it had at its end.
type taxPage struct {
	*view
	Report     reports.Tax
	Assets     map[string]ledger.Asset
	Received   []reports.TaxLine
	Balances   []reports.TaxLine
	Years      []int // that can be chosen, the newest first
	Currencies []string
	Current    bool // the year has not ended
}

// tax shows a year's report.
func (v *visit) tax() error {
	year, err := v.taxYear()
	if err != nil {
		return err
	}
	p := taxPage{view: v.view("tax.title")}
	if p.Report, err = v.Reports.Tax(v.context(), v.account(), year); err != nil {
		return err
	}
	if p.Assets, err = v.assets(); err != nil {
		return err
	}
	if p.Currencies, err = v.Reports.Currencies(v.context()); err != nil {
		return err
	}
	now := v.Books.Now().UTC().Year()
	for y := now; y >= v.Books.FirstDay().Start().Year(); y-- {
		p.Years = append(p.Years, y)
	}
	p.Current = year.Year == now
	for _, l := range p.Report.Lines {
		if l.Kind == reports.TaxBalance {
			p.Balances = append(p.Balances, l)
		} else {
			p.Received = append(p.Received, l)
		}
	}
	return v.show("tax", p)
}

// taxYear is the year and the currency that are asked for: without them this year, and USDT. What cannot be chosen is
// not found.
func (v *visit) taxYear() (reports.TaxYear, error) {
	asked := reports.TaxAsked{Year: v.Books.Now().UTC().Year(), Currency: conversion.USDT}
	if text := v.value("year"); text != "" {
		year, err := strconv.Atoi(text)
		if err != nil {
			return reports.TaxYear{}, ledger.ErrNotFound.In("year", "there is no such year")
		}
		asked.Year = year
	}
	if code := v.value("currency"); code != "" {
		asked.Currency = code
	}
	year, err := v.Reports.TaxYear(asked)
	if errors.Is(err, ledger.ErrInvalid) {
		err = ledger.ErrNotFound.In("", "%w", err)
	}
	return year, err
}

// taxFile is a year's report as a file.
func (v *visit) taxFile() error {
	year, err := v.taxYear()
	if err != nil {
		return err
	}
	report, err := v.Reports.Tax(v.context(), v.account(), year)
	if err != nil {
		return err
	}
	assets, err := v.assets()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("tax_%s_%d_%s", v.account(), year.Year, year.Currency)
	return v.file(name, reports.TaxColumns, func(line func(...string) error) error {
		for _, l := range report.Lines {
			a, err := v.asset(assets, l.Asset)
			if err == nil {
				err = line(report.Record(a, l).Cells()...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// File is the report as a file.
func (p taxPage) File() string {
	return ui.Address("/earn/tax.csv", "year", strconv.Itoa(p.Report.Year), "currency", p.Report.Currency)
}

// Worth is a value in the currency, with all its digits, or a dash where it is not known.
func (p taxPage) Worth(value *big.Int) string {
	if value == nil {
		return "–"
	}
	return p.Number(ledger.FormatBig(value, conversion.PriceScale))
}

// Times is what was received, and how often.
func (p taxPage) Times(l reports.TaxLine) string {
	if l.Kind == reports.TaxCompensation {
		return p.N("tax.compensation", int(l.Count))
	}
	return p.N("tax.reward", int(l.Count))
}

// Unvalued says how many receipts have no value.
func (p taxPage) Unvalued(n int64) string { return p.N("tax.unvalued", int(n)) }
