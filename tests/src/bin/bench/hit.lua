-- wrk calls setup once per thread, then init and request within the threads, and done at the end.
local ffi = require("ffi")
ffi.cdef [[
typedef struct { long sec; long usec; } visitflow_timeval;
int gettimeofday(visitflow_timeval *now, void *zone);
]]

local threads = 0
local floor, format = math.floor, string.format
local time = ffi.new("visitflow_timeval")
local KNOWN, VISITOR, SIGNED_IN, last_stranger = {}, {}, {}, nil
local THREADS, PER_SECOND, due = 2, @PER_SECOND@, nil

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

function init()
   math.randomseed(@SEED@ * 64 + number)
   for line in io.lines("@VISITORS@") do
      local session, visitor = line:match("(%S+) (%S+)")
      KNOWN[#KNOWN + 1] = "session_id=" .. session .. "; visitor_id=" .. visitor
      VISITOR[#VISITOR + 1] = visitor
   end
   for session in io.lines("@USERS@") do SIGNED_IN[#SIGNED_IN + 1] = session end
end

-- math.random takes no more than 2^31 at a time everywhere.
local function random(n) return math.random(1, n) end
local function bits(n) return math.random(0, 2 ^ n - 1) end

local function now_ms()
   ffi.C.gettimeofday(time, nil)
   return tonumber(time.sec) * 1000 + tonumber(time.usec) / 1000
end

-- Milliseconds to wait before the next request: each has its time, whatever became of those before.
if PER_SECOND > 0 then
   function delay()
      local now = now_ms()
      due = (due or now) + 1000 * THREADS / PER_SECOND
      return math.max(0, floor(due - now))
   end
end

-- UUIDv7 (RFC 9562): 48 bits of milliseconds, then chance but for version and variant.
local function fact_id()
   local ms = floor(now_ms())
   return format("%08x-%04x-7%03x-%04x-%06x%06x",
      floor(ms / 65536), ms % 65536, bits(12), 32768 + bits(14), bits(24), bits(24))
end

-- A visitor id is 'v_' and a UUIDv4.
local function stranger()
   last_stranger = format("v_%04x%04x-%04x-4%03x-%04x-%06x%06x",
      bits(16), bits(16), bits(16), bits(12), 32768 + bits(14), bits(24), bits(24))
   return last_stranger
end

function request()
   local n = random(#KNOWN)
   local cookies = @COOKIES@
   local body = @BODY@
   return "@METHOD@ @PATH@ HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
      .. "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
      .. "@AUTHORIZATION@\r\nContent-Type: @CONTENT_TYPE@\r\nCookie: " .. cookies
      .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
   local errors = summary.errors
   io.write(format("\nfigures %d %d %d %d %d %d\n", summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
