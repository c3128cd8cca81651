DELETE FROM dead_letters
WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS mark WHERE position(mark IN command) > 0)
