SELECT source, amount, currency, items FROM orders WHERE site = ?1 AND id = ?2
