-- Whose credential a token is; '': nobody's, or not stated.
ALTER TABLE tokens ADD COLUMN person {{text}} NOT NULL DEFAULT '';

-- From this amount on completing a withdrawal of a token needs approval; 0: never.
ALTER TABLE limits ADD COLUMN max_withdrawal {{int}} NOT NULL DEFAULT 0;

-- Operations that somebody asks to be done, and how that was decided: executed or rejected; '': not yet.
CREATE TABLE proposals (
	id                {{text}} NOT NULL,
	operation         {{text}} NOT NULL,
	content           {{text}} NOT NULL,
	subject           {{text}} NOT NULL,
	effect            {{text}} NOT NULL,
	reason            {{text}} NOT NULL,
	proposer          {{text}} NOT NULL,
	proposer_role     {{text}} NOT NULL,
	proposer_person   {{text}} NOT NULL,
	request           {{text}} NOT NULL,
	made_at           {{int}} NOT NULL,
	expires           {{int}} NOT NULL,
	decision          {{text}} NOT NULL,
	decided_by        {{text}} NOT NULL,
	decided_by_role   {{text}} NOT NULL,
	decided_by_person {{text}} NOT NULL,
	decided_request   {{text}} NOT NULL,
	decided_at        {{int}} NOT NULL,
	decided_effect    {{text}} NOT NULL,
	decided_reason    {{text}} NOT NULL,
	PRIMARY KEY (id)
) {{table}};

CREATE INDEX proposals_by_time ON proposals (made_at, id);
