-- How a request of a connection ended. KEYS[1]: its counters. ARGV: well, failed or neither; milliseconds that the peer
-- wants no more for; failures in a row that open the breaker; milliseconds it opens for; the most of those.
-- Answers 1 where the breaker has opened by it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function number(name) return tonumber(redis.call('HGET', KEYS[1], name) or '0') end

local keep, has_opened = 3600000, 0
redis.call('HDEL', KEYS[1], 'probe_until')
local hold = tonumber(ARGV[2])
if hold > 0 then
  redis.call('HSET', KEYS[1], 'held_until', math.max(number('held_until'), now + hold))
  keep = math.max(keep, hold + 60000)
end
if ARGV[1] == 'well' then
  redis.call('HDEL', KEYS[1], 'failures', 'opened', 'open_until')
elseif ARGV[1] == 'failed' then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  if failures >= tonumber(ARGV[3]) and number('open_until') <= now then
    local opened = redis.call('HINCRBY', KEYS[1], 'opened', 1)
    local pause = math.min(tonumber(ARGV[4]) * 2 ^ math.min(opened - 1, 10), tonumber(ARGV[5]))
    redis.call('HSET', KEYS[1], 'open_until', now + pause)
    has_opened = 1
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), keep))
end
return has_opened
