-- A refund has the visit, the visitor and the user of its order, whichever of the two came first.
UPDATE refunds SET
    visit_id = COALESCE(o.visit_id, refunds.visit_id),
    visitor_id = COALESCE(o.visitor_id, refunds.visitor_id),
    user_id = COALESCE(o.user_id, refunds.user_id)
FROM orders AS o
WHERE o.site = ?1 AND o.id = ?2 AND refunds.site = ?1 AND refunds.refund_of = ?2
