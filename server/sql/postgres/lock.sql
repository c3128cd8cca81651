-- Everybody who writes visits or sessions takes a number.
SELECT begin_batch(NULL)
