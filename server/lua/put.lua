-- Puts a record, unless a later generation of it is here.
--
-- KEYS     the record; its activity, if that is later than what the record says
-- ARGV     generation, created, activity, ended (empty: not), now, idle limit, absolute limit, longest life
--          of a key without a change, slack, then field and value of everything else that the record has
--
-- Returns 1 if the record was taken, 0 if it came too late.

-- Generations are compared as text: a number of Lua is exact to 2^53 only.
local function lower(a, b)
    if #a ~= #b then
        return #a < #b
    end
    return a < b
end

local held = redis.call('HMGET', KEYS[1], 'generation', 'activity')
local activity = tonumber(ARGV[3])
-- A value that is not a number was not written by this script; it is replaced.
if held[1] and string.find(held[1], '^%d+$') then
    if lower(ARGV[1], held[1]) then
        return 0
    end
    activity = math.max(activity, tonumber(held[2] or 0) or 0, tonumber(redis.call('GET', KEYS[2]) or 0) or 0)
end

local created, now, idle, max, longest, slack = tonumber(ARGV[2]), tonumber(ARGV[5]),
    tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
-- An ended record stays as long as an older generation could, which another server might put.
local left = longest
if ARGV[4] == '' then
    left = math.max(0, math.min(activity + idle - now, created + max - now, longest))
end

-- HSET comes first: if the memory is at its limit it fails, and the old record is unchanged.
redis.call('HSET', KEYS[1],
    'generation', ARGV[1], 'created', ARGV[2], 'activity', string.format('%d', activity), unpack(ARGV, 10))
if held[1] then
    local given = {}
    for i = 10, #ARGV, 2 do
        given[ARGV[i]] = true
    end
    for _, field in ipairs({'visit', 'user', 'signed_in', 'ended', 'retired', 'remembered', 'device'}) do
        if not given[field] then
            redis.call('HDEL', KEYS[1], field)
        end
    end
end
redis.call('PEXPIRE', KEYS[1], string.format('%d', left + slack))
if ARGV[4] ~= '' then
    redis.call('DEL', KEYS[2])
end
return 1
