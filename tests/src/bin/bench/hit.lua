-- wrk calls setup once per thread, then init and request within the threads, and done at the end.
local ffi = require("ffi")
ffi.cdef [[
typedef struct { long sec; long usec; } visitflow_timeval;
int gettimeofday(visitflow_timeval *now, void *zone);
]]

local threads = 0
local floor, format = math.floor, string.format
local time = ffi.new("visitflow_timeval")
local KNOWN, VISITOR, count, last_stranger = {}, {}, 0, nil

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

function init()
   math.randomseed(@SEED@ * 64 + number)
   for line in io.lines("@VISITORS@") do
      local session, visitor = line:match("(%S+) (%S+)")
      count = count + 1
      KNOWN[count] = "session_id=" .. session .. "; visitor_id=" .. visitor
      VISITOR[count] = visitor
   end
end

-- math.random takes no more than 2^31 at a time everywhere.
local function random(n) return math.random(1, n) end
local function bits(n) return math.random(0, 2 ^ n - 1) end

-- UUIDv7 (RFC 9562): 48 bits of milliseconds, then chance but for version and variant.
local function fact_id()
   ffi.C.gettimeofday(time, nil)
   local ms = tonumber(time.sec) * 1000 + floor(tonumber(time.usec) / 1000)
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
   local n = random(count)
   local cookies = @COOKIES@
   local body = @BODY@
   return "POST @PATH@ HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
      .. "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
      .. "\r\nContent-Type: text/plain\r\nCookie: " .. cookies
      .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
   local errors = summary.errors
   io.write(format("\nfigures %d %d %d %d %d %d\n", summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
