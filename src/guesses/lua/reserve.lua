-- Counts a guess in several tallies, or in none if one of them does not allow it. tally.ts has the
-- same rules.
--
-- KEYS[1]  a hash: the name of a tally -> 'count at until', times in ms since 1970
-- ARGV[1]  now in ms, or empty for the time of this server
-- ARGV[n]  for each tally its name, limit, memory in ms, guesses without a pause, and longest pause
--          in ms
--
-- reply    {'reserved'}
--          {'refused', name, wait in ms}: the tally with the longest wait
local FIRST_PAUSE = 1000
-- Names in a hash until those are removed whose guesses are all forgotten.
local MANY = 32
local key = KEYS[1]
local now = tonumber(ARGV[1])

if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function parse(text)
  local count, at, expiry = string.match(text or '', '^(%d+) (%d+) (%d+)$')
  if not count or now >= tonumber(expiry) then return 0, 0, 0 end
  return tonumber(count), tonumber(at), tonumber(expiry)
end

local refused, longest = nil, 0
local counts = {}
for i = 2, #ARGV, 5 do
  local name, limit, memory = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local free, longest_pause = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local count, at, expiry = parse(redis.call('HGET', key, name))
  local wait = 0
  if count >= limit then
    wait = math.min(expiry - now, count * memory)
  elseif count > free then
    local pause = math.min(longest_pause, FIRST_PAUSE * 2 ^ (count - free - 1))
    wait = math.min(at + pause - now, pause)
  end
  if wait > longest then refused, longest = name, wait end
  counts[name] = count
end
if refused then return { 'refused', refused, longest } end

local life = redis.call('PTTL', key)
for i = 2, #ARGV, 5 do
  local name, memory = ARGV[i], tonumber(ARGV[i + 2])
  local count = counts[name] + 1
  local remembered = count * memory
  redis.call('HSET', key, name, string.format('%d %d %d', count, now, now + remembered))
  life = math.max(life, remembered)
end
redis.call('PEXPIRE', key, life)

if redis.call('HLEN', key) > MANY then
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if parse(all[i + 1]) == 0 then redis.call('HDEL', key, all[i]) end
  end
end
return { 'reserved' }
