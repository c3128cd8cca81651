-- Another browser claims this number with other words; the shop's own word is not disputed.
UPDATE orders SET disputed = TRUE WHERE site = ?1 AND id = ?2 AND source = 'browser'
