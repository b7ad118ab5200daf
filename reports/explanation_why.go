package reports

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/staking"
)

// Why says why a day has no reward, or none yet.
type Why string

// What a day has no reward for, in the order in which it is asked. Explanation has the figures.
const (
	WhyNotOffered Why = "not-offered" // the token was not on offer
	WhyNotOn      Why = "not-on"      // the switch did not cover the whole day
	WhyExcluded   Why = "excluded"    // another product had it
	WhyBelowYet   Why = "below-yet"   // the day is not over, and as it stands its average is below the minimum
	WhyBelow      Why = "below"       // the average was below the minimum
	WhyNotOver    Why = "not-over"    // the day is not over, and as it stands it is paid after it
	WhyNotSettled Why = "not-settled" // the run has not come to it yet
	WhyNoIncome   Why = "no-income"   // in the mode share: accrued, and the income of its period is not known yet
	WhyEntered    Why = "entered"     // in the mode share: accrued, and its income is divided when a later day is settled
	// For the operator: for funds, or for somebody to look at it; or behind an older day that does.
	WhyWaits Why = "waits"
)

// judge finds why the day has no reward, or none yet.
func (e *Explanation) judge(rs *Reports, t db.View, d staking.Day) error {
	e.judgeItself()
	verdict, unmeasured := "", e.unmeasured()
	switch {
	case e.Paid && e.awaitsIncome():
		e.Why = WhyNoIncome
	case e.Paid && e.awaitsDivision():
		e.Why = WhyEntered
	case e.Paid:
		return nil
	case !e.Earned && unmeasured != "":
		e.Why = unmeasured
	case !e.Earned:
		e.Why = e.below()
	case !e.Over:
		e.Why = WhyNotOver
	default:
		through, err := db.Count(t, "SELECT min(paid_through) FROM progress WHERE asset = $1", e.Asset.Symbol)
		if err != nil {
			return err
		}
		oldest := staking.Day(through) + 1
		if e.Waits, err = rs.waiting(t, e.Asset.Symbol, oldest); err != nil {
			return err
		}
		e.Why = WhyNotSettled
		switch {
		case e.Waits == nil:
			verdict = fmt.Sprintf("%s is paid through %s", e.Asset.Symbol, oldest-1)
		case oldest < d:
			e.Why, e.Behind, verdict = WhyWaits, oldest, e.Waits.Error()
		default:
			e.Why, verdict = WhyWaits, e.Waits.Error()
		}
	}
	e.Reason = e.sentence(verdict)
	return nil
}

// sentence is Why in English; verdict is what the token waits for, or how far it is paid.
func (e *Explanation) sentence(verdict string) string {
	token, d, what := e.Asset.Symbol, e.Measured.Day, e.comparedInWords()
	compared, _ := e.Compared()
	measured, minimum := e.Asset.Format(compared), e.Asset.Format(e.Terms.Min)
	switch e.Why {
	case WhyNotOffered:
		return fmt.Sprintf("%s was not on offer on %s.", token, d)
	case WhyNotOn:
		return fmt.Sprintf("Soft Staking was not on for the whole of %s: it earns from the day after it is switched "+
			"on, until the day before it is switched off.", d)
	case WhyExcluded:
		return fmt.Sprintf("%s is not measured on %s: %s has it.", token, d, e.Excluded)
	case WhyBelowYet:
		return fmt.Sprintf("%s is not over: as it stands the %s would be %s %s, below the minimum of %s.", d, what,
			measured, token, minimum)
	case WhyBelow:
		if e.together() {
			return fmt.Sprintf("The %s was %s %s, below the minimum of %s.", what, measured, token, minimum)
		}
		return fmt.Sprintf("The %s of %s %s was below the minimum of %s.", what, measured, token, minimum)
	case WhyNoIncome:
		return fmt.Sprintf("Accrued, waiting for the chain: what %s pays is known when the income of its period is.", d)
	case WhyEntered:
		by := e.Weighing.Entered[0]
		return fmt.Sprintf("Accrued: the income of %s to %s was entered on %s, and is divided when %s is settled.", by.First,
			by.Last, by.PaidOn, by.PaidOn)
	case WhyNotOver:
		if e.awaitsIncome() {
			return fmt.Sprintf("%s is not over: this is what it would weigh if nothing moved any more. What it pays is "+
				"known when the income of its period is.", d)
		}
		return fmt.Sprintf("%s is not over: this is what it would pay if nothing moved any more. It is paid after "+
			"midnight UTC.", d)
	case WhyNotSettled:
		return fmt.Sprintf("%s has not been settled yet: %s.", d, verdict)
	case WhyWaits:
		if e.Behind != 0 {
			return fmt.Sprintf("Waiting behind %s: %s.", e.Behind, verdict)
		}
		return fmt.Sprintf("Waiting: %s.", verdict)
	}
	return ""
}
