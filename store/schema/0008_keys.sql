-- When a key that may trade and is not limited to addresses expires. 0: it is limited, or may not trade.
ALTER TABLE keys ADD COLUMN trade_until {{int}} NOT NULL DEFAULT 0;
