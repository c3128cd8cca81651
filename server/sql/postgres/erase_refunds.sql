-- Before the orders: a refund whose order is the visitor's is too.
DELETE FROM refunds AS r WHERE visitor_id = $1 OR (visit_id IN (SELECT unnest($2::uuid[]))) IS TRUE
    OR EXISTS (SELECT 1 FROM orders AS o WHERE o.site = r.site AND o.id = r.refund_of
        AND (o.visitor_id = $1 OR (o.visit_id IN (SELECT unnest($2::uuid[]))) IS TRUE))
