-- A refund has the visit, the visitor and the user of its order, whichever of the two came first.
UPDATE refunds AS r SET
    visit_id = COALESCE(o.visit_id, r.visit_id),
    visitor_id = COALESCE(o.visitor_id, r.visitor_id),
    user_id = COALESCE(o.user_id, r.user_id)
FROM unnest($1::text[], $2::text[]) AS w (site, id)
JOIN orders AS o ON o.site = w.site COLLATE "C" AND o.id = w.id COLLATE "C"
WHERE r.site = o.site AND r.refund_of = o.id
