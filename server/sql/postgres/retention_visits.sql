-- With a visit, the row that lets its visitor join it is deleted; with a visitor's last visit, the key.
WITH gone AS (
    DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sessions
        WHERE started_at < $1 AND last_activity < $1 AND ended_at IS NOT NULL LIMIT $2))
    RETURNING site, visitor_id, id
), forgotten AS (
    DELETE FROM visitors AS v USING gone
    WHERE v.site = gone.site AND v.visitor_id = gone.visitor_id AND v.visit_id = gone.id
), keyless AS (
    DELETE FROM visitor_keys AS k USING gone
    WHERE k.visitor_id = gone.visitor_id AND NOT EXISTS (
        SELECT FROM sessions AS s WHERE s.visitor_id = k.visitor_id AND s.id NOT IN (SELECT id FROM gone))
)
SELECT COUNT(*) FROM gone
