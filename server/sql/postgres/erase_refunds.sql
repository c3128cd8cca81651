-- A refund has the visit and the visitor of its order.
DELETE FROM refunds WHERE (site, id) IN (
    (SELECT site, id FROM refunds WHERE visitor_id = $1
    UNION ALL
    SELECT site, id FROM refunds WHERE visit_id = ANY($2))
    LIMIT $3)
