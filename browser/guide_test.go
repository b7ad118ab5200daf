package browser

import (
	"fmt"
	"testing"
)

// TestTheWayOfTheGuide goes the way of the guide, from the log-in to the second
// reward, on a clock that is moved.
func TestTheWayOfTheGuide(t *testing.T) {
	for _, width := range []int64{phone, desk} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b := demo(t, 3).open(t, looks{width: width, zone: "Europe/Berlin"})
			b.logIn("alice@example.com")

			// The grey tag stands beside one token, and opens the sheet.
			if tags := eval[int](b, `document.querySelectorAll("main .tag").length`); tags != 1 {
				t.Fatalf("there are %d tags on the Spot page", tags)
			}
			b.press("main .tag.off")
			b.until("the sheet", `document.querySelector("#sheet").open`)
			b.sees("a day")
			if !eval[bool](b, `document.querySelector("#sheet button.primary").disabled`) {
				t.Fatal("Start Earning can be pressed before the documents are accepted")
			}
			b.press("#sheet #accept")
			b.press("#sheet button.primary")

			// What comes next is said with dates, and the tag is yellow.
			b.at("/earn")
			b.sees("UTC")
			b.sees("your time")
			b.visit("/spot")
			b.press("main .tag.on")
			b.at("/earn")

			// Day 2 is measured, and its reward comes on day 3, by itself.
			b.moveClock("day")
			b.seesNot("NaN")
			history := b.another()
			history.visit("/spot/history")
			if n := eval[int](history, rewards); n != 0 {
				t.Fatalf("there are %d rewards on day 2", n)
			}
			b.moveClock("day")
			history.until("the first reward", rewards+" === 3") // of ADA, BNB and SOL
			b.moveClock("day")
			history.until("the second reward", rewards+" === 7") // of these, and of the campaign

			// Each reward says how it came about.
			b.visit("/earn")
			b.press(`main a[href^="/earn/rewards/"][href$="/BNB"]`) // NEAR waits for its income
			b.sees("365")
			b.sees("00:00")

			// Stop earning asks once, and is done.
			b.visit("/earn/stop")
			b.press("main form button.danger")
			b.at("/earn")
			b.sees("Not earning")
		})
	}
}

// rewards is how many rewards the Spot wallet's history shows.
const rewards = `document.querySelectorAll('#changes a[href^="/earn/rewards/"]').length`
