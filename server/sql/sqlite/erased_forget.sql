DELETE FROM erased_visitors WHERE erased_at < ?1
