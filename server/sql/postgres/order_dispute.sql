-- Another browser has sent these orders with other content. An order of the shop itself is never disputed.
UPDATE orders AS o SET disputed = TRUE FROM unnest($1::text[], $2::text[]) AS w (site, id)
WHERE o.site = w.site COLLATE "C" AND o.id = w.id COLLATE "C" AND o.source = 'browser'
