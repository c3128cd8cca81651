-- The partitions of table $1: their names as in statements, and their bounds as text.
SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = $1::text::regclass ORDER BY c.oid
