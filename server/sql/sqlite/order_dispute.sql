-- Another browser has sent this order with other content. An order of the shop itself is never disputed.
UPDATE orders SET disputed = TRUE WHERE site = ?1 AND id = ?2 AND source = 'browser'
