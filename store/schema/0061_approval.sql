-- An approval is of a total that is known: one of a day that is not accrued in every bucket says nothing of it.
DELETE FROM approvals WHERE EXISTS (SELECT 1 FROM progress p WHERE p.asset = approvals.asset AND p.accrued_through < approvals.day);
