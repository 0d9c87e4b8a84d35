-- May one more request of a connection be sent? KEYS[1]: its counters. ARGV: the milliseconds of a probe, then
-- (requests, milliseconds) of each window. Answers {"go", 0} and has counted it in, or {reason, milliseconds to wait}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function number(name) return tonumber(redis.call('HGET', KEYS[1], name) or '0') end

local held = number('held_until')
if held > now then return {'held', held - now} end
local opened = number('opened')
if opened > 0 then
  local shut = math.max(number('open_until'), number('probe_until'))
  if shut > now then return {'open', shut - now} end
end

local longest, wait, counts = 0, 0, {}
for i = 2, #ARGV, 2 do
  local most, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local began, count, before = number('b' .. i), number('n' .. i), number('o' .. i)
  local passed = began == 0 and 2 or math.floor((now - began) / span)
  if began == 0 then began = now elseif passed > 0 then began = began + passed * span end
  if passed == 1 then before, count = count, 0 elseif passed > 1 then before, count = 0, 0 end
  local into, free = now - began, most - count - 1
  if free < 0 then
    wait = math.max(wait, span - into)
  elseif before * (1 - into / span) > free then
    wait = math.max(wait, math.ceil(span * (1 - free / before) - into), 1)
  end
  counts[i] = {began, count + 1, before}
  longest = math.max(longest, span)
end
if wait > 0 then return {'budget', math.ceil(wait)} end

for i, each in pairs(counts) do
  redis.call('HSET', KEYS[1], 'b' .. i, each[1], 'n' .. i, each[2], 'o' .. i, each[3])
end
if opened > 0 then redis.call('HSET', KEYS[1], 'probe_until', now + tonumber(ARGV[1])) end
if longest > 0 then
  redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), longest * 2 + 60000))
end
return {'go', 0}
