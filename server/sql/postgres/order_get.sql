SELECT o.site, o.id, o.source, o.amount::text, o.currency, o.items FROM unnest($1::text[], $2::text[]) AS w (site, id)
JOIN orders AS o ON o.site = w.site COLLATE "C" AND o.id = w.id COLLATE "C"
