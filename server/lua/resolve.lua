-- Reads a record; if the presented secret is valid, notes activity in the same step.
--
-- KEYS     the record; its activity, if that is later than what the record says
-- ARGV     presented hash, activity (empty: only read), now, idle and absolute limit, the same of remembered
--          sessions, slack, how far ahead a record's life is prolonged; all in ms
--
-- Returns false, or the eleven fields in the order of codec.rs. A missing field is false.
-- The clock of Redis serves for the expiry of keys only; limits are judged by `now`.

local record = redis.call('HMGET', KEYS[1],
    'secret', 'generation', 'visit', 'user', 'signed_in', 'created', 'activity', 'ended', 'retired',
    'remembered', 'device')
if not record[1] then
    return false
end

local at, now, idle, max, slack, ahead =
    tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[8]), tonumber(ARGV[9])
-- Without a change a key lives for the short idle limit, whatever its record: a Redis that was away may have
-- old records, and those changed within that time are put again.
local longest = idle
if record[10] then
    idle, max = tonumber(ARGV[6]), tonumber(ARGV[7])
end
local created, activity = tonumber(record[6]), tonumber(record[7])
if not created or not activity then
    return record
end
activity = math.max(activity, tonumber(redis.call('GET', KEYS[2]) or 0) or 0)
record[7] = string.format('%d', activity)

local live = record[1] == ARGV[1] and not record[8] and now - activity < idle and now - created < max
if live and at and at > activity then
    record[7] = ARGV[2]
    local left = math.min(at + idle - now, created + max - now, longest) + slack
    redis.call('SET', KEYS[2], ARGV[2], 'PX', string.format('%d', left))
    -- Whatever touches the record's key costs each server its local copy: so its life is prolonged now and then.
    if redis.call('PTTL', KEYS[1]) < left then
        redis.call('PEXPIRE', KEYS[1], string.format('%d', left + ahead))
    end
end
return record
