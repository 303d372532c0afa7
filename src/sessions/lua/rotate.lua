-- Present the generation of a refresh token: the table of rotation, decided and in force in one step.
--
-- KEYS[1]  the user's hash; open.lua says what it holds
-- ARGV[1]  one packed argument, big-endian, since to read many takes longer than to decide: session id (16 bytes),
--          now in ms, or 0 for the time of this server (6), idle life in ms (6), grace in ms (6), presented generation (4),
--          retry key, or zeros (6), era (4), time in ms after which nobody waits for the reply (6)
-- reply    'rotated' | 'replayed' | 'healed', then now, generation, time of rotation, idle expiry, authorization
--          'reused', then now, current generation, or 0 where the session was condemned before
--          'expired', 'unknown', or 'late' and now; all with spaces in between
local PACKED = '>I4I6c6I6I4'
local NO_RETRY_KEY = string.rep('\0', 6)
local CONDEMNED = 0
local key = KEYS[1]
local sid, now, idle_ttl, grace, presented, retry_key, current_era, deadline =
  struct.unpack('>c16I6I6I6I4c6I4I6', ARGV[1])

if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Held up on the way: whoever asked has been told so, and may have gone on elsewhere.
if now > deadline then return 'late ' .. now end

local found = redis.call('HMGET', key, sid, 'u')
if not found[1] then return 'unknown' end
local generation, at, stored_key, absolute, era = struct.unpack(PACKED, found[1])

local function keep()
  redis.call('HSET', key, sid, struct.pack(PACKED, generation, at, stored_key, absolute, era))
end

local function expiry()
  return math.min(at + idle_ttl, absolute)
end

local function deliver(outcome)
  return table.concat({ outcome, now, generation, at, expiry(), found[2] }, ' ')
end

if generation == CONDEMNED then return 'reused ' .. now .. ' ' .. CONDEMNED end
-- Whether it still lives, and how far it has come, is for Postgres to say.
if era ~= current_era then return 'unknown' end
if now >= expiry() then
  redis.call('HDEL', key, sid)
  if redis.call('HLEN', key) == 1 then redis.call('DEL', key) end
  return 'expired'
end

if presented >= generation then
  local outcome = presented > generation and 'healed' or 'rotated'
  generation, at, stored_key = presented + 1, now, retry_key
  keep()
  local left = expiry() - now
  if redis.call('PTTL', key) < left then redis.call('PEXPIRE', key, left) end
  return deliver(outcome)
end

if presented == generation - 1 then
  if now - at <= grace then
    if stored_key == NO_RETRY_KEY and retry_key ~= NO_RETRY_KEY then
      stored_key = retry_key
      keep()
    end
    return deliver('replayed')
  end
  if stored_key ~= NO_RETRY_KEY and stored_key == retry_key then return deliver('replayed') end
end

local current = generation
generation = CONDEMNED
keep()
return 'reused ' .. now .. ' ' .. current
