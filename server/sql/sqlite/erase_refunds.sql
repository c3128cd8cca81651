-- Before the orders: a refund whose order is the visitor's is too.
DELETE FROM refunds WHERE visitor_id = ?1 OR visit_id IN (SELECT value FROM json_each(?2))
    OR EXISTS (SELECT 1 FROM orders AS o WHERE o.site = refunds.site AND o.id = refunds.refund_of
        AND (o.visitor_id = ?1 OR o.visit_id IN (SELECT value FROM json_each(?2))))
