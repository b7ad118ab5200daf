-- The limits of a token, each as it was set; the highest number counts. 0: no limit. max_apr is a rate; max_inflow is what
-- is brought in on a day. proposal '': it was set without one.
ALTER TABLE limits RENAME TO limits_before;

CREATE TABLE limits (
	asset          {{text}} NOT NULL,
	number         {{day}} NOT NULL,
	set_at         {{int}} NOT NULL,
	set_by         {{text}} NOT NULL,
	proposal       {{text}} NOT NULL,
	reason         {{text}} NOT NULL,
	max_total      {{int}} NOT NULL,
	max_change     {{int}} NOT NULL,
	max_withdrawal {{int}} NOT NULL,
	max_apr        {{int}} NOT NULL,
	max_inflow     {{int}} NOT NULL,
	PRIMARY KEY (asset, number)
) {{table}};

-- The step in Go says when: at the upgrade.
INSERT INTO limits (asset, number, set_at, set_by, proposal, reason, max_total, max_change, max_withdrawal, max_apr, max_inflow)
SELECT asset, 1, 0, 'upgrade', '', '', max_total, max_change, max_withdrawal, 0, 0 FROM limits_before;

DROP TABLE limits_before;
