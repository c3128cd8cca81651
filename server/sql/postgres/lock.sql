-- Every transaction that writes visits or sessions takes a number.
SELECT begin_batch(NULL)
