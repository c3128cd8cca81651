-- Reads a record; if the presented secret is worth something, notes activity in the same step.
--
-- KEYS[1]  the record
-- ARGV     presented hash, activity (empty: only read), now, idle and absolute limit, the same of remembered
--          sessions, slack; all in ms
--
-- Returns false, or the eleven fields in the order of codec.rs. A missing field is false.
-- Redis' own clock serves the key's expiry and nothing else: `now` judges.

local record = redis.call('HMGET', KEYS[1],
    'secret', 'generation', 'visit', 'user', 'signed_in', 'created', 'activity', 'ended', 'retired',
    'remembered', 'device')
if not record[1] then
    return false
end

local at, now, idle, max, slack =
    tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[8])
-- A key lives for the short idle limit without a change, whatever it holds: what a Redis that comes back
-- may hold from before is brought up to date over that time.
local longest = idle
if record[10] then
    idle, max = tonumber(ARGV[6]), tonumber(ARGV[7])
end
local created, activity = tonumber(record[6]), tonumber(record[7])
if not created or not activity then
    return record
end

local live = record[1] == ARGV[1] and not record[8] and now - activity < idle and now - created < max
-- Activity that is no news writes nothing: every write costs each server its local copy.
if live and at and at > activity then
    redis.call('HSET', KEYS[1], 'activity', ARGV[2])
    record[7] = ARGV[2]
    local left = math.min(at + idle - now, created + max - now, longest)
    redis.call('PEXPIRE', KEYS[1], string.format('%d', left + slack))
end
return record
