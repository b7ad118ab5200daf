package reports

import "fmt"

// A day that has shares may earn nothing by itself: its reward is of the shares alone, and there is a reason for which
// the rest is missing.

// Measures reports whether the day itself is measured: the token is on offer, the switch covers the day, and no other
// product has it.
func (e Explanation) Measures() bool { return e.unmeasured() == "" }

// unmeasured is what the day is not measured for, or "".
func (e Explanation) unmeasured() Why {
	switch {
	case !e.TermsKnown || !e.Terms.Offered:
		return WhyNotOffered
	case !e.Enrolled:
		return WhyNotOn
	case e.Excluded != "":
		return WhyExcluded
	}
	return ""
}

// below is what a day that is measured earns nothing for.
func (e *Explanation) below() Why {
	if !e.Over {
		return WhyBelowYet
	}
	return WhyBelow
}

// judgeItself finds what the day itself earned nothing for, where its reward is of shares alone. A day on which nothing
// was held, of a token without a minimum, needs no reason.
func (e *Explanation) judgeItself() {
	if !e.OnlyShares {
		return
	}
	if e.Itself = e.unmeasured(); e.Itself == "" && e.Below() {
		e.Itself = e.below()
	}
	e.ItselfReason = e.itselfSentence()
}

// itselfSentence is Itself in English.
func (e *Explanation) itselfSentence() string {
	token := e.Asset.Symbol
	switch e.Itself {
	case WhyNotOffered:
		return fmt.Sprintf("The day itself is not measured: %s was not on offer.", token)
	case WhyNotOn:
		return "The day itself is not measured: Soft Staking was not on for the whole of it."
	case WhyExcluded:
		return fmt.Sprintf("The day itself is not measured: %s has it.", e.Excluded)
	case WhyBelow, WhyBelowYet:
		compared, _ := e.Compared()
		return fmt.Sprintf("The day itself earns nothing: the %s, %s %s, is below the minimum of %s.", e.comparedInWords(),
			e.Asset.Format(compared), token, e.Asset.Format(e.Terms.Min))
	}
	return ""
}
