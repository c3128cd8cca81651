-- Forgets a record, if it holds the secret that was promised.
--
-- KEYS     the record; its activity, which stays: it was real
-- ARGV     hash of the promised secret
--
-- Returns 1 if the record was forgotten, 0 if there is none, or another secret in it.

if redis.call('HGET', KEYS[1], 'secret') ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
